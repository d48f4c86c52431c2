// Direct logit attribution against TransformerLens, and its sum rule on every reference family.
#include <gtest/gtest.h>

#include "tests/support/golden_run.h"
#include "tests/support/reference_file.h"

namespace varve {
namespace {

constexpr double parity = 2e-4;  // two implementations in f32, beside the largest term

class DirectLogitAttribution : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
    if (!std::filesystem::exists(folder_ / "golden.safetensors"))
      GTEST_SKIP() << "no reference model at " << folder_.filename();
  }
  std::filesystem::path folder_;
};
class DirectLogitAttributionSums : public DirectLogitAttribution {};

TEST_P(DirectLogitAttribution, EveryTermEqualsTheReference) {
  const ReferenceArrays reference(folder_ / "analysis_lens.safetensors");
  GoldenRun run(folder_);
  const Dataset terms = run.cell("direct-logit-attribution", pairs_of(reference.rows("lens.input_ids"), {},
                                                                      reference.rows("dla.answer_ids")));
  for (const Check& check : terms.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
  for (const char* name : {"components", "heads", "components_norm", "heads_norm", "logit_diff", "bias"}) {
    const ReferenceArray expected = reference(std::string("dla.") + name);
    if (expected.largest() > 0) {
      EXPECT_LE(relative_error(doubles_of(terms[name]), expected), parity) << name;
    }
    for (const double value : doubles_of(terms[name])) EXPECT_FALSE(std::isnan(value)) << name;
  }
}

TEST_P(DirectLogitAttributionSums, TermsAndBiasAddUpToTheLogit) {
  const ReferenceArrays reference(folder_ / "golden.safetensors");
  GoldenRun run(folder_);
  Probes probes;
  probes.prompts = reference.rows("short.input_ids");
  probes.prompts.push_back(reference.rows("batch.input_ids")[0]);
  const Dataset terms = run.cell("direct-logit-attribution", probes, {{"answers", "3,5"}}, Compute::f64);
  ASSERT_EQ(terms.checks.size(), 1u);
  EXPECT_TRUE(terms.checks[0].passed) << terms.checks[0].residual;
  EXPECT_LT(terms.checks[0].residual, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, DirectLogitAttribution, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& one) { return one.param; });
INSTANTIATE_TEST_SUITE_P(Families, DirectLogitAttributionSums,
                         testing::Values("gpt2", "gpt_neox", "llama_gqa", "qwen2", "olmo", "olmoe", "mixtral",
                                         "qwen2_moe"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace varve
