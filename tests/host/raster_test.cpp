// Triangles as pixels: every centre once, nothing outside, glyphs and pictures as they are stored.
#include "viz/host/raster.h"

#include <gtest/gtest.h>
#include <imgui.h>
#include <imgui_internal.h>

#include <cmath>
#include <limits>
#include <random>

namespace varve {
namespace {

constexpr int64_t columns = 40, rows = 30, beside = 8;
constexpr uint32_t white = 0xffffffffU, untouched = 0x12345678U;

// A draw list of our own over a small picture whose rows have pixels beside them that nobody may touch.
class Raster : public testing::Test {
 protected:
  Raster() : pixels_(static_cast<size_t>(rows * (columns + beside)), untouched) {
    glyphs_.rows = 2;
    glyphs_.columns = 4;
    glyphs_.glyphs = covered_;
    list_._ResetForNewFrame();
    list_.PushClipRect({0, 0}, {static_cast<float>(columns), static_cast<float>(rows)});
    list_.PushTextureID(&glyphs_);
    list_.Flags = 0;
  }
  static inline ImDrawListSharedData shared_;
  ImDrawList list_{&shared_};
  Texture glyphs_;
  // The last texel is what plain shapes are drawn with.
  std::vector<uint8_t> covered_ = {0, 51, 102, 255, 0, 255, 255, 255};
  const ImVec2 plain_ = {0.875F, 0.75F};
  std::vector<uint32_t> pixels_;

  void triangle(ImVec2 a, ImVec2 b, ImVec2 c, ImU32 color) {
    list_.PrimReserve(3, 3);
    const unsigned first = list_._VtxCurrentIdx;
    for (const ImVec2& corner : {a, b, c}) list_.PrimWriteVtx(corner, plain_, color);
    for (unsigned i = 0; i < 3; ++i) list_.PrimWriteIdx(static_cast<ImDrawIdx>(first + i));
  }
  void box(ImVec2 from, ImVec2 to, ImVec2 uv_from, ImVec2 uv_to, ImU32 color) {
    list_.PrimReserve(6, 4);
    list_.PrimRectUV(from, to, uv_from, uv_to, color);
  }
  void paint_all() {
    ImDrawList* lists[] = {&list_};
    list_._PopUnusedDrawCmd();
    ImDrawData data;
    data.Valid = true;
    data.CmdListsCount = 1;
    data.CmdLists = lists;
    paint(data, {255, 255, 255, 255}, {pixels_.data(), rows, columns, columns + beside});
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = columns; x < columns + beside; ++x)
        ASSERT_EQ(pixels_[static_cast<size_t>(y * (columns + beside) + x)], untouched) << "beside row " << y;
  }
  uint32_t at(int64_t x, int64_t y) const { return pixels_[static_cast<size_t>(y * (columns + beside) + x)]; }
  int64_t painted() const {
    int64_t count = 0;
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x) count += at(x, y) != white;
    return count;
  }
};

TEST_F(Raster, ABoxCoversThePixelsWhoseCentresLieInIt) {
  box({2, 3}, {5, 4}, plain_, plain_, IM_COL32(255, 0, 0, 255));
  box({10.4F, 10.5F}, {12.6F, 11.5F}, plain_, plain_, IM_COL32(0, 0, 255, 255));
  paint_all();
  EXPECT_EQ(painted(), 3 + 3);
  EXPECT_EQ(at(2, 3), 0xffff0000U);
  EXPECT_EQ(at(4, 3), 0xffff0000U);
  EXPECT_EQ(at(10, 10), 0xff0000ffU);
  EXPECT_EQ(at(12, 10), 0xff0000ffU);
}

TEST_F(Raster, AHalfSeeThroughColourIsTheMiddle) {
  box({0, 0}, {1, 1}, plain_, plain_, IM_COL32(0, 0, 0, 128));
  paint_all();
  EXPECT_EQ(at(0, 0), 0xff7f7f7fU);
}

// Whatever the corners: cut along a diagonal, each pixel of the whole is painted by one half alone.
TEST_F(Raster, TrianglesThatShareAnEdgeLeaveNeitherSeamNorDoubleCoat) {
  std::mt19937 random(7);
  const auto some = [&random](double most) {
    // Often on whole and half pixels, where ties are.
    const double value = static_cast<double>(random() % 4096) / 4096 * most;
    return static_cast<float>(random() % 2 ? value : std::round(2 * value) / 2);
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<ImVec2> corners;
    for (int i = 0; i < 3; ++i) corners.push_back({some(columns), some(rows)});
    const float share = some(1);
    const ImVec2 inside = {corners[0].x + (corners[1].x - corners[0].x) * share,
                           corners[0].y + (corners[1].y - corners[0].y) * share};
    const ImVec2 cut = {std::round(inside.x * 256) / 256, std::round(inside.y * 256) / 256};
    list_._ResetForNewFrame();
    list_.PushClipRect({0, 0}, {static_cast<float>(columns), static_cast<float>(rows)});
    list_.PushTextureID(&glyphs_);
    // A fan about the cut: its three parts meet along three edges.
    for (size_t i = 0; i < 3; ++i) triangle(corners[i], corners[(i + 1) % 3], cut, IM_COL32(0, 0, 0, 51));
    paint_all();
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x) {
        // Slivers of the fan may turn over by a step of the grid: a centre is then in two of them or none.
        const double px = static_cast<double>(x) + 0.5, py = static_cast<double>(y) + 0.5;
        double nearest = 1e9;
        int left_of = 0;
        for (size_t i = 0; i < 3; ++i) {
          const ImVec2 &a = corners[i], &b = corners[(i + 1) % 3];
          const double length = std::hypot(b.x - a.x, b.y - a.y);
          const double side = double{b.x - a.x} * (py - a.y) - double{b.y - a.y} * (px - a.x);
          if (length > 0) nearest = std::min(nearest, std::abs(side) / length);
          left_of += side > 0;
        }
        if (nearest < 0.02) continue;
        ASSERT_EQ(at(x, y), left_of == 0 || left_of == 3 ? 0xffccccccU : white)
            << std::hex << at(x, y) << std::dec << " at " << x << ", " << y << " in round " << round;
      }
  }
}

TEST_F(Raster, ATriangleIsWhatItsEdgesSay) {
  std::mt19937 random(11);
  const auto some = [&random] { return static_cast<float>(random() % 20480) / 256 - 20; };
  for (int round = 0; round < 500; ++round) {
    const ImVec2 a = {some(), some()}, b = {some(), some()}, c = {some(), some()};
    list_._ResetForNewFrame();
    list_.PushClipRect({0, 0}, {static_cast<float>(columns), static_cast<float>(rows)});
    list_.PushTextureID(&glyphs_);
    triangle(a, b, c, IM_COL32(0, 0, 0, 255));
    paint_all();
    const auto side = [](ImVec2 from, ImVec2 to, double x, double y) {
      return (double{to.x} - from.x) * (y - from.y) - (double{to.y} - from.y) * (x - from.x);
    };
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x) {
        const double px = static_cast<double>(x) + 0.5, py = static_cast<double>(y) + 0.5;
        const double s = side(a, b, px, py), t = side(b, c, px, py), u = side(c, a, px, py);
        if (s == 0 || t == 0 || u == 0) continue;
        const bool inside = (s > 0) == (t > 0) && (t > 0) == (u > 0);
        ASSERT_EQ(at(x, y) != white, inside) << x << ", " << y << " in round " << round;
      }
  }
}

TEST_F(Raster, AGlyphCoversAsMuchAsTheAtlasSays) {
  box({8, 8}, {12, 9}, {0, 0}, {1, 0.5F}, IM_COL32(0, 0, 0, 255));
  // Turned a quarter, as names of axes are: the text runs upwards.
  list_.PrimReserve(6, 4);
  list_.PrimQuadUV({20, 12}, {20, 8}, {21, 8}, {21, 12}, {0, 0}, {1, 0}, {1, 0.5F}, {0, 0.5F},
                   IM_COL32(0, 0, 0, 255));
  paint_all();
  const uint32_t expected[] = {0xffffffffU, 0xffccccccU, 0xff999999U, 0xff000000U};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(at(8 + i, 8), expected[i]) << i;
    EXPECT_EQ(at(20, 11 - i), expected[i]) << i;
  }
}

TEST_F(Raster, APictureKeepsItsColoursAndItsEdges) {
  Texture picture;
  picture.rows = 2;
  picture.columns = 2;
  picture.colors = {0xff102030U, 0xff405060U, 0xff708090U, 0x80000000U};
  list_.PushTextureID(&picture);
  box({1, 1}, {7, 5}, {0, 0}, {1, 1}, IM_COL32_WHITE);
  list_.PopTextureID();
  paint_all();
  EXPECT_EQ(painted(), 6 * 4);
  EXPECT_EQ(at(1, 1), 0xff102030U);
  EXPECT_EQ(at(3, 2), 0xff102030U);
  EXPECT_EQ(at(4, 2), 0xff405060U);
  EXPECT_EQ(at(3, 3), 0xff708090U);
  EXPECT_EQ(at(6, 4), 0xff7f7f7fU) << "half of black on white";
}

TEST_F(Raster, NothingIsPaintedOutsideTheClip) {
  list_.PushClipRect({5, 5}, {9, 8});
  triangle({-100, -100}, {300, -100}, {20, 400}, IM_COL32(0, 0, 0, 255));
  box({-50, -50}, {5000, 5000}, plain_, plain_, IM_COL32(0, 0, 0, 255));
  list_.PopClipRect();
  paint_all();
  EXPECT_EQ(painted(), 4 * 3);
}

TEST_F(Raster, CornersThatAreNowhereArePassedOver) {
  const float nowhere[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                           1e30F, -1e30F};
  for (const float bad : nowhere) {
    triangle({bad, 3}, {5, 5}, {9, 3}, IM_COL32(0, 0, 0, 255));
    triangle({3, 3}, {5, bad}, {9, 3}, IM_COL32(0, 0, 0, 255));
    box({bad, 3}, {9, 9}, plain_, plain_, IM_COL32(0, 0, 0, 255));
  }
  triangle({4, 4}, {4, 4}, {4, 4}, IM_COL32(0, 0, 0, 255));
  paint_all();
  EXPECT_EQ(painted(), 0);
}

TEST_F(Raster, ALargeTriangleIsStillExact) {
  // Its slanted edge runs through the picture's corner and beyond both ends of it.
  triangle({-3.9e6F, -3.9e6F}, {3.9e6F, 3.9e6F}, {3.9e6F, -3.9e6F}, IM_COL32(0, 0, 0, 255));
  paint_all();
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < columns; ++x) {
      if (x == y) continue;  // on the edge: whose it is another test says
      ASSERT_EQ(at(x, y) != white, x > y) << x << ", " << y;
    }
}

}  // namespace
}  // namespace varve
