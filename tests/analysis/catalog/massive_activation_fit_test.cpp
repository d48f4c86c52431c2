// Fits through the runner: curves from a file stand in for the cells, and every layer has numbers or a
// reason.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "analysis/run.h"
#include "loaders/curves.h"
#include "loaders/import.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class MassiveActivationFit : public testing::Test {
 protected:
  MassiveActivationFit() {
    write_model(temp_.path() / "model", small_neox());
    import_series({.source = temp_.path() / "model", .store = temp_.path() / "s.varve"}, task_);
    store_ = RunStore::open(temp_.path() / "s.varve");
  }
  // 40 checkpoints; layer 0 peaks, layer 1 rises, layer 2 is flat.
  static Dataset curves() {
    Dataset data;
    std::vector<int64_t> steps;
    std::vector<double> spike;
    for (int64_t i = 0; i < 40; ++i) {
      const auto t = static_cast<double>(i * 500);
      steps.push_back(i * 500);
      const auto grown = [t](double lambda, double gamma) {
        const double x = 1 + gamma * t;
        return 30 + 200 * std::exp(-lambda * x) * std::log(x);
      };
      spike.insert(spike.end(), {grown(0.5, 1e-3), grown(0.01, 1e-4), 3});
    }
    data.set("spike", Array({"step", "layer"}, {40, 3}, std::move(spike)));
    data.set_coord("step", Array({"step"}, {40}, std::move(steps)));
    return data;
  }
  RunReport run(const SettingValues& settings = {}) {
    RunRequest request;
    request.analysis = "massive-activation-fit";
    request.settings = settings;
    request.inputs["curves"] = curves();
    return run_analysis(store_, request, task_);
  }
  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
};

TEST_F(MassiveActivationFit, CurvesThatAreGivenStandInForTheCells) {
  const RunReport report = run();
  EXPECT_EQ(report.computed, 0);
  const Dataset& fit = report.result;
  EXPECT_EQ(fit["spike_class"].text(0), "early peak");
  EXPECT_EQ(fit["spike_class"].text(1), "log increase");
  EXPECT_EQ(fit["spike_class"].text(2), "no fit");
  EXPECT_NE(fit["spike_note"].text(2).find("flat"), std::string::npos);
  EXPECT_GT(fit["spike_r2"].number(0), 0.999999);
  EXPECT_NEAR(fit["spike_gamma"].number(0), 1e-3, 1e-8);
}

TEST_F(MassiveActivationFit, IsKeptAndFoundAgain) {
  EXPECT_FALSE(run().reduce_cached);
  EXPECT_TRUE(run().reduce_cached);
  EXPECT_FALSE(run({{"resamples", "50"}}).reduce_cached);
}

TEST_F(MassiveActivationFit, IntervalsHoldTheirEstimates) {
  const Dataset fit = run().result;
  for (const char* name : {"spike_A", "spike_K", "spike_peak"})
    for (int64_t layer = 0; layer < 2; ++layer) {
      const double slack =
          1e-5 * std::abs(fit[name].number(layer));  // exact curves have points for intervals
      EXPECT_LE(fit[std::string(name) + "_low"].number(layer), fit[name].number(layer) + slack) << name;
      EXPECT_GE(fit[std::string(name) + "_high"].number(layer), fit[name].number(layer) - slack) << name;
    }
}

// Real training runs, small and noisy: what matters is that every layer has numbers or a reason.
TEST_F(MassiveActivationFit, RealRunsAreFittedOrSayWhyNot) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "real/sinktriad";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real logs of spikes and sinks here";
  int64_t fitted = 0, layers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!is_curve_source(entry.path())) continue;
    RunRequest request;
    request.analysis = "massive-activation-fit";
    request.settings = {{"arrays", "spike_ratio"}, {"resamples", "20"}};
    request.inputs["curves"] = read_curves(entry.path());
    const Dataset fit = run_analysis(store_, request, task_).result;
    for (int64_t layer = 0; layer < fit.extent("layer"); ++layer) {
      ++layers;
      const bool is_none = fit["spike_ratio_class"].text(layer) == "no fit";
      EXPECT_EQ(is_none, std::isnan(fit["spike_ratio_A"].number(layer)));
      EXPECT_EQ(is_none, std::isnan(fit["spike_ratio_r2"].number(layer * 4)));
      EXPECT_TRUE(!is_none || !fit["spike_ratio_note"].text(layer).empty());
      EXPECT_TRUE(is_none || fit["spike_ratio_r2"].number(layer * 4) > 0) << entry.path();
      fitted += is_none ? 0 : 1;
    }
  }
  EXPECT_EQ(layers, 24);
  EXPECT_GE(fitted, 20);
}

// Two sequences by hand: the ratio of means, at every step.
TEST_F(MassiveActivationFit, PublishedStatisticsBecomeRatiosFirst) {
  RunRequest request;
  request.analysis = "massive-activation-fit";
  Dataset statistics;
  std::vector<double> top, median;
  std::vector<int64_t> steps;
  for (int64_t step = 0; step < 12; ++step) {
    const double grown = 10 + 4 * std::log1p(static_cast<double>(step));
    top.insert(top.end(), {grown, 1, 1, 3 * grown, 1, 1});
    median.insert(median.end(), {1, 2});
    steps.push_back(step * 100);
  }
  statistics.set("top", Array({"step", "layer", "prompt", "rank"}, {12, 1, 2, 3}, std::move(top)));
  statistics.set("median", Array({"step", "layer", "prompt"}, {12, 1, 2}, std::move(median)));
  statistics.set_coord("step", Array({"step"}, {12}, std::move(steps)));
  request.inputs["curves"] = std::move(statistics);
  const Dataset fit = run_analysis(store_, request, task_).result;
  EXPECT_NEAR(fit["ratio"].number(0), 40 / 3.0, 1e-12);
  EXPECT_EQ(fit["ratio_class"].text(0), "log increase");
  EXPECT_EQ(fit["median_class"].text(0), "no fit");
}

}  // namespace
}  // namespace varve
