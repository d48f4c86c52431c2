// A running job's line to its owner: progress and cancel are one call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace varve {

// What the owner sees; shared between the worker and whoever watches. All members may be read from any
// thread.
class Progress {
 public:
  void request_stop() { source_.request_stop(); }
  bool stop_requested() const { return source_.stop_requested(); }
  double fraction() const { return fraction_.load(std::memory_order_relaxed); }  // 0 to 1, never falls
  std::string doing() const;                                                     // "step 3500, layer 2 of 4"
  std::vector<std::string> notes() const;

 private:
  friend class Task;
  std::stop_source source_;
  std::atomic<double> fraction_{0};
  mutable std::mutex mutex_;
  std::string doing_;
  std::vector<std::string> notes_;
};

class Task {
 public:
  Task();  // watched by nobody; never stops
  explicit Task(std::shared_ptr<Progress> progress);

  // Reports done of total within this task's part; throws Stopped where the owner asked to stop. At least
  // every 50 ms.
  void step(int64_t done, int64_t total);
  // A sentence for the user: something went on regardless. Repeats are kept once.
  void note(const std::string& text);
  void doing(const std::string& what);  // what is being worked on right now
  // The stretch of this task between two fractions, as a task of its own.
  Task part(double from, double to) const;
  bool stop_requested() const { return progress_->stop_requested(); }
  const std::shared_ptr<Progress>& progress() const { return progress_; }

 private:
  std::shared_ptr<Progress> progress_;
  double from_ = 0, to_ = 1;
};

}  // namespace varve
