// Pathway strings and consistency against numbers worked out by hand.
#include "analysis/pathways/pathway.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/pathways/edit_distance.h"

namespace varve {
namespace {

using Layers = std::vector<std::vector<double>>;

std::vector<std::vector<int64_t>> path_of(const Layers& weights, double theta) {
  std::vector<std::vector<int64_t>> path;
  for (const auto& layer : weights) path.push_back(layer_path(layer, theta));
  return path;
}

const Layers first{{.5, .3, .15, .05}, {.1, .6, .2, .1}}, second{{.4, .15, .35, .1}, {.05, .1, .72, .13}};

TEST(Pathway, TwoSamplesGiveTheStringsAndDistancesWorkedOutByHand) {
  const auto a = path_of(first, 0.7), b = path_of(second, 0.7);
  EXPECT_EQ(path_text(a), "0,1-1,2");
  EXPECT_EQ(path_text(b), "0,2-2");
  EXPECT_EQ(edit_distance(path_text(a), path_text(b)), 3);
  EXPECT_EQ(edit_distance(path_symbols(a, 4), path_symbols(b, 4)), 2);
  EXPECT_EQ(edit_distance(a[0], b[0]), 1);
  EXPECT_EQ(edit_distance(a[1], b[1]), 1);
}

TEST(Pathway, ConsistencyIsTheNumberWorkedOutByHand) {
  const std::vector<std::vector<std::vector<double>>> v{
      {{1, 0}, {0, 1}, {1, 1}, {1, -1}}, {{1, 1}, {0, 1}, {1, 0}, {-1, 1}}, {{1, 0}, {1, 2}, {0, 1}, {1, 1}}};
  const Layers g{{.5, .3, .15, .05}, {.1, .6, .2, .1}, {.25, .25, .25, .25}};
  std::vector<std::vector<double>> e;
  for (size_t l = 0; l < 3; ++l) {
    e.push_back({0, 0});
    for (size_t k = 0; k < 4; ++k)
      for (size_t d = 0; d < 2; ++d) e[l][d] += g[l][k] * v[l][k][d];
  }
  EXPECT_NEAR(e[0][0], .7, 1e-12);
  EXPECT_NEAR(e[1][1], .8, 1e-12);
  EXPECT_NEAR(e[2][1], 1.0, 1e-12);
  const Consistency c = consistency_of(e);
  EXPECT_NEAR(c.cosines[0], .6919053632, 5e-11);
  EXPECT_NEAR(c.cosines[1], .9216353751, 5e-11);
  EXPECT_NEAR(c.inconsistency, 0.1246317, 5e-8);
  EXPECT_EQ(c.consistency, 1 - c.inconsistency);
  EXPECT_NEAR(c.mean_cosine, (.6919053632 + .9216353751) / 2, 1e-10);
}

TEST(Pathway, EqualWeightsTakeTheLowerExpertFirst) {
  EXPECT_EQ(layer_path(std::vector<double>{.25, .25, .25, .25}, 0.5), (std::vector<int64_t>{0, 1, 2}));
}

TEST(Pathway, ASumThatOnlyReachesThetaDoesNotExceedIt) {
  EXPECT_EQ(layer_path(std::vector<double>{.4, .3, .2, .1}, 0.7), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_LT(margin_of(std::vector<double>{.4, .3, .2, .1}, 0.7).theta, 1e-12);
}

TEST(Pathway, MarginsNameTheNearestOtherPath) {
  const PathMargin margin = margin_of(std::vector<double>{.5, .3, .15, .05}, 0.7);
  EXPECT_NEAR(margin.theta, .1, 1e-12) << ".8 and .5 against .7";
  EXPECT_NEAR(margin.order, .15, 1e-12) << ".3 before .15";
}

TEST(Pathway, EdgeCasesAreFlaggedAndNotAveraged) {
  const std::vector<std::vector<double>> turned{{1, 0}, {-1, 0}, {1, 0}};
  const Consistency against = consistency_of(turned);
  EXPECT_TRUE(against.no_positive_cosine);
  EXPECT_TRUE(std::isnan(against.inconsistency));
  EXPECT_EQ(against.mean_cosine, -1);
  const std::vector<std::vector<double>> still{{1, 0}, {0, 0}, {1, 0}};
  EXPECT_TRUE(consistency_of(still).zero_embedding);
  EXPECT_TRUE(std::isnan(consistency_of(still).mean_cosine));
  const std::vector<std::vector<double>> two{{1, 0}, {1, 1}};
  EXPECT_NEAR(consistency_of(two).inconsistency, 0, 1e-7) << "zero by construction with two layers";
}

TEST(Pathway, RelabellingExpertsAlikeEverywhereKeepsExpertDistances) {
  const auto relabelled = [](Layers weights) {
    for (auto& layer : weights) layer = {layer[2], layer[0], layer[3], layer[1]};
    return weights;
  };
  EXPECT_EQ(edit_distance(path_symbols(path_of(relabelled(first), .7), 4),
                          path_symbols(path_of(relabelled(second), .7), 4)),
            edit_distance(path_symbols(path_of(first, .7), 4), path_symbols(path_of(second, .7), 4)));
}

TEST(Pathway, EntropyOfEvenWeightsIsTheLogarithmOfTheirNumber) {
  EXPECT_NEAR(entropy_nats(std::vector<double>{2, 2, 2, 2}), std::log(4), 1e-12);
  EXPECT_EQ(entropy_nats(std::vector<double>{1, 0, 0}), 0);
}

}  // namespace
}  // namespace varve
