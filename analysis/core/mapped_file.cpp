// Read-only memory maps of whole files.
#include "analysis/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "analysis/core/error.h"

namespace varve {
namespace {

size_t page_size() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const auto give_up = [&path](int file, const std::string& why) {
    if (file >= 0) ::close(file);
    fail("{}: cannot be read: {}", path.string(), why);
  };
  // Opening a pipe would otherwise wait for somebody to write into it.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) give_up(file, std::generic_category().message(errno));
  struct stat about {};
  if (::fstat(file, &about) != 0) give_up(file, std::generic_category().message(errno));
  if (!S_ISREG(about.st_mode)) give_up(file, "it is not a regular file");
  size_ = static_cast<size_t>(about.st_size);
  if (size_ > 0) {  // an empty file cannot be mapped, and need not be
    void* start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    if (start == MAP_FAILED) give_up(file, std::generic_category().message(errno));
    data_ = static_cast<const std::byte*>(start);
  }
  ::close(file);  // the map keeps the file
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

// Advice that the kernel does not take changes speed, never bytes; its answer is not looked at.
void will_need(std::span<const std::byte> mapped) {
  // The kernel cuts one request down to its read-ahead window, which is seldom smaller than this.
  constexpr size_t window = size_t{128} << 10;
  if (mapped.empty()) return;
  const uintptr_t end = reinterpret_cast<uintptr_t>(mapped.data()) + mapped.size();
  uintptr_t at = reinterpret_cast<uintptr_t>(mapped.data()) / page_size() * page_size();
  for (; at < end; at += window)
    ::madvise(reinterpret_cast<void*>(at), std::min<size_t>(window, end - at), MADV_WILLNEED);
}

void done_with(std::span<const std::byte> mapped) {
  // Whole pages inside the stretch only: its first and last page may hold a neighbour that is still read.
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapped.data()), end = begin + mapped.size();
  const uintptr_t first = (begin + page_size() - 1) / page_size() * page_size();
  const uintptr_t last = end / page_size() * page_size();
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void MappedFile::will_need(size_t offset, size_t count) const {
  if (offset < size_) varve::will_need({data_ + offset, std::min(count, size_ - offset)});
}

void MappedFile::done_with(size_t offset, size_t count) const {
  if (offset < size_) varve::done_with({data_ + offset, std::min(count, size_ - offset)});
}

}  // namespace varve
