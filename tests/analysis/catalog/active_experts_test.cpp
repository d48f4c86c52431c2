// Other numbers of active experts: the model's own number gives the model's own losses.
#include <cmath>

#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, ExpertsThatWriteNothingChangeNoLoss) {
  const Dataset joined = run("active-experts", {{"counts", "1,2,6"}}).result;
  expect_passed(joined);
  for (int64_t i = 1; i < 3; ++i)
    EXPECT_EQ(value(joined, "loss", {0, i}), value(joined, "loss", {0, 0})) << "the experts write zeros";
  EXPECT_EQ(value(joined, "jaccard_structural", {0, 0, 2}), 1) << "the same draw solves the same";
  EXPECT_LT(value(joined, "jaccard_sampling", {0, 0}), 1) << "other draws solve others";
  EXPECT_EQ(value(joined, "unique", {0, 1}), 0);
}

TEST(ActiveExperts, TheModelsOwnNumberGivesTheSampleLosses) {
  TempFolder temp;
  Task task;
  import_series({.source = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-olmoe",
                 .store = temp.path() / "s.varve",
                 .steps = "4000"},
                task);
  const auto store = RunStore::open(temp.path() / "s.varve");
  RunRequest request;
  request.probes = Probes{{{0, 40, 300, 7, 300, 41}, {0, 512, 90, 91, 700}}, "test"};
  request.analysis = "active-experts";
  request.settings = {{"counts", "1,4,16"}, {"bootstrap", "100"}};
  const Dataset active = run_analysis(store, request, task).result;
  request.analysis = "sample-loss";
  request.settings = {};
  const Dataset plain = run_analysis(store, request, task).result;
  const double mean = (plain["sample_loss"].number(0) * 5 + plain["sample_loss"].number(1) * 4) / 9;
  EXPECT_NEAR(active["loss"].number(1), mean, 1e-9) << "four experts are the model's own";
  EXPECT_GT(std::abs(active["loss"].number(0) - mean), 1e-3) << "one expert is another model";
  EXPECT_EQ(active["loss_n"].number(0), 9);
}

TEST_F(PlantedSeries, ImportedAnswersGiveSolvedSets) {
  Dataset table;
  table.set("correct", Array({"row", "column"}, {2, 4}, std::vector<int64_t>{1, 1, 0, 0, 0, 1, 1, 0}));
  const Dataset result = run("active-experts", {}, {{"correct", table}}).result;
  EXPECT_EQ(result["accuracy"].number(0), 0.5);
  EXPECT_NEAR(value(result, "jaccard_structural", {0, 1}), 1.0 / 3, 1e-12);
  EXPECT_EQ(result["unique"].number(1), 1);
  EXPECT_EQ(result["oracle"].number(0), 0.75);
}

TEST_F(PlantedSeries, MoreExpertsThanThereAreIsRefused) {
  EXPECT_THROW(run("active-experts", {{"counts", "7"}}), Error);
}

}  // namespace
}  // namespace varve
