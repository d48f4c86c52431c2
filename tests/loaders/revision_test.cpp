// The names that published runs give their checkpoints.
#include <gtest/gtest.h>

#include "loaders/series.h"

namespace varve {
namespace {

constexpr int64_t billion = 1'000'000'000;

struct Named {
  const char* name;
  int64_t step, tokens;
  const char* branch;
};

TEST(RevisionName, EveryPublishedPatternIsRead) {
  const Named table[] = {
      {"step0", 0, -1, "main"},
      {"step143000", 143000, -1, "main"},
      {"step5000-tokens20B", 5000, 20 * billion, "main"},
      {"step10000-tokens41B", 10000, 41 * billion, "main"},
      {"step1220000-tokens5117B", 1220000, 5117 * billion, "main"},
      {"stage1-step150-tokens1B", 150, billion, "stage1"},
      {"stage1-step928646-tokens3896B", 928646, 3896 * billion, "stage1"},
      {"stage2-ingredient1-step11931-tokens50B", 11931, 50 * billion, "stage2-ingredient1"},
      {"stage2-ingredient3-step23852-tokens51B", 23852, 51 * billion, "stage2-ingredient3"},
      {"step1000-unsharded", 1000, -1, "main"},
      {"stage1-step-40000", 40000, -1, "stage1"},
      {"step_20", 20, -1, "main"},
      {"step_20k", 20000, -1, "main"},
      {"checkpoint-500", 500, -1, "main"},
      {"checkpoint-400000", 400000, -1, "main"},
      {"global_step10", 10, -1, "main"},
      {"epoch=1-step=30", 30, -1, "main"},
      {"epoch=1-step=30.ckpt", 30, -1, "main"},
      {"ckpt_003", 3, -1, "main"},
      {"ckpt_359", 359, -1, "main"},
      {"ckpt_500.pt", 500, -1, "main"},
      {"iter_0001000", 1000, -1, "main"},
      {"SoLU_2L_000524288.pth", -1, 524288, "main"},
  };
  for (const Named& row : table) {
    const std::optional<RevisionName> found = parse_revision(row.name);
    ASSERT_TRUE(found) << row.name;
    EXPECT_EQ(found->step, row.step) << row.name;
    EXPECT_EQ(found->tokens, row.tokens) << row.name;
    EXPECT_EQ(found->branch, row.branch) << row.name;
    EXPECT_EQ(found->note, "") << row.name;
  }
}

TEST(RevisionName, OtherNamesAreNoCheckpoints) {
  for (const char* name :
       {"", "main", "final.pth", "step", "stepwise", "step1000x", "xstep1000", "checkpoint-", "refs",
        "tokenizer.json", "ckpt.pt", "step-1-tokensB", "epoch=1", "..", "step99999999999999999999"})
    EXPECT_FALSE(parse_revision(name)) << name;
}

TEST(RevisionName, ALongNameIsNoCheckpoint) {
  EXPECT_FALSE(parse_revision("step" + std::string(1 << 20, '1')));
}

// OLMoE's last label breaks the rule of its own series: 1223842 steps are 5133B tokens.
TEST(RevisionName, StepAndTokensThatDoNotGoTogetherAreKeptWithANote) {
  const std::optional<RevisionName> found = parse_revision("step1223842-tokens5100B");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 1223842);
  EXPECT_EQ(found->tokens, 5100 * billion);
  EXPECT_NE(found->note.find("5100B"), std::string::npos);
}

}  // namespace
}  // namespace varve
