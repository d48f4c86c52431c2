// A session that holds the demo series, and how a test waits for what it does beside.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "app/session/run_form.h"
#include "app/session/session.h"
#include "tests/support/temp_folder.h"

namespace varve {

inline constexpr std::chrono::seconds longest_wait{120};  // a busy machine; not reached otherwise

// A session whose errands and jobs wake the test, as they wake an event loop.
class WithSession : public testing::Test {
 protected:
  void make_session(const std::filesystem::path& cache) {
    session_ = std::make_unique<Session>(
        [this] {
          const std::lock_guard lock(mutex_);
          woken_ = true;
          wake_.notify_all();
        },
        cache);
  }
  void TearDown() override { session_.reset(); }

  // Sleeps until the session is woken, settles, looks again.
  template <class Holds>
  [[nodiscard]] bool until(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + longest_wait;
    while (!holds()) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait_until(lock, end, [this] { return woken_; })) return false;
      woken_ = false;
      lock.unlock();
      session_->settle();
    }
    return true;
  }
  // A job hands over what it found and then ends: looked at in between, nothing of it is there yet.
  [[nodiscard]] bool ended(const Job& job) {
    const bool has_ended = until([&] { return job.finished(); });
    session_->settle();
    return has_ended;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::unique_ptr<Session> session_;
};

class OnTheDemoSession : public WithSession {
 protected:
  void SetUp() override {
    const std::filesystem::path demo = std::filesystem::path(VARVE_SOURCE) / "datasets" / "tiny-neox";
    if (!std::filesystem::exists(demo)) GTEST_SKIP() << demo << " is not here";
    make_session(folder_.path());
    session_->open(demo);
    ASSERT_TRUE(until([this] { return session_->opened() && !session_->opening(); }));
  }

  RunPlace place() const {
    RunPlace place{.opened = session_->opened(),
                   .branch = session_->choice().branch,
                   .steps = {},
                   .now = session_->choice().step,
                   .pin = session_->choice().pin};
    for (const Stop& stop : session_->stops()) place.steps.push_back(stop.step);
    return place;
  }
  void start(const RunForm& form) {
    const FormReading reading = read_form(form, place());
    ASSERT_EQ(reading.off(), "");
    session_->start(reading.request, form.text, reading.inputs);
  }
  static RunForm lens_of(const std::string& text, const std::string& list = "") {
    RunForm form;
    form.analysis = "logit-lens";
    form.text = text;
    if (!list.empty()) {
      form.steps = RunForm::Steps::list;
      form.list = list;
    }
    return form;
  }
  const Job& newest() const { return *session_->jobs().all().back(); }

  TempFolder folder_;
};

}  // namespace varve
