// Files that appear complete or not at all; the one place of the store that makes, syncs and renames files.
#include "analysis/store/published_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = ".tmp-";
// One write call at most: the kernel itself stops a little below 2 GiB.
constexpr int64_t largest_write = int64_t{1} << 30;

[[noreturn]] void fail_writing(const fs::path& file, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    fail(
        "{}: could not be written, the disk is full ({}). Free some space and run again; everything "
        "published before is intact.",
        file.string(), std::strerror(error));
  fail("{}: could not be written: {}", file.string(), std::strerror(error));
}

void sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("{}: could not be opened: {}", folder.string(), std::strerror(errno));
  const int result = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  // Some shared file systems keep folders in step themselves and answer EINVAL.
  if (result != 0 && error != EINVAL && error != ENOTSUP) fail_writing(folder, error);
}

fs::path parent_of(const fs::path& file) {
  const fs::path parent = file.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

std::string random_word() {
  // Processes and threads that start in the same instant must differ: device entropy plus a counter.
  static std::atomic<uint32_t> counter{0};
  std::random_device device;
  return fmt::format("{:08x}{:04x}", device(), counter.fetch_add(1) & 0xffffu);
}

bool left_behind(const fs::path& file) {
  // .tmp-<host>-<pid>-<random>; the host may hold dashes, so it is read from the right.
  const std::string name = file.filename().string();
  const size_t last = name.rfind('-');
  const size_t middle = last == std::string::npos ? last : name.rfind('-', last - 1);
  if (middle == std::string::npos || middle <= prefix.size()) return false;
  const std::string host = name.substr(prefix.size(), middle - prefix.size());
  const std::string process = name.substr(middle + 1, last - middle - 1);
  if (process.empty() || process.size() > 9 || process.find_first_not_of("0123456789") != std::string::npos)
    return false;
  if (host == host_name()) return kill(std::stoi(process), 0) != 0 && errno == ESRCH;
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  return !error && fs::file_time_type::clock::now() - written > std::chrono::hours(24);
}

}  // namespace

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "unnamed";
  std::string safe = name;
  for (char& letter : safe)
    if (letter == '/') letter = '_';
  return safe;
}

bool is_temporary(const fs::path& file) { return file.filename().string().starts_with(prefix); }

void sweep_folder(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!is_temporary(entry->path()) || !left_behind(entry->path())) continue;
    std::error_code gone;  // another sweeper may have been faster
    fs::remove(entry->path(), gone);
  }
}

void make_folder(const fs::path& folder) {
  if (fs::is_directory(folder)) return;
  const fs::path parent = parent_of(folder);
  if (!fs::exists(parent)) make_folder(parent);
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    fail("{}: the folder could not be made: {}", folder.string(), std::strerror(errno));
  if (!fs::is_directory(folder)) fail("{}: a file lies where a folder is needed", folder.string());
  sync_folder(parent);
}

PublishedFile::PublishedFile(fs::path target) : target_(std::move(target)) {
  const fs::path folder = parent_of(target_);
  for (int attempt = 0; attempt < 8 && descriptor_ < 0; ++attempt) {
    temporary_ = folder / fmt::format("{}{}-{}-{}", prefix, host_name(), getpid(), random_word());
    descriptor_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) {
      if (errno == ENOENT || errno == ENOTDIR)
        fail("{}: there is no folder {} to write into", target_.string(), folder.string());
      fail_writing(target_, errno);
    }
  }
  if (descriptor_ < 0) fail("{}: no free temporary name beside it", target_.string());
}

PublishedFile::~PublishedFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void PublishedFile::write(int64_t offset, const void* bytes, int64_t count) const {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = pwrite(descriptor_, next, std::min(count, largest_write), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_writing(target_, written < 0 ? errno : ENOSPC);
    next += written;
    offset += written;
    count -= written;
  }
}

void PublishedFile::begin_writing_out(int64_t offset, int64_t count) const {
  // A hint only: where the file system cannot, the fsync at the end does all the work.
  (void)sync_file_range(descriptor_, offset, count, SYNC_FILE_RANGE_WRITE);
}

void PublishedFile::publish(Existing existing) {
  if (fsync(descriptor_) != 0) fail_writing(target_, errno);
  if (existing == Existing::keep) {
    const bool linked = link(temporary_.c_str(), target_.c_str()) == 0;
    const bool taken = !linked && errno == EEXIST;
    if (linked || taken) {
      unlink(temporary_.c_str());
      close(descriptor_);
      descriptor_ = -1;
      sync_folder(parent_of(target_));
      return;
    }
    // A file system without hard links: rename below, last writer wins.
  }
  if (rename(temporary_.c_str(), target_.c_str()) != 0) fail_writing(target_, errno);
  const int result = close(descriptor_);
  descriptor_ = -1;
  if (result != 0) fail_writing(target_, errno);
  sync_folder(parent_of(target_));
}

}  // namespace varve
