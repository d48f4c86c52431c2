// Metrics against scores: the coefficients, the steps that count, and the words beside them.
#include <cmath>

#include "analysis/pathways/score_curves.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

Dataset table(const std::vector<int64_t>& steps, const std::map<std::string, std::vector<double>>& columns) {
  Dataset data;
  const auto count = static_cast<int64_t>(steps.size());
  for (const auto& [name, values] : columns) data.set(name, Array({"step"}, {count}, values));
  data.set_coord("step", Array({"step"}, {count}, steps));
  return data;
}

bool says(const Dataset& data, const std::string& words) {
  for (const std::string& note : data.notes)
    if (note.find(words) != std::string::npos) return true;
  return false;
}

TEST_F(PlantedSeries, CorrelationsTakeCommonStepsAndSayHowFewTheyAre) {
  Inputs inputs;
  inputs["metric"] =
      table({10, 20, 30, 40, 50}, {{"distance", {9, 7, 5, 3, 1}}, {"distance_n", {8, 8, 8, 8, 8}}});
  inputs["scores"] =
      table({20, 30, 40, 50, 60}, {{"acc", {.1, .2, .3, .4, .5}}, {"acc_stderr", {1, 2, 3, 4, 5}}});
  const Dataset result = run("metric-correlation", {}, inputs).result;
  EXPECT_EQ(result.extent("metric"), 1) << "a count is no metric";
  EXPECT_EQ(result.extent("score"), 1) << "a standard error is no score";
  EXPECT_NEAR(result["pearson"].number(0), -1, 1e-12);
  EXPECT_EQ(result["pearson_n"].number(0), 4);
  EXPECT_DOUBLE_EQ(result["pearson_p"].number(0), 2.0 / 24);
  EXPECT_EQ(result["p_exact"].number(0), 1);
  EXPECT_TRUE(says(result, "n = 4"));
  EXPECT_TRUE(says(result, "fewer than 8"));
  EXPECT_EQ(result["metric_value"].number(0), 7) << "step 20 is the first common one";
}

TEST_F(PlantedSeries, RivalsComePlainAndAsMovingAverages) {
  Inputs inputs;
  inputs["metric"] = table({2, 4}, {{"m", {1, 2}}});
  inputs["scores"] = table({2, 4}, {{"s", {1, 2}}});
  inputs["rivals"] = table({0, 1, 2, 3, 4}, {{"loss", {8, 6, 4, 2, NAN}}});
  const Dataset result = run("metric-correlation", {{"window", "2"}}, inputs).result;
  ASSERT_EQ(result.extent("metric"), 3);
  EXPECT_EQ(value(result, "metric_value", {1, 0}), 4);
  EXPECT_EQ(value(result, "metric_value", {1, 1}), 2) << "the last number before step 4";
  EXPECT_EQ(value(result, "metric_value", {2, 0}), 5) << "mean of 6 and 4";
  EXPECT_TRUE(std::isnan(result["pearson"].number(0))) << "two points are no correlation";
}

TEST_F(PlantedSeries, OnlyCheckpointsAfterTheScoreBeginsToRiseMayCount) {
  Inputs inputs;
  inputs["metric"] = table({1, 2, 3, 4, 5}, {{"m", {5, 9, 3, 4, 5}}});
  inputs["scores"] = table({1, 2, 3, 4, 5}, {{"s", {.3, .2, .1, .4, .5}}});
  EXPECT_EQ(run("metric-correlation", {{"from", "rise"}}, inputs).result["pearson_n"].number(0), 3);
  const Dataset rising = run("metric-correlation", {{"from", "rise"}}, inputs).result;
  EXPECT_TRUE(std::isnan(rising["score_value"].number(1))) << "what does not count is not shown beside r";
  EXPECT_EQ(rising["score_value"].number(2), .1);
  EXPECT_EQ(start_of_rise({1, 2, 3, 4, 5}, {.3, .2, .1, .4, .5}), 3);
  EXPECT_EQ(run("metric-correlation", {{"first_step", "4"}}, inputs).result["pearson_n"].number(0), 2);
}

TEST_F(PlantedSeries, AMissingInputIsNamedWithWhatItHolds) {
  try {
    run("metric-correlation", {}, {{"metric", table({1}, {{"m", {1}}})}});
    FAIL() << "scores were not needed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--with scores=FILE"), std::string::npos);
  }
}

}  // namespace
}  // namespace varve
