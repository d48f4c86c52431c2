// Which heads do more than chance or noise.
#include "app/session/heads_above.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace varve {
namespace {

using Members = std::vector<std::map<std::string, int64_t>>;

Dataset scores() {
  Dataset data;
  data.set("induction", Array({"layer", "head"}, {2, 2}, std::vector<double>{0.1, 0.9, 0.21, NAN}));
  data.set("induction_chance", Array({}, {}, std::vector<double>{0.2}));
  return data;
}

TEST(HeadsAboveFloor, AreThoseWhoseScoreIsAboveChance) {
  const NamedSet set = heads_above_floor(scores(), "", {}, {});
  EXPECT_EQ(set.name, "induction above chance");
  EXPECT_EQ(set.axis, "head");
  EXPECT_EQ(set.members, (Members{{{"layer", 0}, {"head", 1}}, {{"layer", 1}, {"head", 0}}}));
}

TEST(HeadsAboveFloor, TheWholeIntervalMustLieAbove) {
  Dataset data = scores();
  data.set("induction_low", Array({"layer", "head"}, {2, 2}, std::vector<double>{0, 0.8, 0.19, NAN}));
  EXPECT_EQ(heads_above_floor(data, "induction", {}, {}).members, (Members{{{"layer", 0}, {"head", 1}}}));
}

TEST(HeadsAboveFloor, NoiseIsASizeAndStandsAtEachStepAndHead) {
  Dataset data;
  data.set("effect", Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{9, 9, -0.5, 0.1}));
  data.set("effect_noise", Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{0, 0, 0.2, 0.2}));
  EXPECT_EQ(heads_above_floor(data, "effect", {}, {.at = {{"step", 1}}}).members,
            (Members{{{"layer", 0}, {"head", 0}}}))
      << "an effect of the other sign is one, too";
  EXPECT_EQ(heads_above_floor(data, "effect", {{"step", 0}}, {.at = {{"step", 1}}}).members.size(), 2)
      << "a place that is given goes before the selected one";
}

TEST(HeadsAboveFloor, WithoutAFloorOrWithoutHeadsItSaysSo) {
  Dataset data = scores();
  expect_error([&] { heads_above_floor(Dataset(), "", {}, {}); }, {"no scores by layer and head"});
  data.set("copying", Array({"layer", "head"}, {2, 2}, std::vector<double>{1, 1, 1, 1}));
  expect_error([&] { heads_above_floor(data, "copying", {}, {}); }, {"how much chance or noise"});
  Dataset low;
  low.set("induction", Array({"layer", "head"}, {1, 1}, std::vector<double>{0.1}));
  low.set("induction_chance", Array({}, {}, std::vector<double>{0.2}));
  expect_error([&] { heads_above_floor(low, "", {}, {}); }, {"None of 1 heads"});
}

}  // namespace
}  // namespace varve
