// Memorisation by its rule, worked out step by step, and on the losses that came with tiny-olmoe.
#include "analysis/pathways/memorisation.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "loaders/table.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST(MemorisationRule, BothConditionsMustHoldFromThenOn) {
  const std::vector<double> falls{3, 1.04, 1.0, 1.02, 1.0};
  EXPECT_EQ(memorised_at(falls, 1.5, 0.05), 1);
  EXPECT_EQ(memorised_at(falls, 1.5, 0.03), 2) << "1.04 is too far from the last loss";
  EXPECT_EQ(memorised_at(falls, 1.01, 0.05), 4) << "1.02 is above epsilon, so only the last is left";
  EXPECT_EQ(memorised_at(falls, 0.9, 0.05), -1);
  const std::vector<double> returns{1, 1, 3, 1};
  EXPECT_EQ(memorised_at(returns, 2, 0.5), 3) << "forgetting in between starts the count anew";
  EXPECT_EQ(memorised_at(std::vector<double>{1, NAN, 1}, 2, 0.5), 2);
}

TEST(MemorisationRule, ATestItemMayErrOnceAndMustBeRightAtItsStart) {
  EXPECT_EQ(solved_at(std::vector<double>{0, 1, 1, 1}), 1);
  EXPECT_EQ(solved_at(std::vector<double>{1, 0, 1, 1, 1, 1, 1}), 0) << "six of seven are right";
  EXPECT_EQ(solved_at(std::vector<double>{1, 0, 1, 1, 1}), 2) << "four of five are not above 0.8";
  EXPECT_EQ(solved_at(std::vector<double>{1, 0, 1, 0, 1, 1, 1, 1, 1, 1}), 2) << "two errors are too many";
  EXPECT_EQ(solved_at(std::vector<double>{1, 1, 0}), -1);
}

Dataset losses(const std::vector<double>& values, int64_t steps) {
  Dataset table;
  const auto samples = static_cast<int64_t>(values.size()) / steps;
  table.set("losses", Array({"step", "row"}, {steps, samples}, values));
  std::vector<int64_t> ticks;
  for (int64_t i = 0; i < steps; ++i) ticks.push_back(100 * (i + 1));
  table.set_coord("step", Array({"step"}, {steps}, ticks));
  return table;
}

Dataset labels(const std::vector<std::string>& names) {
  Dataset table;
  table.set("labels", Array({"row"}, {static_cast<int64_t>(names.size())}, names));
  return table;
}

TEST_F(PlantedSeries, MemorisedGroupsAndTheirTestItemsArePaired) {
  // Four samples over five steps: two memorised at 200, one at 300, one at the last step only.
  Inputs inputs;
  inputs["losses"] = losses({3, 3, 3, 3, 1, 1, 3, 3, 1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 1}, 5);
  inputs["groups"] = labels({"math", "math", "math", "math"});
  inputs["correct"] = losses({0, 0, 0, 0, 1, 0, 1, 1, 1, 1}, 5);  // item 0 from 300 on, item 1 from 400 on
  inputs["test_groups"] = labels({"math", "math"});
  Dataset embeddings, test_embeddings;
  embeddings.set("e", Array({"row", "column"}, {4, 2}, std::vector<double>{1, 0, 1, 0, 0, 1, 0, 1}));
  test_embeddings.set("e", Array({"row", "column"}, {2, 2}, std::vector<double>{0, 2, 3, 0}));
  inputs["embeddings"] = embeddings;
  inputs["test_embeddings"] = test_embeddings;
  const Dataset result = run("memorisation", {{"epsilon", "1.5"}}, inputs).result;
  expect_passed(result);
  EXPECT_EQ(result["tstar"].number(0), 200);
  EXPECT_EQ(result["tstar"].number(2), 300);
  EXPECT_EQ(result["tstar"].number(3), 500);
  EXPECT_EQ(result["label"].text(1), "math@200");
  EXPECT_EQ(result["label"].text(3), "") << "the last checkpoint alone is no evidence";
  EXPECT_EQ(value(result, "memorised_share", {1, 0}), 0.5);
  EXPECT_EQ(result["early_share"].number(0), 0.75);
  EXPECT_EQ(result["solved_step"].number(1), 400);
  // The samples of 200 look like test item 1 (from 400 on), the sample of 300 like item 0 (from 300 on).
  ASSERT_EQ(result.extent("pair"), 2);
  EXPECT_EQ(result.coord("pair")->text(0), "math@200 -> math@400");
  EXPECT_EQ(result["delay"].number(0), 200);
  EXPECT_EQ(result["delay"].number(1), 0);
  EXPECT_NEAR(result["similarity"].number(0), 1, 1e-12);
}

TEST_F(PlantedSeries, EpsilonIsChosenSoThatAFifthToAQuarterIsMemorised) {
  // Ten samples that settle at 0.55, 1.05, 1.55 ... nats from the second step on.
  std::vector<double> values(10, 9);
  for (int step = 0; step < 3; ++step)
    for (int i = 0; i < 10; ++i) values.push_back(0.55 + 0.5 * i);
  Inputs inputs;
  inputs["losses"] = losses(values, 4);
  const Dataset result = run("memorisation", {}, inputs).result;
  EXPECT_NEAR(result["epsilon"].number(0), 1.1, 1e-12) << "two of ten lie below";
  EXPECT_NEAR(result["early_share"].number(0), 0.2, 1e-12);
}

TEST(Memorisation, TinyOlmoeStepsAreThoseOfThePlainRuleAndSpreadWithDelta) {
  const std::filesystem::path file =
      std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-olmoe/sample_loss.npz";
  const Dataset table = read_table(file.string() + ":train_loss");
  const int64_t steps = table["train_loss"].shape()[0], samples = table["train_loss"].shape()[1];
  ASSERT_EQ(steps, 14);
  ASSERT_EQ(samples, 480);
  int64_t early[2] = {0, 0};
  std::set<int64_t> places[2];
  for (const int wide : {0, 1}) {
    const double delta = wide ? 0.2 : 0.05, epsilon = 3.0;
    for (int64_t i = 0; i < samples; ++i) {
      std::vector<double> curve;
      for (int64_t t = 0; t < steps; ++t) curve.push_back(table["train_loss"].number(t * samples + i));
      // The rule read from the left: the first t0 at which nothing later breaks it.
      int64_t plain = -1;
      for (int64_t t0 = 0; t0 < steps && plain < 0; ++t0) {
        bool holds = true;
        for (int64_t t = t0; t < steps; ++t)
          holds = holds && curve[static_cast<size_t>(t)] <= epsilon &&
                  std::abs(curve[static_cast<size_t>(t)] - curve.back()) <= delta;
        if (holds) plain = t0;
      }
      ASSERT_EQ(memorised_at(curve, epsilon, delta), plain);
      if (plain >= 0 && plain + 1 < steps) ++early[wide], places[wide].insert(plain);
    }
  }
  EXPECT_LE(places[0].size(), 2U) << "with 0.05 they fall in the last checkpoints";
  EXPECT_GE(places[1].size(), 3U) << "with 0.2 they spread";
  EXPECT_GT(early[1], early[0]);
}

}  // namespace
}  // namespace varve
