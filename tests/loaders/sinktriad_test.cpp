// Logs of spikes and sinks: columns by layer become arrays, and what is no log is refused.
#include "loaders/sinktriad.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "loaders/curves.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class SinkTriad : public testing::Test {
 protected:
  Dataset read(const std::string& lines) {
    write_text(
        temp_.path() / "run.jsonl",
        R"({"_meta": {"d_model": 128, "n_heads": 4, "n_layers": 2, "mlp_ratio": 4, "optimizer": "muon"}})"
        "\n" +
            lines);
    return read_curves(temp_.path() / "run.jsonl");
  }
  TempFolder temp_;
};

TEST_F(SinkTriad, ColumnsByLayerBecomeArraysByStepAndLayer) {
  const Dataset data = read(
      R"({"step": 150, "loss": 3.5, "spike_l0": 1.5, "spike_l1": 9, "spike_ratio_l0": 2, "spike_ratio_l1": 30}
{"step": 0, "loss": 4.25, "spike_l0": 0.5, "spike_l1": 0.25, "spike_ratio_l0": NaN, "spike_ratio_l1": 1}
{"_summary": {"final_loss": 1}}
)");
  ASSERT_EQ(data["spike"].shape(), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(data.coord("step")->number(0), 0);
  EXPECT_EQ(data["spike"].number(1), 0.25);
  EXPECT_EQ(data["spike"].number(3), 9);
  EXPECT_EQ(data["loss"].axes(), std::vector<std::string>{"step"});
  EXPECT_EQ(data["loss"].number(1), 3.5);
  EXPECT_TRUE(std::isnan(data["spike_ratio"].number(0)));
  EXPECT_EQ(data["d_mlp_size"].number(0), 512);
  EXPECT_EQ(data.provenance.at("optimizer"), "\"muon\"");
}

TEST_F(SinkTriad, WhatIsNoLogIsRefused) {
  expect_error([&] { read("{\"spike_l0\": 1}\n"); }, {"line 2", "step"});
  expect_error([&] { read("{\"step\": 1}\n"); }, {"spike_l0"});
  expect_error([&] { read("\n"); }, {"no line holds a step"});
  write_text(temp_.path() / "other.jsonl", "{\"step\": 1, \"loss\": 2}\n");
  EXPECT_FALSE(is_sinktriad(temp_.path() / "other.jsonl"));
}

TEST(RealSinkTriad, EveryRunIsReadWhole) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "real/sinktriad";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real logs of spikes and sinks here";
  int64_t runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!is_sinktriad(entry.path())) continue;
    const Dataset data = read_curves(entry.path());
    EXPECT_EQ(data.extent("step"), 81) << entry.path();
    EXPECT_EQ(data.coord("step")->number(80), 12000);
    EXPECT_EQ(static_cast<double>(data.extent("layer")), data["layers"].number(0)) << entry.path();
    for (const char* name : {"spike", "spike_ratio", "sink_ratio", "value_drain", "residual_peak"})
      for (int64_t i = 0; i < data[name].size(); ++i)
        ASSERT_TRUE(std::isfinite(data[name].number(i))) << entry.path() << " " << name;
    ++runs;
  }
  EXPECT_EQ(runs, 12);
}

}  // namespace
}  // namespace varve
