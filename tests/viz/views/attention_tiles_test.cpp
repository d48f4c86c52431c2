// The view "attention-tiles": whole rows and largest weights, each tile's cell where it belongs.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/core/error.h"
#include "tests/support/view_pictures.h"
#include "viz/attention_layout.h"

namespace varve {
namespace {

using testing_support::attention_weights;
using testing_support::draw_view;
using testing_support::drawn_numbers;

// The same weights as each query's largest `ranks`.
Dataset largest_of(const Dataset& data, int64_t ranks) {
  const Array& pattern = data["pattern"];
  const int64_t keys = pattern.extent("key"), rows = pattern.size() / keys;
  std::vector<float> weights;
  std::vector<int64_t> ids;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<int64_t> order(static_cast<size_t>(keys));
    for (int64_t k = 0; k < keys; ++k) order[static_cast<size_t>(k)] = k;
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return pattern.number(row * keys + a) > pattern.number(row * keys + b);
    });
    for (int64_t r = 0; r < ranks; ++r) {
      ids.push_back(order[static_cast<size_t>(r)]);
      weights.push_back(static_cast<float>(pattern.number(row * keys + ids.back())));
    }
  }
  std::vector<int64_t> shape = pattern.shape();
  shape.back() = ranks;
  Dataset out;
  out.set("pattern", Array({"layer", "head", "query", "rank"}, shape, std::move(weights)));
  out.set("pattern_key", Array({"layer", "head", "query", "rank"}, shape, std::move(ids)));
  return out;
}

TEST(AttentionTiles, IsTheViewOfQueriesAndKeys) {
  EXPECT_EQ(best_view(attention_weights())->name, "attention-tiles");
  EXPECT_EQ(best_view(largest_of(attention_weights(), 3))->name, "attention-tiles");
}

TEST(AttentionTiles, OfTheSelectedLayerAreItsHeadsAlone) {
  const Dataset data = attention_weights();
  const AttentionData a = attention_data(data, "pattern", {}, {});
  Selection s;
  s.at = {{"layer", 0}};
  EXPECT_EQ(written_out(a, "layer", s).substr(0, 9), "L0H0,L0H1");
  for (const AttentionHead& head : heads_of(a, written_out(a, "layer", s))) EXPECT_EQ(head.layer, 0);
  EXPECT_EQ(heads_of(a, written_out(a, "layer", {})).front().layer, a.layers - 1) << "none is selected";
  EXPECT_EQ(heads_of(a, written_out(a, "layer", s)).size(), static_cast<size_t>(a.heads));
  EXPECT_EQ(written_out(a, "L1H0", s), "L1H0");
  const Dataset out = drawn_numbers("attention-tiles", data, {{"heads", "layer"}});
  EXPECT_EQ(out["pattern"].extent("drawn_head"), a.heads);
}

TEST(AttentionTiles, ACellHitsItsHeadQueryAndKey) {
  const Dataset data = attention_weights();
  for (const char* heads : {"", "L0H1,L1H0"}) {
    const auto picture = draw_view("attention-tiles", data, {{"heads", heads}});
    Selection s;
    s.at = {{"layer", 1}, {"head", 0}};
    const auto tile = picture.drawn.where(s);
    ASSERT_TRUE(tile);
    const double each = tile->w / 12;
    const auto hit = picture.drawn.hit({tile->x + 2.5 * each, tile->y + 7.5 * each});
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->at.at("layer"), 1);
    EXPECT_EQ(hit->at.at("head"), 0);
    EXPECT_EQ(hit->at.at("query"), 7);
    EXPECT_EQ(hit->at.at("key"), 2);
  }
}

TEST(AttentionTiles, EveryPixelShowsTheLargestWeightThatFallsOnIt) {
  const Dataset data = attention_weights(1, 1, 50);
  const AttentionData a = attention_data(data, "pattern", {}, {});
  std::vector<float> pixels;
  a.largest(0, 0, 10, 10, 0, 0, 10, 10, pixels);
  for (int64_t y = 0; y < 10; ++y)
    for (int64_t x = 0; x < 10; ++x) {
      double most = -1;
      for (int64_t q = y * 5; q < y * 5 + 5; ++q)
        for (int64_t k = x * 5; k < x * 5 + 5; ++k) most = std::max(most, data["pattern"].number(q * 50 + k));
      EXPECT_EQ(pixels[static_cast<size_t>(y * 10 + x)], static_cast<float>(most)) << x << "," << y;
    }
  // A part of it is that part.
  std::vector<float> part;
  a.largest(0, 0, 10, 10, 3, 4, 5, 2, part);
  for (int64_t y = 0; y < 2; ++y)
    for (int64_t x = 0; x < 5; ++x)
      EXPECT_EQ(part[static_cast<size_t>(y * 5 + x)], pixels[static_cast<size_t>((y + 4) * 10 + x + 3)]);
}

TEST(AttentionTiles, AllOfTheLargestAreTheWholeRows) {
  const Dataset whole = attention_weights(1, 1, 20), sparse = largest_of(whole, 20);
  const AttentionData a = attention_data(whole, "pattern", {}, {}),
                      b = attention_data(sparse, "pattern", {}, {});
  std::vector<float> p, q;
  a.largest(0, 0, 7, 7, 0, 0, 7, 7, p);
  b.largest(0, 0, 7, 7, 0, 0, 7, 7, q);
  EXPECT_EQ(p, q);
  EXPECT_EQ(a.weight(0, 0, 9, 3), b.weight(0, 0, 9, 3));
}

TEST(AttentionTiles, ExportTheHeadsAskedFor) {
  const Dataset data = attention_weights();
  const Dataset out = drawn_numbers("attention-tiles", data, {{"heads", "L1H1"}});
  ASSERT_EQ(out["pattern"].shape(), (std::vector<int64_t>{1, 12, 12}));
  for (int64_t i = 0; i < 144; ++i) EXPECT_EQ(out["pattern"].number(i), data["pattern"].number(3 * 144 + i));
}

TEST(AttentionTiles, AHeadThatIsNotThereIsAUsageError) {
  for (const char* heads : {"L2H0", "L0", "H1", "3,4", "L0H0,"})
    if (std::string(heads) != "L0" && std::string(heads) != "H1") {
      EXPECT_THROW(draw_view("attention-tiles", attention_weights(), {{"heads", heads}}), Error) << heads;
    }
}

}  // namespace
}  // namespace varve
