// One import at a time: a lock on the file .import.lock, which says who holds it.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "analysis/core/error.h"
#include "analysis/store/published_file.h"
#include "analysis/store/run_store.h"

namespace varve {

namespace {

constexpr int poll_millis = 40;  // the time within which Stop must be felt is 50

std::string holder(int descriptor) {
  char text[256] = {};
  const ssize_t count = pread(descriptor, text, sizeof text - 1, 0);
  std::string who(text, static_cast<size_t>(count > 0 ? count : 0));
  while (!who.empty() && who.back() == '\n') who.pop_back();
  return who.empty() ? "another process" : who;
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  char text[40] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace

std::unique_ptr<RunStore::ImportLock> RunStore::lock_for_import(Task& task) {
  const std::filesystem::path file = folder() / ".import.lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail("{}: could not be opened ({}). Is the store writable?", file.string(), std::strerror(errno));
  std::unique_ptr<ImportLock> lock(new ImportLock(descriptor));
  bool told = false;
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) fail("{}: could not be locked: {}", file.string(), std::strerror(errno));
    if (!told) task.note(fmt::format("waiting for another import into this store by {}", holder(descriptor)));
    told = true;
    task.step(0, 1);
    poll(nullptr, 0, poll_millis);
  }
  // Only words for whoever waits next; the lock itself is the kernel's and ends with the process.
  const std::string who = fmt::format("process {} on {} since {}\n", getpid(), host_name(), now());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, who.data(), who.size(), 0) != static_cast<ssize_t>(who.size()))
    fail("{}: could not be written: {}", file.string(), std::strerror(errno));
  return lock;
}

RunStore::ImportLock::~ImportLock() { ::close(descriptor_); }

}  // namespace varve
