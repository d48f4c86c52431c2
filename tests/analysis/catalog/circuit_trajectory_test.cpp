// Circuits over training: sets and cohorts by hand, and the demo series where the heads are known.
#include <gtest/gtest.h>

#include <cmath>

#include "loaders/tasks.h"
#include "tests/support/golden_run.h"

namespace varve {
namespace {

// Four steps of one layer of three heads; two parts of the examples that agree but at step 2.
Dataset by_hand() {
  Dataset joined;
  const std::vector<uint8_t> in = {1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1};
  joined.set("heads_in", Array({"step", "layer", "head"}, {4, 1, 3}, in));
  std::vector<uint8_t> folds;
  for (size_t step = 0; step < 4; ++step)
    for (size_t fold = 0; fold < 2; ++fold)
      for (size_t head = 0; head < 3; ++head)
        folds.push_back(step == 2 && fold == 1 ? uint8_t(head == 0) : in[step * 3 + head]);
  joined.set("heads_in_fold", Array({"step", "fold", "layer", "head"}, {4, 2, 1, 3}, folds));
  joined.set("head_importance", Array({"step", "layer", "head"}, {4, 1, 3},
                                      std::vector<double>{1, 0, 0, 1, 1, 0, 0, 3, 0, 0, 1, 3}));
  joined.set_coord("step", Array({"step"}, {4}, std::vector<int64_t>{0, 10, 20, 30}));
  return joined;
}

Dataset trajectory(const Dataset& joined) {
  Task task;
  const Analysis& analysis = analyses().get("circuit-trajectory");
  return analysis.reduce_with(joined, {}, normalise(analysis.settings, {}, "test"), task);
}

TEST(CircuitTrajectory, SetsAndCohortsAreThoseOnPaper) {
  const Dataset found = trajectory(by_hand());
  EXPECT_EQ(doubles_of(found["head_count"]), (std::vector<double>{1, 2, 1, 2}));
  EXPECT_EQ(doubles_of(found["emergent_count"]), (std::vector<double>{0, 1, 1, 2}));
  EXPECT_EQ(doubles_of(found["retained_count"]), (std::vector<double>{1, 1, 0, 0}));
  EXPECT_EQ(doubles_of(found["vanished_count"]), (std::vector<double>{0, 0, 1, 1}));
  EXPECT_EQ(doubles_of(found["activation_frequency"]), (std::vector<double>{0.5, 0.75, 0.25}));
  EXPECT_TRUE(std::isnan(found["first_step"].number(0)));
  EXPECT_EQ(found["first_step"].number(1), 10);
  EXPECT_EQ(found["first_step"].number(2), 30);
  EXPECT_EQ(found["cohort_size"].number(3 * 4 + 1), 1);  // head 1, born at 10, alive at 30
  EXPECT_EQ(found["cohort_survival"].number(3 * 4 + 1), 1);
  EXPECT_NEAR(found["effect"].number(3 * 3 + 1), 1, 1e-5);
  EXPECT_NEAR(found["effect"].number(3), (0.5 - 1) / (0.5 + 1 + 1e-6), 1e-9);
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].step, 10);
  EXPECT_EQ(found.events[0].label, "L0H1 joins the circuit");
}

TEST(CircuitTrajectory, ChangeIsComparedWithTheNoiseOfTheExamples) {
  const Dataset found = trajectory(by_hand());
  EXPECT_TRUE(std::isnan(found["jaccard"].number(0)));
  EXPECT_DOUBLE_EQ(found["jaccard"].number(1), 0.5);
  EXPECT_DOUBLE_EQ(found["jaccard_noise"].number(1), 1);
  EXPECT_EQ(found["beyond_noise"].number(1), 1);
  // At step 20 two parts of the examples share no head: whatever changed there is no more than that.
  EXPECT_DOUBLE_EQ(found["jaccard_noise"].number(2), 0);
  EXPECT_EQ(found["beyond_noise"].number(2), 0);
}

TEST(CircuitTrajectory, EveryCountHasItsNoiseOnPaper) {
  const Dataset found = trajectory(by_hand());
  // Parts of the examples differ at step 20 alone: head 0 in one, heads 1 in the other.
  EXPECT_EQ(doubles_of(found["emergent_count_noise"]), (std::vector<double>{0, 0, 1, 0}));
  EXPECT_EQ(doubles_of(found["survival_noise"]), (std::vector<double>{1, 1, 0, 1}));
  EXPECT_EQ(doubles_of(found["activation_frequency_noise"]), (std::vector<double>{0.25, 0.25, 0}));
  EXPECT_EQ(doubles_of(found["emergent_certain_count"]), (std::vector<double>{0, 1, 0, 2}));
  EXPECT_EQ(doubles_of(found["vanished_certain_count"]), (std::vector<double>{0, 0, 0, 1}));
}

TEST(CircuitTrajectory, TheDemoHeadsJoinWhereTheyForm) {
  GoldenRun run(std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox");
  const Probes task = read_task("induction:pairs=8,period=10", "", 1024);
  const RunReport report =
      run.report("circuit-trajectory", task, {{"curve", "no"}, {"size", "0.02"}, {"steps", "3"}},
                 Compute::f32, {2000, 2750, 3000, 3250, 3500, 4000, 7000});
  std::map<std::string, int64_t> joined;
  for (const Event& event : report.result.events) joined[event.label] = event.step;
  for (const char* head : {"L2H3", "L3H2", "L3H3"}) {
    const auto found = joined.find(std::string(head) + " joins the circuit");
    ASSERT_NE(found, joined.end()) << head;
    EXPECT_GE(found->second, 2750) << head;
    EXPECT_LE(found->second, 4000) << head;
  }
  EXPECT_GT(report.result["circuit_faithfulness"].number(6), 0.8);
  for (const Check& check : report.result.checks) EXPECT_TRUE(check.passed) << check.name;
}

}  // namespace
}  // namespace varve
