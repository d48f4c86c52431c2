// The lives of a planted router's experts: one dead throughout, one that dies, two that merge.
#include <algorithm>
#include <cmath>

#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, DeathsAndMergersAreFoundWhereTheyWerePlanted) {
  const Dataset series = run("expert-life", {{"alive_above", "0.1"}}).result;
  expect_passed(series);
  for (int64_t s = 0; s < 3; ++s) EXPECT_EQ(value(series, "alive", {s, 2, 5}), 0) << "dead throughout";
  EXPECT_TRUE(std::isnan(value(series, "died", {2, 5}))) << "what never lived does not die";
  EXPECT_EQ(value(series, "alive", {0, 2, 4}), 1);
  EXPECT_EQ(value(series, "died", {2, 4}), 20);
  EXPECT_EQ(value(series, "living", {0, 2}), 5);
  EXPECT_EQ(value(series, "living", {1, 2}), 4);
  EXPECT_EQ(value(series, "merged_with", {1, 0}), 1);
  EXPECT_EQ(value(series, "merged_with", {1, 1}), 0);
  EXPECT_EQ(value(series, "merged", {1, 0}), 30);
  EXPECT_EQ(value(series, "merged_with", {2, 0}), -1) << "in layer 2 they were doubles from the beginning";
  std::vector<std::string> labels;
  for (const Event& event : series.events) labels.push_back(std::to_string(event.step) + " " + event.label);
  EXPECT_NE(std::find(labels.begin(), labels.end(), "20 L2 E4 died"), labels.end());
  EXPECT_NE(std::find(labels.begin(), labels.end(), "30 L1 E0 and E1 merge"), labels.end());
}

TEST_F(PlantedSeries, ALaterFirstUseIsABirth) {
  // Read backwards the dying expert is born: the same cells as an import of other steps would give.
  const Dataset series = run("expert-life", {{"alive_above", "0"}}).result;
  EXPECT_EQ(value(series, "living", {0, 0}), 6) << "with a bound of zero all count as alive";
  for (int64_t e = 0; e < 6; ++e) EXPECT_TRUE(std::isnan(value(series, "born", {0, e})));
}

}  // namespace
}  // namespace varve
