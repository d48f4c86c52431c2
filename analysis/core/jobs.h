// One worker thread that runs jobs in order; a newer job with the same tag replaces an older one that has not
// finished. Deliberately absent: priorities, dependencies, thread pools, results (a job hands its result over
// itself).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "analysis/core/task.h"

namespace varve {

class Job {
 public:
  enum class State { waiting, running, done, failed, stopped };
  Job(std::string tag, std::string title, std::function<void(Task&)> work);
  const std::string& tag() const { return tag_; }
  const std::string& title() const { return title_; }
  State state() const { return state_.load(); }
  bool finished() const { return state() != State::waiting && state() != State::running; }
  std::string error() const;  // the message, where it failed
  double seconds() const;     // since it began, or in all once finished
  const std::shared_ptr<Progress>& progress() const { return progress_; }
  void stop() { progress_->request_stop(); }

 private:
  friend class Jobs;
  void run();
  std::string tag_, title_;
  std::function<void(Task&)> work_;
  std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  std::atomic<State> state_{State::waiting};
  mutable std::mutex mutex_;
  std::string error_;
  double began_ = 0, ended_ = 0;
};

class Jobs {
 public:
  Jobs();
  ~Jobs();  // stops the running job, drops the waiting ones, joins
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // An empty tag never replaces. The replaced job is stopped if running, dropped if waiting.
  std::shared_ptr<Job> submit(std::string tag, std::string title, std::function<void(Task&)> work);
  std::vector<std::shared_ptr<Job>> all() const;  // oldest first, finished ones included until forgotten
  void forget_finished();
  void wait();  // until nothing waits or runs
  // Called on the worker thread after every change of state; set once, before the first submit.
  std::function<void()> changed;

 private:
  void loop();
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<std::shared_ptr<Job>> waiting_;
  std::vector<std::shared_ptr<Job>> all_;
  std::shared_ptr<Job> running_;
  bool closing_ = false;
  std::thread worker_;
};

}  // namespace varve
