// Whole files read under a limit, and written so that a kill leaves the old file or the new one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::generic_category().message(code); }

const char* advice(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "Free some space or write somewhere else.";
    case EACCES:
    case EPERM:
    case EROFS:
      return "Check that you may write into that folder, or write somewhere else.";
    case ENOENT:
    case ENOTDIR:
      return "Does the folder exist?";
    case EISDIR:
      return "A folder of that name is in the way; choose another name.";
    case EFBIG:
      return "The file system or a limit of this session allows no file that large.";
    default:
      return "Check the disk, then try again.";
  }
}

// Closes its file at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int close() {
    const int number = number_;
    number_ = -1;
    return ::close(number) == 0 ? 0 : errno;
  }

 private:
  int number_;
};

// These three return 0 or the errno that stopped them.
int write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int flush(int file) {
  while (::fsync(file) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

int flush_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return errno;
  const int problem = flush(opened.get());
  return problem == EINVAL ? 0 : problem;  // some file systems cannot flush a folder, and need not
}

fs::path temporary_beside(const fs::path& path) {
  std::random_device random;
  return path.parent_path() / fmt::format(".tmp-{}-{:08x}{:08x}", ::getpid(), random(), random());
}

int write_and_rename(const fs::path& temporary, const fs::path& path, std::string_view content) {
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return errno;
  int problem = write_all(file.get(), content);
  if (problem == 0) problem = flush(file.get());
  if (const int closing = file.close(); problem == 0) problem = closing;
  if (problem == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) problem = errno;
  if (problem != 0) ::unlink(temporary.c_str());
  return problem;
}

}  // namespace

std::string read_file(const fs::path& path, int64_t limit_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail("{}: cannot be opened: {}", path.string(), reason(errno));
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) fail("{}: cannot be read: {}", path.string(), reason(errno));
  if (!S_ISREG(about.st_mode)) fail("{}: is not a file; a regular file was expected", path.string());

  const auto expect_within_limit = [&](int64_t size) {
    if (size > limit_bytes)
      fail("{}: is {} but at most {} is read from such a file. Is it the right one?", path.string(),
           show_bytes(size), show_bytes(limit_bytes));
  };
  expect_within_limit(about.st_size);
  // The size above is a promise that another process may break, so reading goes on to the end that is found.
  std::string content;
  content.reserve(static_cast<size_t>(about.st_size));
  std::string piece(64 * 1024, '\0');
  while (true) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot be read: {}", path.string(), reason(errno));
    if (count == 0) return content;
    content.append(piece, 0, static_cast<size_t>(count));
    expect_within_limit(static_cast<int64_t>(content.size()));
  }
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  if (!path.has_filename()) fail("'{}' does not name a file to write", path.string());
  int problem = write_and_rename(temporary_beside(path), path, content);
  if (problem == 0) problem = flush_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
  if (problem != 0)
    fail("{}: cannot be written ({}): {}. {}", path.string(),
         show_bytes(static_cast<int64_t>(content.size())), reason(problem), advice(problem));
}

}  // namespace varve
