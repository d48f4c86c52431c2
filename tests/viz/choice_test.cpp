// Which array of a result a view shows when nobody says which.
#include "viz/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using testing::ElementsAre;

Array numbers(const std::string& unit) {
  Array array({"layer", "head"}, {1, 2}, std::vector<double>{1, 2});
  array.unit = unit;
  return array;
}

Dataset scores() {
  Dataset data;
  data.set("entropy", numbers("nats"));
  data.set("induction", numbers("share"));
  data.set("induction_low", numbers("share"));
  data.set("step_of", numbers(""));
  return data;
}

double nats_first(const Array& array) { return array.unit.empty() ? 0 : array.unit == "nats" ? 2 : 1; }

TEST(Choice, OnlyAxesThatCountOrMeasureAreMeasuredAlong) {
  Dataset data = scores();
  data.set_coord("head", Array({"head"}, {2}, std::vector<int64_t>{4, 9}));
  EXPECT_FALSE(numbered(data, "head", 1)) << "the difference of two heads' numbers says nothing";
  EXPECT_EQ(numbered(data, "layer", 0)->value, 0);
  EXPECT_FALSE(numbered(data, "word", 0));
  data.set("loss", Array({"step"}, {2}, std::vector<double>{1, 2}));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 1000}));
  EXPECT_EQ(numbered(data, "step", 1)->value, 1000);
  EXPECT_FALSE(numbered(data, "step", 2));
}

TEST(Choice, ArraysComeByScoreWithoutCompanions) {
  EXPECT_THAT(arrays_by(scores(), nats_first), ElementsAre("entropy", "induction"));
}

TEST(Choice, WhatTheResultPutsFirstComesFirst) {
  Dataset data = scores();
  data.provenance["leading_array"] = "induction";
  EXPECT_THAT(arrays_by(data, nats_first), ElementsAre("induction", "entropy"));
}

TEST(Choice, WhatAViewCannotShowIsNotPutFirst) {
  Dataset data = scores();
  data.provenance["leading_array"] = "step_of";
  EXPECT_THAT(arrays_by(data, nats_first), ElementsAre("entropy", "induction"));
}

}  // namespace
}  // namespace varve
