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
