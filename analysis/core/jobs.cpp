// The one worker thread, and how jobs come, are replaced, and end.
#include "analysis/core/jobs.h"

#include <algorithm>
#include <chrono>

#include "analysis/core/error.h"

namespace varve {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Job::Job(std::string tag, std::string title, std::function<void(Task&)> work)
    : tag_(std::move(tag)), title_(std::move(title)), work_(std::move(work)) {}

std::string Job::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

double Job::seconds() const {
  const std::lock_guard lock(mutex_);
  if (began_ == 0) return 0;
  return (ended_ == 0 ? now_seconds() : ended_) - began_;
}

// Runs on the worker thread, without any lock held while the work runs.
void Job::run() {
  {
    const std::lock_guard lock(mutex_);
    began_ = now_seconds();
  }
  State end = State::done;
  std::string message;
  try {
    Task task(progress_);
    if (task.stop_requested()) throw Stopped();
    work_(task);
  } catch (const Stopped&) {
    end = State::stopped;
  } catch (const std::exception& problem) {
    end = State::failed;
    message = problem.what();
  } catch (...) {
    end = State::failed;
    message = "the job ended with an error that carries no message";
  }
  work_ = nullptr;  // what the work held is freed here, not by whoever looks at the job last
  {
    const std::lock_guard lock(mutex_);
    ended_ = now_seconds();
    error_ = message;
  }
  state_.store(end);
}

Jobs::Jobs() : worker_([this] { loop(); }) {}

Jobs::~Jobs() {
  std::deque<std::shared_ptr<Job>> dropped;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    dropped.swap(waiting_);
    for (const auto& job : dropped) job->state_.store(Job::State::stopped);
    if (running_) running_->stop();
  }
  wake_.notify_all();
  worker_.join();
}

std::shared_ptr<Job> Jobs::submit(std::string tag, std::string title, std::function<void(Task&)> work) {
  auto job = std::make_shared<Job>(std::move(tag), std::move(title), std::move(work));
  std::vector<std::function<void(Task&)>> dropped;  // freed after the lock: what it held may call us
  {
    const std::lock_guard lock(mutex_);
    if (!job->tag().empty()) {
      std::erase_if(waiting_, [&](const std::shared_ptr<Job>& other) {
        if (other->tag() != job->tag()) return false;
        other->stop();
        other->state_.store(Job::State::stopped);
        dropped.push_back(std::move(other->work_));
        return true;
      });
      if (running_ && running_->tag() == job->tag()) running_->stop();
    }
    waiting_.push_back(job);
    all_.push_back(job);
  }
  wake_.notify_one();
  return job;
}

std::vector<std::shared_ptr<Job>> Jobs::all() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

void Jobs::forget_finished() {
  std::vector<std::shared_ptr<Job>> forgotten;
  const std::lock_guard lock(mutex_);
  std::erase_if(all_, [&](const std::shared_ptr<Job>& job) {
    if (!job->finished()) return false;
    forgotten.push_back(job);
    return true;
  });
}

void Jobs::wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return waiting_.empty() && !running_; });
}

void Jobs::loop() {
  // While the owner is being destroyed nobody is left to be told.
  const auto tell = [this] {
    {
      const std::lock_guard lock(mutex_);
      if (closing_) return;
    }
    if (changed) changed();
  };
  while (true) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_) return;
      job = waiting_.front();
      waiting_.pop_front();
      running_ = job;
      job->state_.store(Job::State::running);
    }
    tell();
    job->run();
    tell();
    {
      const std::lock_guard lock(mutex_);
      running_ = nullptr;
    }
    idle_.notify_all();
  }
}

}  // namespace varve
