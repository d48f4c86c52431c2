// The session driven as the window drives it, on the committed demo series.
#include "app/session/session.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "app/session/cell_facts.h"
#include "app/session/command_line.h"
#include "tests/session/demo_session.h"

namespace varve {
namespace {

class OnTheDemo : public WithSession {
 protected:
  void SetUp() override {
    demo_ = std::filesystem::path(VARVE_SOURCE) / "datasets" / "tiny-neox";
    if (!std::filesystem::exists(demo_)) GTEST_SKIP() << demo_ << " is not here";
    cache_ = std::filesystem::temp_directory_path() /
             ("varve-session-" + std::to_string(getpid()) +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    make_session(cache_);
  }
  void TearDown() override {
    WithSession::TearDown();
    std::filesystem::remove_all(cache_);
  }
  void open_demo() {
    session_->open(demo_);
    ASSERT_TRUE(until([this] { return session_->opened() && !session_->opening(); }))
        << session_->open_error();
  }
  void run_text(const std::string& text) {
    session_->type(text);
    ASSERT_EQ(session_->why_not_run(), "");
    session_->run("logit-lens");
    ASSERT_TRUE(
        until([this] { return session_->current_run()->complete || !session_->current_run()->running(); }));
    ASSERT_TRUE(until([this] { return session_->current_run()->complete; }))
        << session_->current_run()->job->error();
  }

  std::filesystem::path demo_, cache_;
};

TEST_F(OnTheDemo, ASourceOpensThroughALinkedStoreInTheCache) {
  open_demo();
  const Opened& opened = *session_->opened();
  EXPECT_EQ(opened.stops.size(), 16U);
  EXPECT_EQ(opened.stops.front().step, 0);
  EXPECT_EQ(opened.stops.back().step, 7000);
  EXPECT_EQ(opened.store->folder().parent_path(), cache_);
  EXPECT_TRUE(opened.tokenizer);
  EXPECT_FALSE(opened.loss.empty());
  EXPECT_EQ(session_->stop()->step, 7000) << "a series opens at its last step";
}

TEST_F(OnTheDemo, OpeningWhatIsNotThereSaysSoAndOpensNothing) {
  session_->open(cache_ / "nowhere");
  ASSERT_TRUE(until([this] { return !session_->opening(); }));
  EXPECT_FALSE(session_->opened());
  EXPECT_NE(session_->open_error().find("nowhere"), std::string::npos);
}

TEST_F(OnTheDemo, StepsMoveAlongTheStopsAndEndAtTheEnds) {
  open_demo();
  session_->move(-1);
  EXPECT_EQ(session_->stop()->step, 5000);
  session_->move(-1'000'000);
  EXPECT_EQ(session_->stop()->step, 0);
  session_->move(-1);
  EXPECT_EQ(session_->stop()->step, 0);
  session_->go_to_step(600);
  EXPECT_EQ(session_->stop()->step, 512) << "the nearest stop";
}

TEST_F(OnTheDemo, PlayRunsToTheLastStepAndIsOneAct) {
  open_demo();
  session_->play(true);
  EXPECT_EQ(session_->stop()->step, 0) << "from the last step play begins anew";
  for (int i = 0; i < 40 && session_->playing(); ++i) session_->play_on();
  EXPECT_FALSE(session_->playing());
  EXPECT_EQ(session_->stop()->step, 7000);
}

TEST_F(OnTheDemo, APromptBecomesVisibleTokensWithNothingAdded) {
  open_demo();
  session_->type("the cat");
  const Prompt& prompt = session_->typed();
  ASSERT_FALSE(prompt.ids.empty());
  EXPECT_EQ(prompt.ids.size(), prompt.pieces.size());
  EXPECT_EQ(session_->opened()->tokenizer->decode(prompt.ids), "the cat");
  session_->type("ids: 0 17 42");
  EXPECT_EQ(session_->typed().ids, (std::vector<int64_t>{0, 17, 42}));
  session_->type("ids: 0 99999");
  EXPECT_NE(session_->typed().problem.find("99999"), std::string::npos);
  EXPECT_NE(session_->why_not_run(), "");
}

TEST_F(OnTheDemo, ARunGivesEveryStepACellAndTheSecondTimeComputesNothing) {
  open_demo();
  run_text("the cat sat");
  EXPECT_EQ(session_->current_run()->cells.size(), 16U);
  EXPECT_EQ(session_->current_run()->computed, 16);
  EXPECT_EQ(session_->shown().step, 7000);
  session_->run("logit-lens");
  ASSERT_TRUE(until([this] { return session_->current_run()->complete; }));
  EXPECT_EQ(session_->current_run()->computed, 0);
  EXPECT_EQ(session_->current_run()->cached, 16);
}

TEST_F(OnTheDemo, TheInspectorFollowsTheSelectionAndTheStep) {
  open_demo();
  run_text("the cat sat");
  EXPECT_FALSE(cell_facts(*session_));
  session_->select({{"layer", 4}, {"pos", 0}});
  const auto last = cell_facts(*session_);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->pos, 0);
  EXPECT_EQ(last->layers, session_->opened()->spec.layers);
  ASSERT_FALSE(last->top.empty());
  session_->move(-1'000'000);
  const auto first = cell_facts(*session_);
  ASSERT_TRUE(first);
  EXPECT_NE(first->top.front().probability, last->top.front().probability);
  const auto over = over_training(*session_);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->steps.size(), 16U);
  EXPECT_EQ(over->lines.size(), 5U);
}

TEST_F(OnTheDemo, UndoBringsBackTheEarlierPromptWithItsCells) {
  open_demo();
  run_text("the cat sat");
  const std::string key = session_->shown().key;
  run_text("the dog ran");
  ASSERT_NE(session_->shown().key, key);
  ASSERT_TRUE(session_->undo());
  EXPECT_EQ(session_->typed().text, "the cat sat");
  EXPECT_EQ(session_->shown().key, key);
}

TEST_F(OnTheDemo, TheCommandLineNamesStoreStepAndPrompt) {
  open_demo();
  ViewContents contents;
  const auto line_now = [&] {
    const OpenView& view = *session_->active_view();
    return command_line_of(*session_, view, contents.of(*session_, view));
  };
  EXPECT_EQ(line_now(), "");
  run_text("it's");
  const std::string line = line_now();
  EXPECT_NE(line.find("varve run logit-lens "), std::string::npos);
  EXPECT_NE(line.find("--steps 7000"), std::string::npos);
  EXPECT_NE(line.find("--text 'it'\\''s'"), std::string::npos);
  EXPECT_NE(line.find("varve plot"), std::string::npos);
}

TEST_F(OnTheDemo, ADamagedStoreIsAnErrorThatNamesIt) {
  const std::filesystem::path store = cache_ / "damaged.varve";
  std::filesystem::create_directories(store);
  std::ofstream(store / "series.h5") << "not an HDF5 file";
  session_->open(store);
  ASSERT_TRUE(until([this] { return !session_->opening(); }));
  EXPECT_FALSE(session_->opened());
  EXPECT_NE(session_->open_error(), "");
}

TEST_F(OnTheDemo, ClosingLeavesNothingSelectedAndNothingToUndo) {
  open_demo();
  session_->select({{"pos", 1}});
  session_->close();
  EXPECT_FALSE(session_->opened());
  EXPECT_FALSE(session_->undo());
  EXPECT_EQ(selection_words(*session_), "nothing is open");
}

}  // namespace
}  // namespace varve
