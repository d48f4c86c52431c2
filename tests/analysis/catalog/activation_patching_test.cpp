// Activation patching against TransformerLens on the reference models.
#include <gtest/gtest.h>

#include "tests/support/golden_run.h"
#include "tests/support/reference_file.h"

namespace varve {
namespace {

// Two implementations in f32, four layers deep, beside the largest effect.
constexpr double parity = 2e-4;

class ActivationPatching : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
    if (!std::filesystem::exists(folder_ / "analysis_patch.safetensors"))
      GTEST_SKIP() << "no reference results for patching at " << folder_.filename();
  }
  std::filesystem::path folder_;
};

TEST_P(ActivationPatching, EveryMapEqualsTheReference) {
  const ReferenceArrays reference(folder_ / "analysis_patch.safetensors");
  const Probes task = pairs_of(reference.rows("patch.clean_ids"), reference.rows("patch.corrupted_ids"),
                               reference.rows("patch.answer_ids"));
  GoldenRun run(folder_);
  const Dataset maps = run.cell(
      "activation-patching", task,
      {{"what", "resid_pre,attn_out,mlp_out,head_z,head_q,head_k,head_v,head_pattern,head_z_by_pos"}});
  for (const Check& check : maps.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
  for (const std::string& name : reference.names()) {
    if (name.ends_with("_ids")) continue;
    std::string own = name.substr(6);
    if (own.ends_with("_all_pos")) own.resize(own.size() - 8);
    ReferenceArray expected = reference(name);
    const Array& array = maps[own];
    if (own == "head_z_by_pos") {  // there layer, position, head; here layer, head, position
      const int64_t layers = expected.shape[0], length = expected.shape[1], heads = expected.shape[2];
      const std::vector<double> theirs = expected.values;
      for (int64_t i = 0; i < layers * length * heads; ++i) {
        const int64_t layer = i / (heads * length), head = i / length % heads, pos = i % length;
        expected.values[static_cast<size_t>(i)] =
            theirs[static_cast<size_t>((layer * length + pos) * heads + head)];
      }
    }
    EXPECT_LE(relative_error(doubles_of(array), expected), parity) << name;
  }
}

TEST_P(ActivationPatching, NoisingWithTheRolesSwappedIsDenoising) {
  const ReferenceArrays reference(folder_ / "analysis_patch.safetensors");
  const auto clean = reference.rows("patch.clean_ids"), corrupted = reference.rows("patch.corrupted_ids");
  const auto answers = reference.rows("patch.answer_ids");
  GoldenRun run(folder_);
  const SettingValues some = {{"what", "resid_pre,head_z"}};
  const Dataset one = run.cell("activation-patching", pairs_of(clean, corrupted, answers), some);
  SettingValues noising = some;
  noising["direction"] = "noising";
  const Dataset other = run.cell("activation-patching", pairs_of(corrupted, clean, answers), noising);
  EXPECT_TRUE(one["resid_pre"].same_values(other["resid_pre"]));
  EXPECT_TRUE(one["head_z_recovery"].same_values(other["head_z_recovery"]));
}

INSTANTIATE_TEST_SUITE_P(Models, ActivationPatching, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace varve
