// The progress line on stderr: a bar, what is being done, time left. Drawn on a terminal only.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "analysis/core/task.h"

namespace varve {

class ProgressLine {
 public:
  explicit ProgressLine(bool visible);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void draw(const Progress& progress);
  void erase();

 private:
  const bool visible_;
  const std::chrono::steady_clock::time_point began_;
  std::mutex mutex_;
  bool drawn_ = false;
};

// The line as text, at most `width` columns; empty while there is nothing to say yet.
std::string progress_text(double fraction, const std::string& doing, double seconds, int width);

}  // namespace varve
