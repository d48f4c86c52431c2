// How a running job reports and hears that it should stop.
#include "analysis/core/task.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {

std::string Progress::doing() const {
  const std::lock_guard lock(mutex_);
  return doing_;
}

std::vector<std::string> Progress::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

Task::Task() : Task(std::make_shared<Progress>()) {}

Task::Task(std::shared_ptr<Progress> progress) : progress_(std::move(progress)) {}

void Task::step(int64_t done, int64_t total) {
  // Nothing to do is all of it done.
  const double share =
      total <= 0 ? 1.0 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const double reached = from_ + (to_ - from_) * share;
  double shown = progress_->fraction_.load(std::memory_order_relaxed);
  while (reached > shown &&
         !progress_->fraction_.compare_exchange_weak(shown, reached, std::memory_order_relaxed)) {
  }
  if (progress_->stop_requested()) throw Stopped();
}

void Task::note(const std::string& text) {
  const std::lock_guard lock(progress_->mutex_);
  auto& notes = progress_->notes_;
  if (std::ranges::find(notes, text) == notes.end()) notes.push_back(text);
}

void Task::doing(const std::string& what) {
  const std::lock_guard lock(progress_->mutex_);
  progress_->doing_ = what;
}

Task Task::part(double from, double to) const {
  Task stretch(progress_);
  const double begin = std::clamp(from, 0.0, 1.0), end = std::clamp(to, begin, 1.0);
  stretch.from_ = from_ + (to_ - from_) * begin;
  stretch.to_ = from_ + (to_ - from_) * end;
  return stretch;
}

}  // namespace varve
