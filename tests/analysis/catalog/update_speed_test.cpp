// Update speed of the planted series against norms taken from its weights by plain code.
#include <cmath>

#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

double plain_norm(const std::shared_ptr<const RunStore>& store, int64_t step, const std::string& name) {
  for (const CheckpointRecord& checkpoint : store->series().checkpoints) {
    if (checkpoint.step != step) continue;
    const Weights weights = weights_of(store, checkpoint);
    const Matrix matrix = weights.matrix(name);
    std::vector<double> all(static_cast<size_t>(matrix.rows * matrix.columns));
    widen_rows(matrix, 0, matrix.rows, all.data());
    double squares = 0;
    for (const double v : all) squares += v * v;
    return std::sqrt(squares);
  }
  return std::nan("");
}

TEST_F(PlantedSeries, UpdateSpeedIsTheMeanChangeOfNormsOverTheirMean) {
  const RunReport report = run("update-speed", {{"bootstrap", "100"}});
  expect_passed(report.result);
  EXPECT_EQ(report.computed, 3);
  const Dataset& result = report.result;
  EXPECT_EQ(result.coord("step")->number(2), 30) << "changes stand at the checkpoint they lead to";
  EXPECT_FALSE(result.checks.empty());
  ASSERT_EQ(result.coord("kind")->text(0), "router");
  ASSERT_EQ(result["matrices"].number(0), 3) << "one router a layer";
  double changes[2] = {0, 0};
  for (int64_t layer = 0; layer < 3; ++layer) {
    const std::string name = "blocks." + std::to_string(layer) + ".mlp.W_router";
    std::vector<double> norms;
    for (const int64_t step : planted_steps) norms.push_back(plain_norm(store_, step, name));
    const double mean = (norms[0] + norms[1] + norms[2]) / 3;
    for (size_t i = 0; i < 2; ++i) changes[i] += std::abs(norms[i + 1] - norms[i]) / mean / 3;
  }
  EXPECT_TRUE(std::isnan(value(result, "change", {0, 0}))) << "the first checkpoint follows none";
  EXPECT_GT(changes[1], 0) << "the planted router moves";
  EXPECT_NEAR(value(result, "change", {1, 0}), changes[0], 1e-12);
  EXPECT_NEAR(value(result, "change", {2, 0}), changes[1], 1e-12);
  EXPECT_LE(value(result, "change_low", {2, 0}), changes[1]);
  EXPECT_GE(value(result, "change_high", {2, 0}), changes[1]);
  EXPECT_NEAR(value(result, "convergence_speed", {0}), changes[0] - changes[1], 1e-12);
  EXPECT_NEAR(value(result, "stability", {0}), 2 / std::abs(changes[0] - changes[1]), 1e-9);
  for (int64_t kind = 1; kind < result.extent("kind"); ++kind) {
    EXPECT_EQ(value(result, "change", {2, kind}), 0) << "nothing else moves";
    EXPECT_TRUE(std::isnan(value(result, "stability", {kind}))) << "no deviation, no stability";
  }
  EXPECT_TRUE(run("update-speed", {{"bootstrap", "100"}}).reduce_cached);
}

TEST_F(PlantedSeries, UpdateSpeedNeedsTwoCheckpoints) {
  RunRequest request;
  request.analysis = "update-speed";
  request.steps = {10};
  EXPECT_THROW(run_analysis(store_, request, task_), Error);
}

}  // namespace
}  // namespace varve
