// Our own task pool: threads that stay, and pick up the pieces of one call as they come free.
#include "analysis/core/pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "analysis/core/error.h"

namespace varve {
namespace {

using Body = std::function<void(int64_t, int)>;

constexpr int most_threads = 256;

// The worker this thread is while it runs a body; -1 outside.
thread_local int current_worker = -1;

// Marks this thread as that worker for as long as it lives.
class AsWorker {
 public:
  explicit AsWorker(int worker) : before_(current_worker) { current_worker = worker; }
  ~AsWorker() { current_worker = before_; }
  AsWorker(const AsWorker&) = delete;
  AsWorker& operator=(const AsWorker&) = delete;

 private:
  int before_;
};

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = 0;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  if (count < 1) count = static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(count, 1, most_threads);
}

// One call of parallel_for, shared by all who work on it.
struct Round {
  const Body& body;
  int64_t count;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr error;
  int64_t error_piece = std::numeric_limits<int64_t>::max();

  Round(const Body& work, int64_t pieces) : body(work), count(pieces) {}

  void work_as(int worker) {
    const AsWorker mark(worker);
    while (!failed.load(std::memory_order_relaxed)) {
      const int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= count) break;
      try {
        body(piece, worker);
      } catch (...) {
        // Pieces are picked up in order, so the lowest that fails always runs; keeping that one makes the
        // error the same whatever the timing.
        const std::lock_guard lock(mutex);
        if (piece < error_piece) {
          error_piece = piece;
          error = std::current_exception();
        }
        failed.store(true, std::memory_order_relaxed);
      }
    }
  }
};

class Pool {
 public:
  ~Pool() { dismiss(); }

  int size() const { return size_.load(); }

  void resize(int count) {
    const std::lock_guard idle(caller_);
    dismiss();
    size_.store(count);
  }

  // False, with nothing done, where another thread has the pool.
  bool run(int64_t count, const Body& body) {
    const std::unique_lock caller(caller_, std::try_to_lock);
    if (!caller.owns_lock()) return false;
    hire();
    Round round(body, count);
    {
      const std::lock_guard lock(mutex_);
      round_ = &round;
      ++generation_;
      busy_ = static_cast<int>(workers_.size());
    }
    wake_.notify_all();
    round.work_as(0);
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return busy_ == 0; });
      round_ = nullptr;
    }
    if (round.error) std::rethrow_exception(round.error);
    return true;
  }

 private:
  // The caller is worker 0; threads are started at the first call that wants them.
  void hire() {
    for (int worker = static_cast<int>(workers_.size()) + 1; worker < size(); ++worker)
      workers_.emplace_back([this, worker, seen = generation_] { serve(worker, seen); });
  }

  void dismiss() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    closing_ = false;
  }

  void serve(int worker, uint64_t seen) {
    while (true) {
      Round* round = nullptr;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return closing_ || generation_ != seen; });
        if (closing_) return;
        seen = generation_;
        round = round_;
      }
      round->work_as(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex caller_;  // held by the one who has the pool
  std::atomic<int> size_{usable_processors()};
  std::vector<std::thread> workers_;
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_, done_;
  Round* round_ = nullptr;
  uint64_t generation_ = 0;
  int busy_ = 0;
  bool closing_ = false;
};

Pool& pool() {
  static Pool only;
  return only;
}

}  // namespace

void set_threads(int count) {
  if (count < 1 || count > most_threads)
    fail_usage("{} threads were asked for; give 1 to {}", count, most_threads);
  if (current_worker >= 0) fail("the number of threads cannot be changed by a piece of running work");
  pool().resize(count);
}

int threads() { return pool().size(); }

void parallel_for(int64_t count, const std::function<void(int64_t piece, int worker)>& body) {
  const bool nested = current_worker >= 0;
  if (!nested && count > 1 && threads() > 1 && pool().run(count, body)) return;
  // A nested call keeps its worker's number, so that scratch space kept per worker stays its own.
  const int worker = std::max(current_worker, 0);
  const AsWorker mark(worker);
  for (int64_t piece = 0; piece < count; ++piece) body(piece, worker);
}

}  // namespace varve
