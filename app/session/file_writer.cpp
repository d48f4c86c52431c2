// Each text is a job of the same tag: one that still waits is replaced by the next.
#include "app/session/file_writer.h"

#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

FileWriter::FileWriter(std::filesystem::path file) : file_(std::move(file)) {}

FileWriter::~FileWriter() { jobs_.wait(); }

void FileWriter::write(std::string text) {
  if (text == newest_) return;
  newest_ = text;
  jobs_.forget_finished();
  jobs_.submit("write", "write " + file_.filename().string(),
               [this, text = std::move(text)](Task&) { put(text); });
}

void FileWriter::wait() { jobs_.wait(); }

std::string FileWriter::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void FileWriter::put(const std::string& text) {
  std::string problem;
  // A full disk must not end the program that is being looked at; the window says it.
  try {
    if (file_.has_parent_path()) std::filesystem::create_directories(file_.parent_path());
    write_file_atomically(file_, text);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  const std::lock_guard lock(mutex_);
  problem_ = problem;
}

}  // namespace varve
