// Co-activation of a planted router's cliques.
#include <cmath>

#include "analysis/pathways/expert_use.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, CliquesAreReadBackExactly) {
  const Dataset series = run("expert-coactivation").result;
  expect_passed(series);
  // Layer 1, step 20: twelve tokens choose {0, 1}, twelve choose {2, 3}.
  EXPECT_EQ(value(series, "count_together", {1, 1, 0, 1}), 12);
  EXPECT_EQ(value(series, "count_together", {1, 1, 0, 0}), 12) << "the diagonal counts the one";
  EXPECT_EQ(value(series, "count_neighbours", {1, 1, 2, 3}), 12)
      << "with two chosen every pair is a neighbour";
  EXPECT_EQ(value(series, "count_together", {1, 1, 0, 2}), 0);
  EXPECT_EQ(value(series, "conditional", {1, 1, 0, 1}), 1);
  EXPECT_EQ(value(series, "lift", {1, 1, 0, 1}), 2) << "12 * 24 / (12 * 12)";
  EXPECT_EQ(value(series, "effective_partners", {1, 1, 0}), 1);
  EXPECT_TRUE(std::isnan(value(series, "effective_partners", {1, 1, 5}))) << "the dead expert has none";
  EXPECT_EQ(value(series, "community", {1, 1, 1}), 0);
  EXPECT_EQ(value(series, "community", {1, 1, 3}), 2);
  EXPECT_NEAR(value(series, "modularity", {1, 1}), 0.5, 1e-12);
  EXPECT_EQ(value(series, "stability_halves", {1, 1}), 1);
  // From layer 0, where all choose {0, 1}, to layer 1.
  EXPECT_EQ(value(series, "count_next_layer", {1, 0, 0, 2}), 12);
  EXPECT_EQ(value(series, "count_next_layer", {1, 0, 2, 0}), 0);
  // Layer 2, step 10: token 7 chooses {2, 4}; it stands in the samples three times.
  EXPECT_EQ(value(series, "count_together", {0, 2, 2, 4}), 3);
  EXPECT_EQ(value(series, "count_together", {0, 2, 2, 3}), 9);
  EXPECT_NEAR(value(series, "effective_partners", {0, 2, 2}),
              std::exp(-.25 * std::log(.25) - .75 * std::log(.75)), 1e-12);
}

TEST(Communities, TwoCliquesWithAThinBridgeArePartedThere) {
  // 0-1-2 and 3-4 with one edge between.
  std::vector<double> counts(25, 0);
  for (const auto& [a, b, n] :
       {std::tuple<size_t, size_t, double>{0, 1, 5}, {1, 2, 5}, {0, 2, 5}, {3, 4, 5}, {2, 3, 1}})
    counts[a * 5 + b] = counts[b * 5 + a] = n;
  const Communities found = communities_of(counts, 5);
  EXPECT_EQ(found.of, (std::vector<int64_t>{0, 0, 0, 3, 3}));
  EXPECT_EQ(found.count, 2);
  const std::vector<int64_t> order = linkage_order(counts, 5);
  const auto place = [&order](int64_t e) { return std::find(order.begin(), order.end(), e) - order.begin(); };
  EXPECT_EQ(std::abs(place(3) - place(4)), 1) << "partners stand side by side";
}

TEST(MutualInformation, IsZeroForIndependentCountsAndTheEntropyForACopy) {
  EXPECT_NEAR(mutual_information(std::vector<double>{2, 4, 3, 6}, 2, 2), 0, 1e-12);
  EXPECT_NEAR(mutual_information(std::vector<double>{5, 0, 0, 5}, 2, 2), std::log(2), 1e-12);
}

}  // namespace
}  // namespace varve
