// Specialisation of a planted router and of published counts.
#include <cmath>
#include <filesystem>

#include "loaders/table.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, ExpertsThatPartTheDomainsTellWhichItIs) {
  const Dataset series = run("expert-specialisation", {}, domains()).result;
  expect_passed(series);
  EXPECT_NEAR(value(series, "information", {1, 0}), 0, 1e-12) << "layer 0 treats everyone alike";
  EXPECT_NEAR(value(series, "information", {1, 1}), std::log(2), 1e-9)
      << "in layer 1 the expert gives the domain away";
  EXPECT_NEAR(value(series, "entropy", {1, 1, 0}), std::log(2) / std::log(6), 1e-9);
  EXPECT_NEAR(value(series, "share", {1, 1, 0, 0}), 1, 1e-9) << "all tokens of A choose expert 0";
  EXPECT_EQ(value(series, "share", {1, 1, 1, 0}), 0);
  EXPECT_LT(value(series, "information_floor", {1, 1}), std::log(2));
  // Six samples can be labelled in 20 ways; two give all the information.
  EXPECT_NEAR(value(series, "information_p", {1, 1}), 0.1, 0.06);
}

TEST_F(PlantedSeries, OneDomainIsNotEnough) { EXPECT_THROW(run("expert-specialisation"), Error); }

TEST_F(PlantedSeries, PublishedCountsGiveTheirPublishedEntropies) {
  const std::filesystem::path folder =
      std::filesystem::path(VARVE_SHARED) / "real/olmoe-routing/scripts/routing_output";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published counts are not here";
  const Dataset counts = read_table((folder / "olmoe/expert_counts").string());
  const Dataset series = run("expert-specialisation", {}, {{"counts", counts}}).result;
  int64_t c4 = 0;
  while (series.coord("group")->text(c4) != "c4") ++c4;
  EXPECT_NEAR(value(series, "entropy", {0, c4}), .9897, 5e-5);
  EXPECT_NEAR(value(series, "entropy", {1, c4}), .9817, 5e-5);
  EXPECT_NEAR(value(series, "entropy", {2, c4}), .9683, 5e-5);
  // Between domain and expert over the six domains, each weighing the same; worked out apart from this code.
  EXPECT_NEAR(value(series, "information", {0}), .1078, 5e-5);
  EXPECT_NEAR(value(series, "information", {1}), .2429, 5e-5);
  EXPECT_NEAR(value(series, "information", {2}), .2993, 5e-5);
  // Between the experts of layers 0 and 7, 7 and 15.
  const Dataset joint = read_table((folder / "olmoe/expert_counts_crosslayer_top1").string());
  const Dataset layers = run("expert-specialisation", {}, {{"counts", joint}}).result;
  EXPECT_NEAR(value(layers, "layer_information", {0, 0}), .3408, 5e-5);
  EXPECT_NEAR(value(layers, "layer_information", {1, 1}), .5370, 5e-5);
  const Dataset mixtral = read_table((folder / "mistral/expert_counts_crosslayer").string());
  const Dataset few = run("expert-specialisation", {}, {{"counts", mixtral}}).result;
  EXPECT_NEAR(value(few, "layer_information", {0, 0}), .0196, 5e-5);
  EXPECT_NEAR(value(few, "layer_information", {1, 0}), .0393, 5e-5);
}

}  // namespace
}  // namespace varve
