// Massive activations: one that was planted, none where there is none, and the reference numbers of two
// series.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "analysis/core/text.h"
#include "analysis/run.h"
#include "loaders/import.h"
#include "loaders/npy.h"
#include "tests/support/npy_numbers.h"
#include "tests/support/planted_model.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class MassiveActivations : public testing::Test {
 protected:
  RunReport run(const std::filesystem::path& source, Probes probes, const std::string& steps = "",
                const std::string& analysis = "massive-activations", const SettingValues& settings = {}) {
    Task task;
    import_series({.source = source, .store = temp_.path() / "s.varve"}, task);
    store_ = RunStore::open(temp_.path() / "s.varve");
    RunRequest request;
    request.analysis = analysis;
    request.probes = std::move(probes);
    request.settings = settings;
    std::vector<int64_t> existing;
    for (const CheckpointRecord& one : store_->series().checkpoints) existing.push_back(one.step);
    if (!steps.empty()) request.steps = parse_steps(steps, existing);
    return run_analysis(store_, request, task);
  }
  Dataset with_planted(float size) {
    write_model(temp_.path() / "model", planted::model(size));
    return run(temp_.path() / "model",
               Probes{{{0, 3, 4, planted::token, 5}, {1, planted::token, 2, 3}}, "test"})
        .result;
  }
  TempFolder temp_;
  std::shared_ptr<RunStore> store_;
};

TEST_F(MassiveActivations, APlantedOneIsFoundAtItsLayerPositionAndFeature) {
  const Dataset series = with_planted(2000);
  EXPECT_EQ(series["massive_share"].number(0), 0);
  EXPECT_EQ(series["massive_share"].number(planted::layer), 1);
  EXPECT_EQ(series["massive_share"].number(2), 1);  // the stream keeps it
  EXPECT_EQ(series["top_dim"].number(planted::layer), planted::dim);
  EXPECT_EQ(series["top_dim_share"].number(planted::layer), 1);
  EXPECT_GT(series["ratio"].number(planted::layer), 1000);
  ASSERT_EQ(series.events.size(), 1U);
  EXPECT_EQ(series.events[0].label, "first massive, L1");
  const Dataset cell = store_->result("massive-activations", store_->results().front().key).value();
  const Array& position = cell["top_pos"];
  EXPECT_EQ(position.number((planted::layer * 2 + 0) * 3), 3);
  EXPECT_EQ(position.number((planted::layer * 2 + 1) * 3), 1);
}

// The sequence whose sizes are kept may be a short one.
TEST_F(MassiveActivations, TheMapOfAShortSequenceIsEmptyBehindItsEnd) {
  write_model(temp_.path() / "model", planted::model(2000));
  const Probes probes{{{0, planted::token}, {1, 2, 3, 4}}, "test"};
  run(temp_.path() / "model", probes);
  const Dataset cell = store_->result("massive-activations", store_->results().front().key).value();
  const Array map = cell["magnitude"].at("layer", planted::layer);
  ASSERT_EQ(map.shape(), (std::vector<int64_t>{4, 8}));
  EXPECT_GT(map.number(8 + planted::dim), 1000);
  EXPECT_TRUE(std::isnan(map.number(16)));
}

TEST_F(MassiveActivations, NoneIsFoundInAModelWithout) {
  const Dataset series = with_planted(0);
  for (int64_t layer = 0; layer < 3; ++layer) {
    EXPECT_EQ(series["massive_share"].number(layer), 0);
    EXPECT_LT(series["ratio"].number(layer), 10);
  }
  EXPECT_TRUE(series.events.empty());
}

// Attention of a model whose queries are zero is even: the first of q + 1 keys has 1 / (q + 1).
TEST_F(MassiveActivations, EvenAttentionHasTheSinkOfEvenShares) {
  const Dataset series = with_planted(0);
  const double five = (1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 1.0 / 5) / 4, four = (1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 3;
  for (int64_t layer = 0; layer < 3; ++layer)
    EXPECT_NEAR(series["sink"].number(layer), (five + four) / 2, 1e-6);
}

TEST_F(MassiveActivations, TheFitReadsTheSameCells) {
  const std::filesystem::path demo = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox";
  const Probes probes{{{0, 17, 99, 17, 99}, {0, 5, 6, 7, 8}}, "test"};
  const RunReport measured = run(demo, probes);
  const RunReport fitted = run(demo, probes, "", "massive-activation-fit");
  EXPECT_EQ(fitted.computed, 0);
  EXPECT_EQ(fitted.cached, measured.computed);
  EXPECT_EQ(fitted.cell_keys, measured.cell_keys);
  EXPECT_TRUE(fitted.result.has("ratio_fit"));
  EXPECT_TRUE(fitted.result["ratio"].same_values(measured.result["ratio"]));
}

struct Reference : MassiveActivations, testing::WithParamInterface<const char*> {};

// Numbers taken with PyTorch in f32 from the same weights; rounding of another order of summation.
TEST_P(Reference, StatisticsAreReproduced) {
  constexpr double tolerance = 1e-5;
  const std::filesystem::path shared = std::filesystem::path(VARVE_SHARED) / "series";
  const std::filesystem::path golden = shared / "golden" / GetParam() / "massive.npz";
  if (!std::filesystem::exists(golden))
    GTEST_SKIP() << "no reference statistics of " << GetParam() << " here";
  std::map<std::string, NpyNumbers> expected;
  for (const auto& [name, bytes] : read_zip(read_text(golden), "massive.npz"))
    expected[name] = npy_numbers(bytes);
  Probes probes;
  probes.name = "samples";
  for (const auto& [name, bytes] : read_zip(read_text(shared / GetParam() / "samples.npz"), "samples.npz"))
    if (name == "ids.npy") {
      const NpyNumbers ids = npy_numbers(bytes);
      for (int64_t row = 0; row < ids.shape[0]; ++row) {
        const auto first = ids.values.begin() + row * ids.shape[1];
        probes.prompts.emplace_back(first, first + ids.shape[1]);
      }
    }
  std::string steps;
  for (const double step : expected.at("steps.npy").values)
    steps += (steps.empty() ? "" : ",") + std::to_string(static_cast<int64_t>(step));
  const RunReport report =
      run(shared / GetParam(), probes, steps, "massive-activations", {{"attention", "false"}});
  const int64_t prompts = static_cast<int64_t>(probes.prompts.size()), layers = 4, ranks = 3;
  double worst = 0;
  int64_t moved = 0;
  for (size_t step = 0; step < report.steps.size(); ++step) {
    const Dataset cell = store_->result("massive-activations", report.cell_keys[step]).value();
    for (int64_t p = 0; p < prompts; ++p)
      for (int64_t layer = 0; layer < layers; ++layer) {
        const auto theirs = static_cast<size_t>((static_cast<int64_t>(step) * prompts + p) * layers + layer);
        const int64_t ours = layer * prompts + p;
        const double median = expected.at("median.npy").values[theirs];
        worst = std::max(worst, std::abs(cell["median"].number(ours) / median - 1));
        for (int64_t k = 0; k < ranks; ++k) {
          const size_t at = theirs * 3 + static_cast<size_t>(k);
          worst = std::max(
              worst, std::abs(cell["top"].number(ours * ranks + k) / expected.at("top.npy").values[at] - 1));
          moved += cell["top_pos"].number(ours * ranks + k) != expected.at("position.npy").values[at] ||
                   cell["top_dim"].number(ours * ranks + k) != expected.at("dimension.npy").values[at];
        }
      }
  }
  EXPECT_LE(worst, tolerance);
  // Where two sizes differ in their last bits their order may; their places then swap.
  EXPECT_LE(moved, 10) << "of " << report.steps.size() * static_cast<size_t>(prompts * layers * ranks);
}

INSTANTIATE_TEST_SUITE_P(Series, Reference, testing::Values("tiny-neox", "tiny-olmoe"), [](const auto& one) {
  std::string name = one.param;
  name[4] = '_';
  return name;
});

}  // namespace
}  // namespace varve
