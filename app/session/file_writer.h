// Writes one file again and again without making anybody wait: of several texts only the newest is written.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "analysis/core/jobs.h"

namespace varve {

// Each write is atomic, so that a kill at any moment leaves the last whole text.
class FileWriter {
 public:
  explicit FileWriter(std::filesystem::path file);
  ~FileWriter();  // after what was asked for last is written

  void write(std::string text);  // nothing happens where it is what was asked for last
  void wait();                   // until all is written, or could not be
  std::string problem() const;   // of the last write; empty where it went well

 private:
  void put(const std::string& text);
  std::filesystem::path file_;
  std::string newest_;
  mutable std::mutex mutex_;
  std::string problem_;
  Jobs jobs_;  // last: its worker is gone before what it writes to
};

}  // namespace varve
