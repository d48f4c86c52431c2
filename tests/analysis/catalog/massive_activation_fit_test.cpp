// Fits through the runner: curves from a file stand in for the cells, and every layer has numbers or a
// reason.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/run.h"
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
  for (const char* name : {"spike_A", "spike_K", "spike_peak_step"})
    for (int64_t layer = 0; layer < 2; ++layer) {
      const double slack =
          1e-5 * std::abs(fit[name].number(layer));  // exact curves have points for intervals
      EXPECT_LE(fit[std::string(name) + "_low"].number(layer), fit[name].number(layer) + slack) << name;
      EXPECT_GE(fit[std::string(name) + "_high"].number(layer), fit[name].number(layer) - slack) << name;
    }
}

}  // namespace
}  // namespace varve
