// What the maps below the lens table show: the same numbers as the cells, joined along training.
#include "app/session/lens_by_step.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "app/session/cell_facts.h"

namespace varve {
namespace {

class OverTheDemo : public testing::Test {
 protected:
  void SetUp() override {
    const auto demo = std::filesystem::path(VARVE_SOURCE) / "datasets" / "tiny-neox";
    if (!std::filesystem::exists(demo)) GTEST_SKIP() << demo << " is not here";
    cache_ = std::filesystem::temp_directory_path() /
             ("varve-by-step-" + std::to_string(getpid()) +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    session_ = std::make_unique<Session>([] {}, cache_);
    session_->open(demo);
    wait();
    ASSERT_TRUE(session_->opened()) << session_->open_error();
    session_->type("The king said");
    session_->run("logit-lens");
    wait();
    ASSERT_TRUE(session_->current_run() && session_->current_run()->complete);
  }
  void TearDown() override {
    session_.reset();
    std::filesystem::remove_all(cache_);
  }
  void wait() {
    for (const auto& job : session_->jobs().all())
      while (!job->finished()) usleep(2000);
    // A job hands over its last part before it ends.
    session_->settle();
    session_->settle();
  }
  std::filesystem::path cache_;
  std::unique_ptr<Session> session_;
  LensByStep by_step_;
};

TEST_F(OverTheDemo, TheSelectedPositionHasTheNumbersOfTheCells) {
  session_->select({{"layer", 2}, {"pos", 1}});
  const auto data = by_step_.of(*session_, "prob_true");
  ASSERT_TRUE(data);
  const auto& run = *session_->current_run();
  ASSERT_EQ(data->extent("step"), static_cast<int64_t>(run.cells.size()));
  const Array& joined = (*data)["prob_true"];
  EXPECT_EQ(joined.unit, "probability");
  EXPECT_NE(joined.title.find("position 1"), std::string::npos) << joined.title;
  int64_t step = 0;
  for (const auto& [number, cell] : run.cells) {
    EXPECT_EQ(data->coord("step")->number(step), static_cast<double>(number));
    const Array& one = (*cell.data)["prob_true"];
    for (int64_t layer = 0; layer < data->extent("layer"); ++layer) {
      const int64_t here[] = {layer, 0, 1}, there[] = {step, layer};
      EXPECT_EQ(joined.number(joined.flat(there)), one.number(one.flat(here)));
    }
    ++step;
  }
}

TEST_F(OverTheDemo, WithoutAPositionItIsTheMeanAndSaysOverHowMany) {
  const auto data = by_step_.of(*session_, "cross_entropy");
  ASSERT_TRUE(data);
  const auto tokens = static_cast<int64_t>(session_->typed().ids.size());
  const Array& joined = (*data)["cross_entropy"];
  EXPECT_NE(joined.title.find("mean over " + std::to_string(tokens - 1)), std::string::npos) << joined.title;
  const Dataset& last = *session_->current_run()->cells.rbegin()->second.data;
  const Array& one = last["cross_entropy"];
  const int64_t layer = last.extent("layer") - 1, step = data->extent("step") - 1;
  double sum = 0;
  for (int64_t pos = 0; pos + 1 < tokens; ++pos) {
    const int64_t here[] = {layer, 0, pos};
    sum += one.number(one.flat(here));
  }
  const int64_t there[] = {step, layer};
  EXPECT_NEAR(joined.number(joined.flat(there)), sum / static_cast<double>(tokens - 1), 1e-9);
}

TEST_F(OverTheDemo, TheLastPositionHasNoTrueTokenSoTheMeanIsShown) {
  const auto tokens = static_cast<int64_t>(session_->typed().ids.size());
  session_->select({{"layer", 2}, {"pos", tokens - 1}});
  EXPECT_NE((*by_step_.of(*session_, "prob_true"))["prob_true"].title.find("mean over"), std::string::npos);
  EXPECT_NE((*by_step_.of(*session_, "entropy"))["entropy"].title.find("position"), std::string::npos);
  const auto facts = cell_facts(*session_);
  ASSERT_TRUE(facts);
  for (const Fact& fact : facts->numbers) {
    if (fact.name == "first correct layer") {
      EXPECT_EQ(fact.value, "–") << "there is no token to be right about";
    }
  }
}

TEST_F(OverTheDemo, TheBestTokensProbabilityIsThere) {
  const auto data = by_step_.of(*session_, "prob_top");
  ASSERT_TRUE(data);
  const int64_t at[] = {0, 0};
  EXPECT_TRUE(std::isfinite((*data)["prob_top"].number((*data)["prob_top"].flat(at))));
}

TEST_F(OverTheDemo, AStepAndALayerAreChosenInOneAct) {
  session_->select({{"layer", 1}}, 512);
  EXPECT_EQ(session_->stop()->step, 512);
  EXPECT_EQ(session_->choice().selection.index("layer"), 1);
  EXPECT_TRUE(session_->undo());
  EXPECT_EQ(session_->stop()->step, 7000);
  EXPECT_FALSE(session_->choice().selection.index("layer"));
}

TEST_F(OverTheDemo, WhatIsNotInTheResultGivesNothing) {
  EXPECT_EQ(by_step_.of(*session_, "no_such_quantity"), nullptr);
}

}  // namespace
}  // namespace varve
