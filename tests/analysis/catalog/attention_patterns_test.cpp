// Attention patterns beside those of an independent implementation, and their largest weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/golden_run.h"
#include "tests/support/reference_file.h"

namespace varve {
namespace {

Probes only(const std::vector<std::vector<int64_t>>& ids) {
  Probes probes;
  probes.name = "test";
  probes.prompts = ids;
  return probes;
}

class DemoPatterns : public testing::Test {
 protected:
  Dataset patterns(const SettingValues& settings) {
    GoldenRun run(std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox");
    return run
        .report("attention-patterns", only({{0, 512, 90, 91, 700, 90, 91}, {0, 7, 8}}), settings,
                Compute::f32, {7000})
        .result;
  }
};

TEST_F(DemoPatterns, ShortPromptsEndInMissingWeights) {
  const Dataset found = patterns({});
  const Array& pattern = found["pattern"];
  EXPECT_EQ(pattern.axes(), (std::vector<std::string>{"step", "prompt", "layer", "head", "query", "key"}));
  EXPECT_EQ(pattern.shape(), (std::vector<int64_t>{1, 2, 4, 4, 7, 7}));
  for (const Check& check : found.checks) EXPECT_TRUE(check.passed) << check.name;
  // Prompt 1 has three tokens; its first query sees itself alone.
  const int64_t first = 4 * 4 * 7 * 7;
  EXPECT_EQ(pattern.number(first), 1);
  EXPECT_EQ(pattern.number(first + 1), 0);
  EXPECT_TRUE(std::isnan(pattern.number(first + 3)));
  EXPECT_TRUE(std::isnan(pattern.number(first + 3 * 7)));
}

TEST_F(DemoPatterns, TheLargestWeightsAreThoseOfTheWholePattern) {
  const Dataset whole = patterns({}), thin = patterns({{"top", "2"}});
  const int64_t rows = 2 * 4 * 4 * 7;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<double> weights;
    for (int64_t key = 0; key < 7; ++key)
      if (const double w = whole["pattern"].number(row * 7 + key); !std::isnan(w)) weights.push_back(w);
    std::sort(weights.rbegin(), weights.rend());
    for (int64_t rank = 0; rank < 2; ++rank) {
      const int64_t key = static_cast<int64_t>(thin["pattern_key"].number(row * 2 + rank));
      const double weight = thin["pattern"].number(row * 2 + rank);
      if (key < 0) {
        EXPECT_TRUE(std::isnan(weight));
        continue;
      }
      EXPECT_EQ(weight, weights.at(static_cast<size_t>(rank)));
      EXPECT_EQ(weight, whole["pattern"].number(row * 7 + key));
    }
    if (weights.size() < 2) continue;
    EXPECT_NEAR(thin["kept_mass"].number(row), weights[0] + weights[1], 1e-6);
  }
}

class GoldenPatterns : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPatterns, EqualTheReference) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
  if (!std::filesystem::exists(folder / "analysis_lens.safetensors"))
    GTEST_SKIP() << "no reference patterns at " << folder.filename();
  const ReferenceArrays reference(folder / "analysis_lens.safetensors");
  GoldenRun run(folder);
  const Dataset found = run.cell("attention-patterns", only(reference.rows("heads.input_ids")));
  const ReferenceArray expected = reference("heads.pattern");
  EXPECT_LE(relative_error(doubles_of(found["pattern"]), expected), 2e-4);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenPatterns, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace varve
