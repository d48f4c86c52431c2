// Head detectors against TransformerLens, on a series where induction forms, on null models, and by hand.
#include <gtest/gtest.h>

#include "analysis/circuits/pattern_scores.h"
#include "tests/support/golden_run.h"
#include "tests/support/reference_file.h"

namespace varve {
namespace {

constexpr double parity = 2e-4;         // two implementations in f32
constexpr double tool_rounding = 6e-4;  // the tool rounds these to three digits

Probes prompts_only(std::vector<std::vector<int64_t>> prompts) {
  Probes probes;
  probes.prompts = std::move(prompts);
  probes.name = "test";
  return probes;
}

class HeadDetectors : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
    if (!std::filesystem::exists(folder_ / "analysis_lens.safetensors"))
      GTEST_SKIP() << "no reference results for heads at " << folder_.filename();
  }
  std::filesystem::path folder_;
};

TEST_P(HeadDetectors, EveryScoreEqualsTheReference) {
  const ReferenceArrays reference(folder_ / "analysis_lens.safetensors");
  GoldenRun run(folder_);
  const Dataset heads = run.cell("head-detectors", prompts_only(reference.rows("heads.input_ids")));
  for (const Check& check : heads.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
  const std::pair<const char*, const char*> names[] = {
      {"induction_stripe", "induction_stripe"},
      {"duplicate_stripe", "duplicate_token"},
      {"prev_stripe", "previous_token"},
      {"first_token", "first_token"},
      {"entropy", "entropy"},
      {"previous_token_head.mul", "previous_token_mul"},
      {"previous_token_head.abs", "previous_token_abs"},
      {"previous_token_head.mul_nobos_nocur", "previous_token_mul_inner"},
      {"duplicate_token_head.mul", "duplicate_token_mul"},
      {"duplicate_token_head.abs", "duplicate_token_abs"},
      {"duplicate_token_head.mul_nobos_nocur", "duplicate_token_mul_inner"},
      {"induction_head.mul", "induction_mul"},
      {"induction_head.abs", "induction_abs"},
      {"induction_head.mul_nobos_nocur", "induction_mul_inner"},
  };
  for (const auto& [theirs, ours] : names) {
    const ReferenceArray expected = reference(std::string("heads.") + theirs);
    const double error = relative_error(doubles_of(heads[ours]), expected);
    const bool rounded = std::string(theirs).ends_with(".abs");
    EXPECT_LE(rounded ? error * expected.largest() : error, rounded ? tool_rounding : parity) << theirs;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, HeadDetectors, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& one) { return one.param; });

TEST(HeadDetectorSeries, InductionFormsWhereItDoes) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "goldens/series_induction_gpt2";
  if (!std::filesystem::exists(folder / "golden_series.safetensors"))
    GTEST_SKIP() << "no reference series with induction";
  const ReferenceArrays reference(folder / "golden_series.safetensors");
  GoldenRun run(folder);
  const RunReport report =
      run.report("head-detectors", prompts_only(reference.rows("eval_ids")), {{"queries", "from-period"}});
  EXPECT_LE(relative_error(doubles_of(report.result["induction"]), reference("induction")), parity);
  EXPECT_LE(relative_error(doubles_of(report.result["previous_token"]), reference("prev_token")), parity);
  bool induction = false;
  for (const Event& event : report.result.events) {
    if (event.label.find("an induction head") == std::string::npos) continue;
    induction = true;
    EXPECT_GE(event.step, 130) << event.label;
    EXPECT_LE(event.step, 300) << event.label;
  }
  EXPECT_TRUE(induction);
  EXPECT_TRUE(report.result.has("induction_low"));
}

// Heads of a model with random weights look alike: none stands out.
TEST(HeadDetectorNull, RandomWeightsScoreAtChance) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "goldens/series_induction_gpt2";
  if (!std::filesystem::exists(folder / "step0")) GTEST_SKIP() << "no reference series with induction";
  GoldenRun run(folder / "step0");
  const RunReport report =
      run.report("head-detectors", prompts_only({{0, 3, 4, 5, 6, 7, 8, 9, 3, 4, 5, 6, 7, 8, 9},
                                                 {0, 9, 2, 7, 1, 12, 4, 6, 9, 2, 7, 1, 12, 4, 6}}));
  const double chance = report.result["induction_chance"].number(0);
  for (const double score : doubles_of(report.result["induction"])) EXPECT_LE(score, 2 * chance);
  EXPECT_TRUE(report.result.events.empty());
}

TEST(PatternScores, APerfectInductionHeadScoresOne) {
  const Repeats repeats = repeats_of({0, 5, 6, 7, 5, 6, 7, 5}, 0);
  ASSERT_EQ(repeats.period, 3);
  const auto a = [](int64_t query, int64_t key) { return key == (query < 4 ? 0 : query - 2) ? 1.0 : 0.0; };
  const std::vector<double> scores = pattern_scores(repeats, InductionQueries::second_copy, a);
  const std::vector<std::string>& names = pattern_score_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "induction") {
      EXPECT_DOUBLE_EQ(scores[i], 1);
    }
    if (names[i] == "previous_token") {  // query 1 looks at 0
      EXPECT_DOUBLE_EQ(scores[i], 1.0 / 7);
    }
    if (names[i] == "entropy") {
      EXPECT_DOUBLE_EQ(scores[i], 0);
    }
  }
}

TEST(PatternScores, EvenAttentionScoresItsChance) {
  const Repeats repeats = repeats_of({0, 5, 6, 7, 8, 5, 6, 7, 8}, 0);
  const auto even = [](int64_t query, int64_t) { return 1 / static_cast<double>(query + 1); };
  for (InductionQueries queries :
       {InductionQueries::second_copy, InductionQueries::from_period, InductionQueries::all})
    EXPECT_DOUBLE_EQ(pattern_scores(repeats, queries, even)[0], even_induction(repeats, queries));
}

TEST(PatternScores, TextThatDoesNotRepeatHasNoStripes) {
  const Repeats repeats = repeats_of({0, 1, 2, 3, 4, 5}, 0);
  EXPECT_EQ(repeats.period, 0);
  const auto even = [](int64_t query, int64_t) { return 1 / static_cast<double>(query + 1); };
  EXPECT_TRUE(std::isnan(pattern_scores(repeats, InductionQueries::all, even)[0]));
}

}  // namespace
}  // namespace varve
