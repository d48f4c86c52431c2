// Estimates on models small enough to count by hand, and the laws of plans.
#include "analysis/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/core/error.h"
#include "analysis/core/resident.h"
#include "analysis/run_plan.h"
#include "loaders/import.h"
#include "tests/support/random_model.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

using testing::HasSubstr;

class Estimates : public testing::Test {
 protected:
  Estimates() {
    write_random_model(temp_.path() / "model", {2, 8, 2, 16, 10, 1});
    Task task;
    import_series({.source = temp_.path() / "model", .store = temp_.path() / "s.varve"}, task);
    store_ = RunStore::open(temp_.path() / "s.varve");
    checkpoint_ = &store_->series().checkpoints.front();
  }
  MemoryNeed need(const Probes& probes) const {
    MemoryNeed need;
    need.checkpoint = checkpoint_;
    need.probes = &probes;
    return need;
  }
  TempFolder temp_;
  std::shared_ptr<RunStore> store_;
  const CheckpointRecord* checkpoint_ = nullptr;
};

TEST_F(Estimates, ArithmeticOfOneTokenIsTwiceItsMatrices) {
  const Probes one{{{3}}, "test"};
  // A block: 4 matrices of 8 x 8 and 2 of 8 x 16; attention of one query to itself: 2 products of 8, twice.
  const double block = 2 * (4 * 64 + 2 * 128) + 2 * 1 * 2 * 8;
  EXPECT_EQ(forward_flops(*checkpoint_, one, 0), block);
  EXPECT_EQ(forward_flops(*checkpoint_, one, 1), 2 * block);
  EXPECT_EQ(forward_flops(*checkpoint_, one, 2), 2 * block + 2 * 80);
}

TEST_F(Estimates, BytesAreThoseOfTheTensorsReached) {
  const Probes two{{{3, 4}}, "test"};
  const int64_t norms = 2 * 16, biases = 24 + 8 + 16 + 8, block = 4 * (4 * 64 + 2 * 128 + norms + biases);
  EXPECT_EQ(forward_bytes(*checkpoint_, two, 0), 2 * 8 * 4 + block);
  EXPECT_EQ(forward_bytes(*checkpoint_, two, 2), 2 * 8 * 4 + 2 * block + 80 * 4);
}

TEST_F(Estimates, WithoutABudgetAllPromptsPassAtOnce) {
  const Probes many{{{1, 2}, {3}, {4, 5, 6}}, "test"};
  const MemoryPlan plan = plan_memory(need(many), 0);
  ASSERT_EQ(plan.blocks.size(), 1U);
  EXPECT_EQ(plan.blocks[0].count, 3);
  EXPECT_FALSE(plan.frugal);
}

TEST_F(Estimates, BlocksHoldEveryPromptOnceAndInOrder) {
  Probes many;
  for (int64_t p = 0; p < 50; ++p) many.prompts.emplace_back(static_cast<size_t>(1 + p % 7), p % 10);
  MemoryNeed asked = need(many);
  asked.cost.kept_per_token = 1 << 20;  // 199 tokens want 199 MB
  const int64_t budget = plan_memory(asked, 0).peak - (int64_t{150} << 20);
  const MemoryPlan plan = plan_memory(asked, budget);
  EXPECT_GT(plan.blocks.size(), 3U);
  EXPECT_LE(plan.peak, budget);
  int64_t next = 0;
  for (const PromptBlock& block : plan.blocks) {
    EXPECT_EQ(block.first, next);
    next += block.count;
  }
  EXPECT_EQ(next, 50);
}

TEST_F(Estimates, RefusalsSayWhichSettingToChange) {
  const auto refusal = [&](MemoryNeed asked, int64_t budget) -> std::string {
    try {
      plan_memory(asked, budget);
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::budget);
      return error.what();
    }
    return "no refusal";
  };
  const Probes one{{{1, 2, 3, 4}}, "test"};
  MemoryNeed kept = need(one);
  kept.cost.kept_per_token = int64_t{1} << 30;
  EXPECT_THAT(refusal(kept, resident_bytes() + (int64_t{2} << 30)), HasSubstr("shorter prompts"));
  MemoryNeed ending = need(one);
  ending.steps = 1000;
  ending.cost.reduced_per_place = 1 << 20;
  EXPECT_THAT(refusal(ending, resident_bytes() + (int64_t{2} << 30)), HasSubstr("--steps"));
  EXPECT_THAT(refusal(need(one), 1), HasSubstr("--threads"));
}

TEST_F(Estimates, ARunIsEstimatedByWhatTheStoreLacks) {
  RunRequest request;
  request.analysis = "logit-lens";
  request.probes = Probes{{{0, 1, 2, 3}}, "test"};
  const Estimate before = estimate_run(*store_, request);
  EXPECT_EQ(before.cells_to_compute, 1);
  EXPECT_GT(before.flops, forward_flops(*checkpoint_, request.probes, 1));
  EXPECT_GT(before.seconds, 0);
  EXPECT_GT(before.speed.flops, 0);
  EXPECT_GT(before.speed.read_bytes, 0);
  Task task;
  run_analysis(store_, request, task);
  const Estimate after = estimate_run(*store_, request);
  EXPECT_EQ(after.cells_to_compute, 0);
  EXPECT_EQ(after.cells_cached, 1);
}

}  // namespace
}  // namespace varve
