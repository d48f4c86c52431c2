// The pool: every piece once, the same bits on any number of threads, errors, nesting.
#include "analysis/core/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "analysis/core/error.h"

namespace varve {
namespace {

// Sets the number of threads for one test, and puts it back.
class WithThreads {
 public:
  explicit WithThreads(int count) : before_(threads()) { set_threads(count); }
  ~WithThreads() { set_threads(before_); }
  WithThreads(const WithThreads&) = delete;
  WithThreads& operator=(const WithThreads&) = delete;

 private:
  int before_;
};

std::vector<double> work_on(int count) {
  const WithThreads now(count);
  std::vector<double> results(1000);
  parallel_for(1000, [&](int64_t piece, int) {
    double sum = 0;
    for (int i = 1; i <= 200; ++i) sum += std::sin(static_cast<double>(piece) / i);
    results[static_cast<size_t>(piece)] = sum;
  });
  return results;
}

TEST(Pool, GivesTheSameBitsOnAnyNumberOfThreads) {
  const std::vector<double> alone = work_on(1);
  for (int count : {2, 3, 8}) EXPECT_EQ(work_on(count), alone) << count << " threads";
}

TEST(Pool, RunsEachPieceOnceOnAWorkerThatExists) {
  const WithThreads now(4);
  std::vector<std::atomic<int>> runs(5000);
  std::atomic<bool> worker_exists = true;
  parallel_for(5000, [&](int64_t piece, int worker) {
    ++runs[static_cast<size_t>(piece)];
    if (worker < 0 || worker >= 4) worker_exists = false;
  });
  for (const auto& count : runs) ASSERT_EQ(count, 1);
  EXPECT_TRUE(worker_exists);
}

TEST(Pool, ReallyUsesItsThreads) {
  const WithThreads now(3);
  std::latch together(3);  // opens only if three pieces run at once
  std::vector<int> workers(3, -1);
  parallel_for(3, [&](int64_t piece, int worker) {
    together.arrive_and_wait();
    workers[static_cast<size_t>(piece)] = worker;
  });
  EXPECT_EQ(std::set<int>(workers.begin(), workers.end()), (std::set<int>{0, 1, 2}));
}

TEST(Pool, NoPiecesIsNoWork) {
  parallel_for(0, [](int64_t, int) { FAIL(); });
  parallel_for(-1, [](int64_t, int) { FAIL(); });
}

TEST(Pool, RethrowsTheErrorOfTheLowestPiece) {
  const WithThreads now(4);
  for (int round = 0; round < 50; ++round) {
    try {
      parallel_for(100, [](int64_t piece, int) {
        if (piece >= 7) fail("piece {}", piece);
      });
      FAIL() << "no error came through";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "piece 7");
    }
  }
}

TEST(Pool, WorksOnAfterAnError) {
  const WithThreads now(4);
  EXPECT_THROW(parallel_for(10, [](int64_t, int) { throw Stopped(); }), Stopped);
  std::atomic<int> runs = 0;
  parallel_for(10, [&](int64_t, int) { ++runs; });
  EXPECT_EQ(runs, 10);
}

TEST(Pool, ACallInsideABodyRunsSeriallyOnTheSameWorker) {
  const WithThreads now(4);
  std::atomic<int> strays = 0;
  std::atomic<int> runs = 0;
  for (int64_t outer_pieces : {1, 8}) {
    parallel_for(outer_pieces, [&](int64_t, int outer) {
      const std::thread::id here = std::this_thread::get_id();
      int64_t expected = 0;
      parallel_for(20, [&](int64_t piece, int inner) {
        ++runs;
        if (inner != outer || std::this_thread::get_id() != here || piece != expected++) ++strays;
      });
    });
  }
  EXPECT_EQ(strays, 0);
  EXPECT_EQ(runs, 9 * 20);
}

TEST(Pool, AnErrorInsideAnInnerCallComesThrough) {
  const WithThreads now(2);
  EXPECT_THROW(
      parallel_for(
          4, [](int64_t, int) { parallel_for(2, [](int64_t piece, int) { fail("inner {}", piece); }); }),
      Error);
}

TEST(Pool, TwoCallersAtOnceBothFinish) {
  const WithThreads now(3);
  std::atomic<int64_t> sum = 0;
  const auto work = [&sum] {
    for (int round = 0; round < 100; ++round) parallel_for(50, [&](int64_t piece, int) { sum += piece; });
  };
  std::jthread other(work);
  work();
  other.join();
  EXPECT_EQ(sum, 2 * 100 * (49 * 50 / 2));
}

TEST(Pool, ChangesItsSizeBetweenCalls) {
  const int before = threads();
  for (int count : {1, 5, 2, 5}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    std::atomic<int> runs = 0;
    parallel_for(30, [&](int64_t, int) { ++runs; });
    EXPECT_EQ(runs, 30);
  }
  set_threads(before);
}

TEST(Pool, RefusesImpossibleSizes) {
  EXPECT_THROW(set_threads(0), Error);
  EXPECT_THROW(set_threads(257), Error);
  EXPECT_THROW(set_threads(-3), Error);
}

TEST(Pool, RefusesToChangeItsSizeWhileItWorks) {
  const WithThreads now(2);
  EXPECT_THROW(parallel_for(2, [](int64_t, int) { set_threads(3); }), Error);
}

}  // namespace
}  // namespace varve
