// Copied tables: one row a place, units in the heading, nothing that would start a new cell.
#include "viz/tsv.h"

#include <gtest/gtest.h>

#include "tests/support/lens_data.h"
#include "viz/badge.h"

namespace varve {
namespace {

TEST(Tsv, OneRowAPlaceAndNarrowerArraysRepeat) {
  Dataset data;
  Array loss({"layer", "pos"}, {2, 2}, std::vector<double>{0.1, 2, 3, 4});
  loss.unit = "nats";
  data.set("loss", loss);
  data.set("token", Array({"pos"}, {2}, std::vector<std::string>{"a\tb", "c"}));
  data.set_coord("layer", Array({"layer"}, {2}, std::vector<int64_t>{5, 7}));
  EXPECT_EQ(tsv_of(data),
            "layer\tpos\tloss (nats)\ttoken\n5\t0\t0.1\ta b\n5\t1\t2\tc\n7\t0\t3\ta b\n7\t1\t4\tc\n");
}

TEST(Tsv, ArraysOverOtherAxesAreBlocksOfTheirOwn) {
  Dataset data;
  data.set("a", Array({"layer"}, {2}, std::vector<int64_t>{1, 2}));
  data.set("b", Array({"head"}, {1}, std::vector<int64_t>{3}));
  EXPECT_EQ(tsv_of(data), "layer\ta\n0\t1\n1\t2\n\nhead\tb\n0\t3\n");
}

TEST(Tsv, EveryViewsNumbersCanBeCopied) {
  const Dataset lens = testing_support::lens_data();
  for (const View* view : views_for(lens)) {
    const std::string text = tsv_of(*view, lens, {}, {});
    EXPECT_NE(text.find('\t'), std::string::npos) << view->name;
    EXPECT_EQ(text.back(), '\n') << view->name;
  }
}

TEST(Badge, NamesTheWeakestFactFirst) {
  Dataset data;
  EXPECT_EQ(badge_of(data).words, "no checks");
  data.checks.push_back({"rows sum to 1", 1e-7, 1e-5, 64, true, ""});
  EXPECT_EQ(badge_of(data).words, "1 check");
  EXPECT_EQ(badge_of(data).tone, Tone::ok);
  EXPECT_EQ(badge_of(data, "n = 7 < 8").tone, Tone::warn);
  data.checks.push_back({"last layer = output", 1, 0, 64, false, ""});
  EXPECT_EQ(badge_of(data, "n = 7 < 8").words, "last layer = output");
  EXPECT_EQ(badge_of(data).tone, Tone::fail);
  EXPECT_EQ(badge_of(data).facts.size(), 2U);
}

TEST(Options, APlaceIsPutIntoTheListOrReplacedThere) {
  EXPECT_EQ(with_place("", "step", 3), "step=3");
  EXPECT_EQ(with_place("prompt=1,step=3", "step", 4), "prompt=1,step=4");
  EXPECT_EQ(with_place("prompt=1", "step", 0), "prompt=1,step=0");
}

}  // namespace
}  // namespace varve
