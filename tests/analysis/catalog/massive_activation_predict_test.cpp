// Parameters that follow from sizes are predicted; what cannot be learned or judged is said.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/massive/growth_predict.h"
#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/planted_growth.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class MassiveActivationPredict : public testing::Test {
 protected:
  MassiveActivationPredict() {
    write_model(temp_.path() / "model", small_neox());
    import_series({.source = temp_.path() / "model", .store = temp_.path() / "s.varve"}, task_);
    store_ = RunStore::open(temp_.path() / "s.varve");
    inputs_["fit.a"] = planted::fit_of(6, 128, 4);
    inputs_["fit.b"] = planted::fit_of(12, 768, 12);
    inputs_["fit.c"] = planted::fit_of(24, 1024, 16);
    inputs_["fit.d"] = planted::fit_of(16, 2048, 8);
  }
  RunReport run(const SettingValues& settings = {}) {
    RunRequest request;
    request.analysis = "massive-activation-predict";
    request.settings = settings;
    request.settings.emplace("permutations", "3");
    request.inputs = inputs_;
    return run_analysis(store_, request, task_);
  }
  // Four models without a config, once for all tests that only look.
  const Dataset& judged() {
    static const Dataset result = run().result;
    return result;
  }
  static double value(const Dataset& data, const char* name, int64_t kind, int64_t parameter) {
    return data[name].number(kind * 5 + parameter);
  }
  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
  Inputs inputs_;
};

constexpr int64_t ridge = 0, forest = 2, boosting = 3, A = 0, t0 = 3;

TEST_F(MassiveActivationPredict, WhatFollowsFromSizesIsPredictedOnModelsLeftOut) {
  const Dataset& result = judged();
  EXPECT_GT(value(result, "r2_random", ridge, A), 0.9);
  EXPECT_GT(value(result, "r2_random", forest, A), 0.7);
  EXPECT_GT(value(result, "r2_random", boosting, A), 0.9);
  EXPECT_GT(value(result, "r2_model_out", boosting, A), 0.8);
  EXPECT_GT(value(result, "r2_model_out", boosting, t0), 0.8);
  EXPECT_EQ(result["actual"].extent("row"), 58);
  EXPECT_EQ(result.coord("row")->text(6), "b L0");
}

TEST_F(MassiveActivationPredict, ImportanceFindsTheFeatureThatDecides) {
  const Dataset& result = judged();
  const Array& importance = result["importance"];
  double by_depth = 0, by_width = 0;  // of A, which follows l/L: its powers share the credit
  for (int64_t feature = 0; feature < 4; ++feature)
    by_depth += importance.number((boosting * 5 + A) * 10 + feature);
  for (int64_t feature = 4; feature < 9; ++feature)
    by_width += importance.number((boosting * 5 + A) * 10 + feature);
  EXPECT_GT(by_depth, 10 * std::abs(by_width));
}

TEST_F(MassiveActivationPredict, AConfigThatWasNeverTrainedIsPredictedWithIntervals) {
  const std::filesystem::path config = temp_.path() / "new" / "config.json";
  write_text(config, R"({"num_hidden_layers": 20, "hidden_size": 1024, "num_attention_heads": 16,
                         "intermediate_size": 4096})");
  const RunReport report = run({{"config", config.string()}});
  const Dataset& result = report.result;
  ASSERT_EQ(result["predicted"].shape(), (std::vector<int64_t>{20, 5}));
  for (int64_t layer = 2; layer < 18; ++layer) {
    const double truth = 200 + 300 * static_cast<double>(layer + 1) / 20;
    EXPECT_NEAR(result["predicted"].number(layer * 5), truth, 0.1 * truth);
    EXPECT_LE(result["predicted_low"].number(layer * 5), result["predicted"].number(layer * 5));
    EXPECT_GE(result["predicted_high"].number(layer * 5), result["predicted"].number(layer * 5));
  }
  EXPECT_EQ(result["predicted_curve"].extent("layer"), 20);
  write_text(config, R"({"n_layer": 3, "n_embd": 96, "n_head": 4})");  // the same name, other content
  const RunReport other = run({{"config", config.string()}});
  EXPECT_NE(other.reduce_key, report.reduce_key);
  EXPECT_EQ(other.result["predicted"].extent("layer"), 3);
  write_text(config, R"({"n_layer": 3})");
  expect_error([&] { run({{"config", config.string()}}); }, {"hidden_size"});
}

TEST_F(MassiveActivationPredict, IntervalsHoldAboutTheShareThatWasAsked) {
  const Dataset& result = judged();
  double held = 0;
  for (int64_t i = 0; i < 20; ++i) held += result["coverage"].number(i) / 20;
  EXPECT_GT(held, 0.8);
}

TEST_F(MassiveActivationPredict, AnAmplitudeThatRanAwayIsSaid) {
  for (const std::string& note : judged().notes) EXPECT_EQ(note.find("|A| above"), std::string::npos);
  Dataset& fit = inputs_["fit.a"];
  Array amplitude = fit["ratio_A"];
  amplitude.as<double>()[2] = -1e12;
  fit.set("ratio_A", std::move(amplitude));
  const Dataset result = run().result;
  EXPECT_TRUE(std::any_of(result.notes.begin(), result.notes.end(), [](const std::string& note) {
    return note.rfind("1 of 58 fits have |A| above 1e+09", 0) == 0;
  }));
}

TEST_F(MassiveActivationPredict, OneModelCannotBeLeftOut) {
  inputs_ = {{"fit.only", planted::fit_of(24, 1024, 16)}};
  const Dataset result = run().result;
  EXPECT_TRUE(std::isnan(value(result, "r2_model_out", ridge, A)));
  bool said = false;
  for (const std::string& note : result.notes) said = said || note.find("One model") != std::string::npos;
  EXPECT_TRUE(said);
}

TEST_F(MassiveActivationPredict, AFifthOfTooFewRowsIsNoTest) {
  inputs_ = {{"fit.a", planted::fit_of(6, 128, 4)}, {"fit.b", planted::fit_of(6, 256, 4)}};
  const Dataset result = run().result;
  EXPECT_TRUE(std::isnan(value(result, "r2_random", ridge, A)));
  EXPECT_TRUE(std::isnan(value(result, "coverage", ridge, A)));
  EXPECT_TRUE(std::isfinite(value(result, "r2_model_out", ridge, A)));
}

TEST_F(MassiveActivationPredict, TooLittleToLearnFromIsRefused) {
  inputs_ = {{"fit.only", planted::fit_of(6, 128, 4)}};
  expect_error([&] { run(); }, {"6 layers", "10"});
  inputs_["fit.only"] = Dataset();
  expect_error([&] { run(); }, {"only", "width"});
  inputs_.clear();
  expect_error([&] { run(); }, {"needs the input 'fit'"});
}

TEST(YeoJohnson, TurnsBackAndKnowsItsSpecialPowers) {
  for (const double power : {-0.5, 0.0, 0.7, 1.0, 2.0, 2.5})
    for (const double v : {-30.0, -0.5, 0.0, 0.2, 80.0})
      EXPECT_NEAR(yeo_johnson_back(yeo_johnson(v, power), power), v, 1e-9 * (1 + std::abs(v))) << power;
  EXPECT_NEAR(yeo_johnson(4, 0), std::log(5), 1e-12);
  EXPECT_NEAR(yeo_johnson(-3, 1), -3, 1e-12);
}

}  // namespace
}  // namespace varve
