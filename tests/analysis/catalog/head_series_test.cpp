// Head detectors on the two demonstration series: one in which induction forms, one in which it does not.
#include <gtest/gtest.h>

#include <map>

#include "loaders/npy.h"
#include "loaders/table.h"
#include "tests/support/golden_run.h"

namespace varve {
namespace {

// Two implementations in f32 from the same bf16 weights.
constexpr double parity = 1e-4;

class HeadSeries : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    series_ = std::filesystem::path(VARVE_SHARED) / "series" / GetParam();
    golden_ = std::filesystem::path(VARVE_SHARED) / "series/golden" / GetParam() / "heads.npz";
    if (!std::filesystem::exists(golden_)) GTEST_SKIP() << "no reference head scores for " << GetParam();
  }
  std::filesystem::path series_, golden_;
};

TEST_P(HeadSeries, ScoresEqualTheReferenceAndOnlyRealHeadsForm) {
  GoldenRun run(series_);
  const Dataset reference = read_table(golden_.string());
  const Array ids = reference["ids"], steps = *reference.coord("step");
  std::vector<int64_t> wanted;
  for (int64_t i = 0; i < steps.size(); ++i) wanted.push_back(static_cast<int64_t>(steps.number(i)));
  const int64_t count = ids.shape()[1], length = ids.shape()[2];
  for (int64_t limit = 0; limit < 2; ++limit) {
    Probes probes;
    probes.name = "reference";
    for (int64_t prompt = 0; prompt < count; ++prompt) {
      probes.prompts.emplace_back();
      for (int64_t i = 0; i < length; ++i)
        probes.prompts.back().push_back(
            static_cast<int64_t>(ids.number((limit * count + prompt) * length + i)));
    }
    const Dataset found =
        run.report("head-detectors", probes, {{"weights", "none"}}, Compute::f32, wanted).result;
    const std::pair<const char*, const char*> names[] = {{"induction", "induction"},
                                                         {"previous", "previous_token"},
                                                         {"current", "current_token"},
                                                         {"first", "first_token"},
                                                         {"induction_whole_diagonal", "induction_stripe"}};
    for (const auto& [theirs, ours] : names) {
      const Array expected = reference[theirs];
      const int64_t each = found[ours].size() / steps.size();
      for (int64_t step = 0; step < steps.size(); ++step)
        for (int64_t head = 0; head < each; ++head)
          ASSERT_NEAR(found[ours].number(step * each + head),
                      expected.number((step * 2 + limit) * each + head), parity)
              << theirs << " step " << steps.number(step) << " head " << head;
    }
    std::map<std::string, int64_t> formed;
    for (const Event& event : found.events) formed[event.label] = event.step;
    if (GetParam() == "tiny-olmoe") {
      for (const auto& [label, step] : formed)
        EXPECT_EQ(label.find("an induction head"), std::string::npos) << label << " at " << step;
      continue;
    }
    for (const std::string label : {"L2H3 is a previous-token head", "L3H1 is an induction head",
                                    "L3H2 is an induction head", "L3H3 is an induction head"}) {
      // On the ids that came first L3H1 scores less than a head of its kind must.
      if (limit == 0 && label.starts_with("L3H1")) continue;
      ASSERT_EQ(formed.count(label), 1u) << label;
      EXPECT_GT(formed[label], 2000) << label;
      EXPECT_LE(formed[label], 4000) << label;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Series, HeadSeries, testing::Values("tiny-neox", "tiny-olmoe"),
                         [](const auto& one) { return one.param == "tiny-neox" ? "neox" : "olmoe"; });

}  // namespace
}  // namespace varve
