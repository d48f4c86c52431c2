// The view "matrix": whatever the order, a cell shows and exports the pair it stands for.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/view_pictures.h"

namespace varve {
namespace {

using testing_support::draw_view;
using testing_support::drawn_numbers;

// Two families, mixed: things of one parity overlap.
Dataset pairs(int64_t n = 10) {
  std::vector<double> values;
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b < n; ++b)
      values.push_back(a == b ? 1.0 : (a % 2 == b % 2 ? 0.8 : 0.1) + 0.001 * static_cast<double>(a + b));
  Dataset data;
  data.title = "Overlap";
  data.set("overlap", Array({"src", "dst"}, {n, n}, std::move(values)));
  return data;
}

TEST(Matrix, IsTheViewOfPairs) { EXPECT_EQ(best_view(pairs())->name, "matrix"); }

TEST(Matrix, ACellsCentreHitsThePairInEveryOrder) {
  const Dataset data = pairs();
  for (const char* order : {"as-is", "by-value", "clustered"}) {
    const auto picture = draw_view("matrix", data, {{"order", order}});
    for (const int64_t src : {0, 4, 9})
      for (const int64_t dst : {1, 9}) {
        Selection s;
        s.at = {{"src", src}, {"dst", dst}};
        const auto box = picture.drawn.where(s);
        ASSERT_TRUE(box) << order;
        const auto hit = picture.drawn.hit({box->x + box->w / 2, box->y + box->h / 2});
        ASSERT_TRUE(hit) << order;
        EXPECT_EQ(hit->at.at("src"), src) << order;
        EXPECT_EQ(hit->at.at("dst"), dst) << order;
      }
  }
}

TEST(Matrix, ExportsItsCellsInTheOrderDrawnWithTheirNames) {
  const Dataset data = pairs();
  const Dataset out = drawn_numbers("matrix", data, {{"order", "clustered"}});
  const Array &rows = *out.coord("src"), &columns = *out.coord("dst");
  EXPECT_TRUE(rows.same_values(
      Array({"src"}, {10}, std::vector<int64_t>(columns.as<int64_t>().begin(), columns.as<int64_t>().end()))))
      << "pairs of one kind keep one order";
  for (int64_t r = 0; r < 10; ++r)
    for (int64_t c = 0; c < 10; ++c)
      EXPECT_EQ(out["overlap"].number(r * 10 + c),
                data["overlap"].number(static_cast<int64_t>(rows.number(r)) * 10 +
                                       static_cast<int64_t>(columns.number(c))));
  // The two families stand in two blocks.
  for (int64_t i = 1; i < 5; ++i)
    EXPECT_EQ(static_cast<int64_t>(rows.number(i)) % 2, static_cast<int64_t>(rows.number(0)) % 2);
}

TEST(Matrix, BothSignsAreColouredAroundZero) {
  Dataset data;
  data.set("w", Array({"src", "dst"}, {2, 2}, std::vector<double>{-1, 1, 0.5, -0.5}));
  const std::string automatic = draw_view("matrix", data).canvas->finish();
  EXPECT_EQ(automatic, draw_view("matrix", data, {{"map", "tide"}}).canvas->finish());
  EXPECT_NE(automatic, draw_view("matrix", data, {{"map", "strata"}}).canvas->finish());
}

}  // namespace
}  // namespace varve
