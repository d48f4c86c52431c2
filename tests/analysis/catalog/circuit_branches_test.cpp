// Circuits of branches beside the checkpoint they began with, where what a branch changed is known.
#include <gtest/gtest.h>

#include <cmath>

#include <fmt/ranges.h>

#include "loaders/tasks.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_run.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/silent_head.h"

namespace varve {
namespace {

const std::filesystem::path trained = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox/step7000";

// main: the trained model with its induction head L3H3 silenced. sft: that head speaks. rl: the
// previous-token head L2H3 is silenced, too. same: main once more, under another step.
class CircuitBranches : public testing::Test {
 protected:
  void SetUp() override {
    add("main", "step10", {{3, 3}});
    add("sft", "step20", {});
    add("rl", "step20", {{2, 3}, {3, 3}});
    add("same", "step20", {{3, 3}});
    store_ = RunStore::open(temp_.path() / "s.varve");
  }
  void add(const std::string& branch, const std::string& step,
           const std::vector<std::pair<int64_t, int64_t>>& silent) {
    copy_with_silent_heads(trained, temp_.path() / branch / step, silent);
    import_series({.source = temp_.path() / branch,
                   .store = temp_.path() / "s.varve",
                   .link = true,
                   .steps = "",
                   .branch = branch},
                  task_);
  }
  RunReport run(const std::string& analysis, const std::string& branch, const std::string& task,
                const Inputs& inputs = {}) {
    RunRequest request;
    request.analysis = analysis;
    request.branch = branch;
    request.settings = {{"curve", "no"}, {"size", "0.05"}, {"steps", "3"}, {"folds", "4"}};
    if (!task.empty()) request.probes = read_task(task, "", 1024);
    if (analysis == "circuit-compare") request.settings.clear();
    request.inputs = inputs;
    return run_analysis(store_, request, task_);
  }
  Dataset circuit(const std::string& branch, const std::string& task) {
    return store_->result("circuit", run("circuit", branch, task).cell_keys.at(0)).value();
  }
  static int64_t place(int64_t set, int64_t layer, int64_t head) { return (set * 4 + layer) * 4 + head; }

  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
  const std::string induction_ = "induction:pairs=16,period=10";
};

TEST_F(CircuitBranches, WhatEachBranchChangedIsFoundBeyondNoise) {
  const RunReport report = run("circuit-compare", "main", "",
                               {{"base", circuit("main", induction_)},
                                {"set.rl", circuit("rl", induction_)},
                                {"set.same", circuit("same", induction_)},
                                {"set.sft", circuit("sft", induction_)}});
  const Dataset& found = report.result;
  ASSERT_EQ(found.checks.size(), 1U);
  EXPECT_TRUE(found.checks[0].passed);
  EXPECT_EQ(found.checks[0].n, 6) << "three sets, each beside the base";
  ASSERT_EQ(found.coord("set")->text(0), "rl");
  ASSERT_EQ(found.coord("set")->text(2), "sft");
  EXPECT_EQ(found["emergent_certain"].number(place(2, 3, 3)), 1);
  EXPECT_EQ(found["vanished_certain"].number(place(0, 2, 3)), 1);
  EXPECT_GT(found["emergent_certain_count"].number(2), found["emergent_chance"].number(2));
  EXPECT_GT(found["vanished_certain_count"].number(0), found["vanished_chance"].number(0));
  EXPECT_NEAR(found["effect"].number(place(2, 3, 3)), 1, 1e-3);
  EXPECT_EQ(found["base_heads_in"].number(3 * 4 + 3), 0);
  // The branch that changed nothing.
  EXPECT_EQ(found["emergent_count"].number(1), 0);
  EXPECT_EQ(found["vanished_count"].number(1), 0);
  EXPECT_EQ(found["emergent_certain_count"].number(1), 0);
  EXPECT_EQ(found["jaccard_base"].number(1), 1);
  EXPECT_EQ(found["beyond_noise"].number(1), 0);
  EXPECT_EQ(found["emergent_p"].number(1), 1);
  for (int64_t set = 0; set < 3; ++set)
    EXPECT_EQ(found["emergent_count"].number(set) + found["retained_count"].number(set),
              found["head_count"].number(set));
}

TEST_F(CircuitBranches, TwoSetsOfPromptsOnOneCheckpointAreComparedLikewise) {
  const Dataset base = circuit("sft", induction_);
  // Prompts that repeat nothing, asked for a token that nothing points to.
  std::string lines;
  for (int64_t pair = 0; pair < 16; ++pair) {
    std::vector<int64_t> clean, corrupted;
    for (int64_t i = 0; i < 12; ++i) clean.push_back(1 + (pair * 37 + i * 29) % 397);
    corrupted = clean;
    corrupted.back() = 400 + pair * 23;
    lines += fmt::format("{{\"clean\": [{}], \"corrupted\": [{}], \"correct\": 5, \"incorrect\": 9}}\n",
                         fmt::join(clean, ","), fmt::join(corrupted, ","));
  }
  write_text(temp_.path() / "other.jsonl", lines);
  const RunReport report = run("circuit-compare", "main", "",
                               {{"base", base},
                                {"set.again", circuit("sft", induction_ + ",seed=7")},
                                {"set.other", circuit("sft", (temp_.path() / "other.jsonl").string())}});
  const Dataset& found = report.result;
  // Other prompts of the same kind add and take no head for certain; another kind does.
  EXPECT_EQ(found["emergent_certain_count"].number(0), 0);
  EXPECT_EQ(found["vanished_certain_count"].number(0), 0);
  EXPECT_GT(found["emergent_certain_count"].number(1) + found["vanished_certain_count"].number(1), 0);
  EXPECT_LT(found["vanished_p"].number(1), 0.05);
  EXPECT_EQ(found["overlap"].number(0), 1);
  EXPECT_EQ(found["overlap"].number(1), found["jaccard_base"].number(0));
}

TEST_F(CircuitBranches, ATrajectoryTakesTheBaseFromAnotherBranch) {
  const RunReport report =
      run("circuit-trajectory", "sft", induction_, {{"base", circuit("main", induction_)}});
  EXPECT_EQ(report.result["emergent_certain"].number(place(0, 3, 3)), 1);
  EXPECT_EQ(report.result["first_step"].number(3 * 4 + 3), 20);
  EXPECT_GT(report.result["emergent_certain_count"].number(0), 0);
  const RunReport same =
      run("circuit-trajectory", "same", induction_, {{"base", circuit("main", induction_)}});
  EXPECT_EQ(same.result["emergent_count"].number(0), 0);
  EXPECT_EQ(same.result["vanished_count"].number(0), 0);
  EXPECT_EQ(same.result["jaccard_base"].number(0), 1);
}

TEST_F(CircuitBranches, ABaseThatIsNoCircuitIsRefused) {
  Dataset other;
  other.set("entropy", Array::scalar(1));
  expect_error(
      [&] {
        run("circuit-compare", "main", "", {{"base", other}, {"set", other}});
      },
      {"heads_in", "result of `circuit`"});
  expect_error([&] { run("circuit-compare", "main", ""); }, {"needs the input 'base'"});
}

}  // namespace
}  // namespace varve
