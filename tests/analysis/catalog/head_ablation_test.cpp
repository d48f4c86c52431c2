// Head ablation on the demo model, whose induction heads are known.
#include <gtest/gtest.h>

#include "loaders/tasks.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_run.h"

namespace varve {
namespace {

class HeadAblation : public testing::Test {
 protected:
  Dataset cell(const SettingValues& settings) { return run_.cell("head-ablation", task_, settings); }
  GoldenRun run_{std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox/step7000"};
  Probes task_ = read_task("induction:pairs=12,period=10", "", 1024);
};

TEST_F(HeadAblation, TheInductionHeadsAreWorthMoreThanRandomOnes) {
  const Dataset found = cell({{"heads", "L2H3,L3H1,L3H2,L3H3"}});
  for (const Check& check : found.checks) EXPECT_TRUE(check.passed) << check.name;
  for (int64_t way : {0, 1}) {  // zero, mean
    EXPECT_LT(found["effect_high"].number(way), 0);
    EXPECT_LT(found["effect"].number(way), found["random_low"].number(way));
  }
  // Half of the heads' output costs less than all of it.
  EXPECT_GT(found["effect"].number(2), found["effect"].number(0));
}

TEST_F(HeadAblation, HeadsAndWaysThatAreNoneAreRefused) {
  expect_error([&] { cell({{"heads", "L9H0"}}); }, {"L9H0", "L3H3"});
  expect_error([&] { cell({{"heads", ""}}); }, {"L3H3"});
  expect_error([&] { cell({{"heads", "L0H0"}, {"ways", "half"}}); }, {"half", "x0.5"});
}

TEST_F(HeadAblation, WithoutRandomSetsThereIsNoFloor) {
  const Dataset one = cell({{"heads", "L2H3"}, {"ways", "mean"}, {"random", "0"}});
  EXPECT_EQ(one["effect"].size(), 1);
  EXPECT_FALSE(one.has("random_effect"));
}

}  // namespace
}  // namespace varve
