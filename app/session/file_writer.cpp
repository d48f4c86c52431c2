// The writing thread.
#include "app/session/file_writer.h"

#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

FileWriter::FileWriter(std::filesystem::path file) : file_(std::move(file)), thread_([this] { loop(); }) {}

FileWriter::~FileWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void FileWriter::write(std::string text) {
  {
    const std::lock_guard lock(mutex_);
    if (text == newest_) return;
    newest_ = text;
    next_ = std::move(text);
  }
  wake_.notify_all();
}

void FileWriter::wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !next_ && !is_busy_; });
}

std::string FileWriter::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void FileWriter::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return next_ || is_closing_; });
    if (!next_) return;
    const std::string text = std::move(*next_);
    next_.reset();
    is_busy_ = true;
    lock.unlock();
    std::string problem;
    // A full disk must not end the program that is being looked at; the window says it.
    try {
      if (file_.has_parent_path()) std::filesystem::create_directories(file_.parent_path());
      write_file_atomically(file_, text);
    } catch (const std::exception& error) {
      problem = error.what();
    }
    lock.lock();
    problem_ = problem;
    is_busy_ = false;
    idle_.notify_all();
  }
}

}  // namespace varve
