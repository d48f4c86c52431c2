// Jobs and tasks: order, replacement by tag, stopping, failing, progress.
#include "analysis/core/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "analysis/core/error.h"

namespace varve {
namespace {

using testing::ElementsAre;

// Runs until it is told to stop.
void until_stopped(Task& task) {
  while (true) {
    task.step(0, 1);
    std::this_thread::yield();
  }
}

TEST(Jobs, RunInTheOrderTheyCame) {
  Jobs jobs;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) jobs.submit("", "job", [&order, i](Task&) { order.push_back(i); });
  jobs.wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(jobs.all().size(), 5u);
}

TEST(Jobs, EndAsDoneWithTheirTime) {
  Jobs jobs;
  const auto job = jobs.submit("a", "A", [](Task& task) { task.step(1, 1); });
  jobs.wait();
  EXPECT_EQ(job->state(), Job::State::done);
  EXPECT_EQ(job->progress()->fraction(), 1);
  EXPECT_GE(job->seconds(), 0);
  EXPECT_EQ(job->error(), "");
}

TEST(Jobs, AnErrorIsKeptWithItsMessageAndTheNextJobRuns) {
  Jobs jobs;
  const auto bad = jobs.submit("", "bad", [](Task&) { fail("tensor '{}' is missing", "W_E"); });
  const auto odd = jobs.submit("", "odd", [](Task&) { throw 42; });
  const auto good = jobs.submit("", "good", [](Task&) {});
  jobs.wait();
  EXPECT_EQ(bad->state(), Job::State::failed);
  EXPECT_EQ(bad->error(), "tensor 'W_E' is missing");
  EXPECT_EQ(odd->state(), Job::State::failed);
  EXPECT_NE(odd->error(), "");
  EXPECT_EQ(good->state(), Job::State::done);
}

TEST(Jobs, ARunningJobStopsWhereItSteps) {
  Jobs jobs;
  std::latch begun(1);
  const auto job = jobs.submit("a", "A", [&begun](Task& task) {
    begun.count_down();
    until_stopped(task);
  });
  begun.wait();
  EXPECT_EQ(job->state(), Job::State::running);
  job->stop();
  jobs.wait();
  EXPECT_EQ(job->state(), Job::State::stopped);
  EXPECT_EQ(job->error(), "");
}

TEST(Jobs, ANewerJobOfTheSameTagStopsTheRunningOne) {
  Jobs jobs;
  std::latch begun(1);
  const auto old_job = jobs.submit("view", "old", [&begun](Task& task) {
    begun.count_down();
    until_stopped(task);
  });
  begun.wait();
  const auto new_job = jobs.submit("view", "new", [](Task&) {});
  jobs.wait();
  EXPECT_EQ(old_job->state(), Job::State::stopped);
  EXPECT_EQ(new_job->state(), Job::State::done);
}

TEST(Jobs, ANewerJobOfTheSameTagDropsTheWaitingOneAtOnce) {
  Jobs jobs;
  std::latch begun(1), go(1);
  bool dropped_ran = false;
  jobs.submit("", "first", [&](Task&) {
    begun.count_down();
    go.wait();
  });
  begun.wait();
  const auto waiting = jobs.submit("view", "old", [&dropped_ran](Task&) { dropped_ran = true; });
  const auto other = jobs.submit("other", "other", [](Task&) {});
  const auto newer = jobs.submit("view", "new", [](Task&) {});
  EXPECT_EQ(waiting->state(), Job::State::stopped);
  go.count_down();
  jobs.wait();
  EXPECT_FALSE(dropped_ran);
  EXPECT_EQ(other->state(), Job::State::done);
  EXPECT_EQ(newer->state(), Job::State::done);
}

TEST(Jobs, AnEmptyTagReplacesNothing) {
  Jobs jobs;
  const auto first = jobs.submit("", "one", [](Task&) {});
  const auto second = jobs.submit("", "two", [](Task&) {});
  jobs.wait();
  EXPECT_EQ(first->state(), Job::State::done);
  EXPECT_EQ(second->state(), Job::State::done);
}

TEST(Jobs, AJobStoppedWhileItWaitsNeverBegins) {
  Jobs jobs;
  std::latch go(1);
  bool ran = false;
  jobs.submit("", "first", [&go](Task&) { go.wait(); });
  const auto waiting = jobs.submit("", "second", [&ran](Task&) { ran = true; });
  waiting->stop();
  go.count_down();
  jobs.wait();
  EXPECT_FALSE(ran);
  EXPECT_EQ(waiting->state(), Job::State::stopped);
}

TEST(Jobs, TellOfEveryChange) {
  Jobs jobs;
  std::atomic<int> told = 0;
  jobs.changed = [&told] { ++told; };
  jobs.submit("", "one", [](Task&) {});
  jobs.submit("", "two", [](Task&) { fail("no"); });
  jobs.wait();
  EXPECT_EQ(told, 4);  // each begins and ends
}

TEST(Jobs, ForgetOnlyFinishedOnes) {
  Jobs jobs;
  std::latch begun(1), go(1);
  jobs.submit("", "short", [](Task&) {});
  const auto running = jobs.submit("", "long", [&](Task&) {
    begun.count_down();
    go.wait();
  });
  begun.wait();
  jobs.forget_finished();
  EXPECT_THAT(jobs.all(), ElementsAre(running));
  go.count_down();
  jobs.wait();
  jobs.forget_finished();
  EXPECT_TRUE(jobs.all().empty());
}

TEST(Jobs, TheirEndStopsTheRunningJobAndDropsTheWaitingOnes) {
  std::shared_ptr<Job> running, waiting;
  {
    Jobs jobs;
    std::latch begun(1);
    running = jobs.submit("", "long", [&begun](Task& task) {
      begun.count_down();
      until_stopped(task);
    });
    waiting = jobs.submit("", "never", [](Task&) {});
    begun.wait();
  }
  EXPECT_EQ(running->state(), Job::State::stopped);
  EXPECT_EQ(waiting->state(), Job::State::stopped);
}

TEST(Jobs, WhatAJobHoldsIsFreedWhenItEnds) {
  Jobs jobs;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  const auto job = jobs.submit("", "holds", [held = std::move(held)](Task&) {});
  jobs.wait();
  EXPECT_TRUE(watch.expired());
}

TEST(Task, ProgressIsClampedAndNeverFalls) {
  Task task;
  task.step(1, 2);
  EXPECT_EQ(task.progress()->fraction(), 0.5);
  task.step(-5, 2);
  EXPECT_EQ(task.progress()->fraction(), 0.5);
  task.step(7, 2);
  EXPECT_EQ(task.progress()->fraction(), 1);
}

TEST(Task, NothingToDoIsAllDone) {
  Task task;
  task.step(0, 0);
  EXPECT_EQ(task.progress()->fraction(), 1);
}

TEST(Task, PartsOfPartsFillTheirStretch) {
  Task whole;
  Task second_half = whole.part(0.5, 1);
  Task first_of_it = second_half.part(0, 0.5);
  first_of_it.step(1, 1);
  EXPECT_EQ(whole.progress()->fraction(), 0.75);
  second_half.step(1, 1);
  EXPECT_EQ(whole.progress()->fraction(), 1);
}

TEST(Task, StepThrowsOnceTheOwnerAskedToStop) {
  const auto progress = std::make_shared<Progress>();
  Task task(progress);
  task.step(0, 1);
  progress->request_stop();
  EXPECT_TRUE(task.stop_requested());
  EXPECT_THROW(task.part(0, 0.5).step(1, 2), Stopped);
}

TEST(Task, RepeatedNotesAreKeptOnce) {
  Task task;
  task.note("step 4000 skipped");
  task.note("step 5000 skipped");
  task.note("step 4000 skipped");
  task.doing("layer 2 of 4");
  EXPECT_THAT(task.progress()->notes(), ElementsAre("step 4000 skipped", "step 5000 skipped"));
  EXPECT_EQ(task.progress()->doing(), "layer 2 of 4");
}

TEST(Task, MayBeWatchedWhileItWorks) {
  Jobs jobs;
  const auto job = jobs.submit("", "watched", [](Task& task) {
    for (int i = 1; i <= 1000; ++i) {
      task.doing(std::to_string(i));
      task.step(i, 1000);
    }
  });
  double last = 0;
  while (!job->finished()) {
    const double now = job->progress()->fraction();
    EXPECT_GE(now, last);
    last = now;
    job->progress()->doing();
    job->seconds();
    job->error();
  }
  EXPECT_EQ(job->state(), Job::State::done);
}

}  // namespace
}  // namespace varve
