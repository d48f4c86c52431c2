// Boxes are filled row by row; other triangles span by span, their corners on a grid of 1/256 pixel.
#include "viz/host/raster.h"

#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace varve {
namespace {

constexpr uint32_t opaque = 0xff000000U;
constexpr int64_t grid = 256;     // steps of a pixel that corners fall on
constexpr float far_away = 4e6F;  // pixels; products of two, in grid steps, still fit

// Bounds in whole pixels, the second ones outside.
struct Clip {
  int64_t left, top, right, bottom;
};

// 0xAABBGGRR as ImGui packs it, to 0xAARRGGBB.
uint32_t turned(ImU32 color) {
  return (color & 0xff00ff00U) | ((color & 0xffU) << 16U) | ((color >> 16U) & 0xffU);
}

// `weight` 0 to 255 of `over` on `under`; both channels of a pair at once.
uint32_t mixed(uint32_t under, uint32_t over, uint32_t weight) {
  const uint32_t rest = 255 - weight;
  const auto pair = [weight, rest](uint32_t low, uint32_t high) {
    const uint32_t sum = high * weight + low * rest + 0x00800080U;
    return ((sum + ((sum >> 8U) & 0x00ff00ffU)) >> 8U) & 0x00ff00ffU;
  };
  return opaque | pair(under & 0x00ff00ffU, over & 0x00ff00ffU) |
         (pair((under >> 8U) & 0x00ff00ffU, (over >> 8U) & 0x00ff00ffU) << 8U);
}

void lay(uint32_t& pixel, uint32_t color, uint32_t alpha) {
  if (alpha == 255)
    pixel = color | opaque;
  else if (alpha > 0)
    pixel = mixed(pixel, color, alpha);
}

uint32_t product(uint32_t a, uint32_t b) { return (a * b + 127) / 255; }  // of two shares of 255

// How much of the glyph covers this place of the atlas, 0 to 255.
uint32_t covered(const Texture& texture, float u, float v) {
  const float x = u * static_cast<float>(texture.columns) - 0.5F;
  const float y = v * static_cast<float>(texture.rows) - 0.5F;
  const float left = std::floor(x), top = std::floor(y);
  const float across = x - left, down = y - top;
  const auto at = [&texture](float row, float column) {
    const auto r = std::clamp<int64_t>(static_cast<int64_t>(row), 0, texture.rows - 1);
    const auto c = std::clamp<int64_t>(static_cast<int64_t>(column), 0, texture.columns - 1);
    return static_cast<float>(texture.glyphs[static_cast<size_t>(r * texture.columns + c)]);
  };
  const float above = at(top, left) * (1 - across) + at(top, left + 1) * across;
  if (down == 0) return static_cast<uint32_t>(above + 0.5F);
  const float below = at(top + 1, left) * (1 - across) + at(top + 1, left + 1) * across;
  return static_cast<uint32_t>(above * (1 - down) + below * down + 0.5F);
}

uint32_t texel(const Texture& texture, float u, float v) {
  const auto row = std::clamp<int64_t>(static_cast<int64_t>(std::floor(v * static_cast<float>(texture.rows))),
                                       0, texture.rows - 1);
  const auto column = std::clamp<int64_t>(
      static_cast<int64_t>(std::floor(u * static_cast<float>(texture.columns))), 0, texture.columns - 1);
  return texture.colors[static_cast<size_t>(row * texture.columns + column)];
}

// The first pixel whose centre is not left of `edge`.
int64_t first_centre(float edge) { return static_cast<int64_t>(std::ceil(edge - 0.5F)); }

class Painter {
 public:
  explicit Painter(const Pixels& pixels) : pixels_(pixels) {}

  void list(const ImDrawList& list, ImVec2 origin) {
    for (const ImDrawCmd& command : list.CmdBuffer) {
      if (command.UserCallback || !command.GetTexID()) continue;
      texture_ = static_cast<const Texture*>(command.GetTexID());
      const ImVec4& box = command.ClipRect;
      const auto bound = [](float value, int64_t most) {
        return static_cast<int64_t>(std::clamp(value, 0.0F, static_cast<float>(most)));
      };
      clip_ = {bound(box.x - origin.x, pixels_.columns), bound(box.y - origin.y, pixels_.rows),
               bound(box.z - origin.x, pixels_.columns), bound(box.w - origin.y, pixels_.rows)};
      if (clip_.left >= clip_.right || clip_.top >= clip_.bottom) continue;
      const ImDrawVert* corners = list.VtxBuffer.Data + command.VtxOffset;
      const ImDrawIdx* at = list.IdxBuffer.Data + command.IdxOffset;
      for (unsigned i = 0; i + 3 <= command.ElemCount; i += 3, at += 3) {
        // Two triangles over four corners in turn are what boxes, glyphs and pictures are made of.
        if (i + 6 <= command.ElemCount && at[3] == at[0] && at[4] == at[2] &&
            box_of(corners[at[0]], corners[at[1]], corners[at[2]], corners[at[5]])) {
          i += 3;
          at += 3;
          continue;
        }
        triangle(corners[at[0]], corners[at[1]], corners[at[2]]);
      }
    }
  }

 private:
  uint32_t* row(int64_t y) const { return pixels_.first + y * pixels_.stride; }

  // False where these four corners are no upright box of one colour.
  bool box_of(const ImDrawVert& a, const ImDrawVert& b, const ImDrawVert& c, const ImDrawVert& d) {
    if (a.col != b.col || a.col != c.col || a.col != d.col) return false;
    const bool level = a.pos.y == b.pos.y && b.pos.x == c.pos.x && c.pos.y == d.pos.y && d.pos.x == a.pos.x;
    const bool turned_round =
        a.pos.x == b.pos.x && b.pos.y == c.pos.y && c.pos.x == d.pos.x && d.pos.y == a.pos.y;
    if (!level && !turned_round) return false;
    if (a.uv.x + c.uv.x != b.uv.x + d.uv.x || a.uv.y + c.uv.y != b.uv.y + d.uv.y) return false;
    // Along x lies the side to b where the box is level, else the side to d.
    const ImDrawVert &beside = level ? b : d, &below = level ? d : b;
    const float width = beside.pos.x - a.pos.x, height = below.pos.y - a.pos.y;
    if (!(std::abs(a.pos.x) < far_away && std::abs(a.pos.y) < far_away && std::abs(c.pos.x) < far_away &&
          std::abs(c.pos.y) < far_away))
      return false;
    const Clip inside = {std::max(clip_.left, first_centre(std::min(a.pos.x, c.pos.x))),
                         std::max(clip_.top, first_centre(std::min(a.pos.y, c.pos.y))),
                         std::min(clip_.right, first_centre(std::max(a.pos.x, c.pos.x))),
                         std::min(clip_.bottom, first_centre(std::max(a.pos.y, c.pos.y)))};
    if (inside.left >= inside.right || inside.top >= inside.bottom) return true;
    const uint32_t color = turned(a.col), alpha = color >> 24U;
    const bool even = a.uv.x == c.uv.x && a.uv.y == c.uv.y;
    if (even) {
      even_box(inside, color,
               texture_->glyphs.empty() ? alpha : product(alpha, covered(*texture_, a.uv.x, a.uv.y)));
      return true;
    }
    const Plane u = {a.uv.x, (beside.uv.x - a.uv.x) / width, (below.uv.x - a.uv.x) / height, a.pos.x,
                     a.pos.y};
    const Plane v = {a.uv.y, (beside.uv.y - a.uv.y) / width, (below.uv.y - a.uv.y) / height, a.pos.x,
                     a.pos.y};
    if (texture_->glyphs.empty())
      picture(inside, u, v, color);
    else
      glyph(inside, u, v, color);
    return true;
  }

  // A number that changes evenly over the picture.
  struct Plane {
    float at, by_x, by_y, x, y;
    float operator()(int64_t px, int64_t py) const {
      return at + (static_cast<float>(px) + 0.5F - x) * by_x + (static_cast<float>(py) + 0.5F - y) * by_y;
    }
  };

  void even_box(const Clip& box, uint32_t color, uint32_t alpha) {
    if (alpha == 0) return;
    for (int64_t y = box.top; y < box.bottom; ++y)
      span(row(y) + box.left, box.right - box.left, color, alpha);
  }

  static void span(uint32_t* pixel, int64_t count, uint32_t color, uint32_t alpha) {
    if (alpha == 255)
      std::fill_n(pixel, count, color | opaque);
    else
      for (int64_t i = 0; i < count; ++i) pixel[i] = mixed(pixel[i], color, alpha);
  }

  void glyph(const Clip& box, const Plane& u, const Plane& v, uint32_t color) {
    const uint32_t alpha = color >> 24U;
    for (int64_t y = box.top; y < box.bottom; ++y) {
      uint32_t* const pixel = row(y);
      for (int64_t x = box.left; x < box.right; ++x)
        lay(pixel[x], color, product(alpha, covered(*texture_, u(x, y), v(x, y))));
    }
  }

  // Level pictures only: rows of the picture are rows of the texture.
  void picture(const Clip& box, const Plane& u, const Plane& v, uint32_t tint) {
    const uint32_t alpha = tint >> 24U;
    const bool copies = texture_->is_opaque && alpha == 255;
    if (u.by_y != 0 || v.by_x != 0) {
      for (int64_t y = box.top; y < box.bottom; ++y)
        for (int64_t x = box.left; x < box.right; ++x) {
          const uint32_t color = texel(*texture_, u(x, y), v(x, y));
          lay(row(y)[x], color, product(alpha, color >> 24U));
        }
      return;
    }
    columns_.clear();
    for (int64_t x = box.left; x < box.right; ++x)
      columns_.push_back(place(u(x, box.top), texture_->columns));
    const auto count = static_cast<size_t>(box.right - box.left);
    int64_t shown = -1;
    for (int64_t y = box.top; y < box.bottom; ++y) {
      const int64_t from = place(v(box.left, y), texture_->rows);
      uint32_t* const pixel = row(y) + box.left;
      if (copies && from == shown) {
        std::copy_n(row(y - 1) + box.left, count, pixel);
        continue;
      }
      shown = from;
      const uint32_t* const texels = texture_->colors.data() + from * texture_->columns;
      if (copies)
        for (size_t i = 0; i < count; ++i) pixel[i] = texels[columns_[i]];
      else
        for (size_t i = 0; i < count; ++i)
          lay(pixel[i], texels[columns_[i]], product(alpha, texels[columns_[i]] >> 24U));
    }
  }

  static int64_t place(float share, int64_t count) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::floor(share * static_cast<float>(count))), 0,
                               count - 1);
  }

  // Which side of an edge a centre lies on: x * a + y * b + c, in grid steps; inside where it is not below 0.
  struct Edge {
    int64_t a, b, c;
  };
  struct Corner {
    int64_t x, y;
  };

  static Edge edge_of(const Corner& from, const Corner& to) {
    const int64_t a = from.y - to.y, b = to.x - from.x;
    // A centre on the edge belongs to the triangle below it or right of it.
    const bool keeps = a > 0 || (a == 0 && b > 0);
    return {a, b, -(a * from.x + b * from.y) - (keeps ? 0 : 1)};
  }

  static int64_t floor_of(int64_t value) { return value >= 0 ? value / grid : -((-value + grid - 1) / grid); }

  // Along one row: x * by + rest >= 0, x in pixels. A quotient in floating point, made exact by a step.
  struct Bound {
    int64_t by, rest, by_row;
    double inverse;
    Bound(const Edge& edge, int64_t row)
        : by(edge.a * grid),
          rest(edge.b * (row * grid + grid / 2) + edge.c + edge.a * (grid / 2)),
          by_row(edge.b * grid),
          inverse(by == 0 ? 0 : 1 / static_cast<double>(by)) {}
    bool holds(int64_t x) const { return x * by + rest >= 0; }
    void cut(int64_t& left, int64_t& right) const {
      if (by == 0) {
        if (rest < 0) right = left;
        return;
      }
      const double at = -static_cast<double>(rest) * inverse;
      if (by > 0) {
        if (at <= static_cast<double>(left) - 1) return;
        if (at >= static_cast<double>(right)) {
          right = left;
          return;
        }
        auto x = static_cast<int64_t>(std::ceil(at));
        x += !holds(x) ? 1 : holds(x - 1) ? -1 : 0;
        left = std::max(left, x);
      } else {
        if (at >= static_cast<double>(right)) return;
        if (at <= static_cast<double>(left) - 1) {
          right = left;
          return;
        }
        auto x = static_cast<int64_t>(std::floor(at));
        x += !holds(x) ? -1 : holds(x + 1) ? 1 : 0;
        right = std::min(right, x + 1);
      }
    }
  };

  void triangle(const ImDrawVert& p, const ImDrawVert& q, const ImDrawVert& r) {
    std::array<const ImDrawVert*, 3> corners = {&p, &q, &r};
    std::array<Corner, 3> at{};
    for (size_t i = 0; i < 3; ++i) {
      const ImVec2& pos = corners[i]->pos;
      if (!(std::abs(pos.x) < far_away && std::abs(pos.y) < far_away)) return;
      at[i] = {std::llround(static_cast<double>(pos.x) * grid),
               std::llround(static_cast<double>(pos.y) * grid)};
    }
    int64_t twice = (at[1].x - at[0].x) * (at[2].y - at[0].y) - (at[1].y - at[0].y) * (at[2].x - at[0].x);
    if (twice == 0) return;
    if (twice < 0) {
      std::swap(corners[1], corners[2]);
      std::swap(at[1], at[2]);
      twice = -twice;
    }
    const std::array<Edge, 3> edges = {edge_of(at[0], at[1]), edge_of(at[1], at[2]), edge_of(at[2], at[0])};
    const auto [low, high] = std::minmax({at[0].y, at[1].y, at[2].y});
    const int64_t top = std::max(clip_.top, floor_of(low));
    const int64_t bottom = std::min(clip_.bottom, floor_of(high) + 1);
    if (top >= bottom) return;
    const Shade shade(corners, at, static_cast<double>(twice));
    const bool even = shade.is_even();
    const uint32_t color = turned(corners[0]->col);
    const uint32_t alpha = even ? alpha_of(color >> 24U, corners[0]->uv) : 0;
    if (even && alpha == 0) return;
    std::array<Bound, 3> bounds = {Bound(edges[0], top), Bound(edges[1], top), Bound(edges[2], top)};
    for (int64_t y = top; y < bottom; ++y) {
      int64_t left = clip_.left, right = clip_.right;
      for (Bound& bound : bounds) {
        bound.cut(left, right);
        bound.rest += bound.by_row;
      }
      if (left >= right) continue;
      if (even)
        span(row(y) + left, right - left, color, alpha);
      else
        shaded(row(y), left, right, y, shade);
    }
  }

  uint32_t alpha_of(uint32_t alpha, const ImVec2& uv) const {
    return texture_->glyphs.empty() ? alpha : product(alpha, covered(*texture_, uv.x, uv.y));
  }

  // Colours and places in the texture between three corners.
  class Shade {
   public:
    Shade(const std::array<const ImDrawVert*, 3>& corners, const std::array<Corner, 3>& at, double twice) {
      for (size_t k = 0; k < 6; ++k) {
        std::array<double, 3> value{};
        for (size_t i = 0; i < 3; ++i) value[i] = part(*corners[i], k);
        const double one = value[1] - value[0], two = value[2] - value[0];
        const double x1 = static_cast<double>(at[1].x - at[0].x), y1 = static_cast<double>(at[1].y - at[0].y);
        const double x2 = static_cast<double>(at[2].x - at[0].x), y2 = static_cast<double>(at[2].y - at[0].y);
        low_[k] = static_cast<float>(std::min({value[0], value[1], value[2]}));
        high_[k] = static_cast<float>(std::max({value[0], value[1], value[2]}));
        planes_[k] = {static_cast<float>(value[0]), static_cast<float>((one * y2 - two * y1) / twice * grid),
                      static_cast<float>((two * x1 - one * x2) / twice * grid),
                      static_cast<float>(at[0].x) / grid, static_cast<float>(at[0].y) / grid};
      }
    }
    bool is_even() const { return low_ == high_; }
    bool is_of_one_color() const { return low_[0] == high_[0] && low_[1] == high_[1] && low_[2] == high_[2]; }
    // 0 to 3: red, green, blue, alpha, 0 to 255; 4, 5: u, v.
    float operator()(size_t k, int64_t x, int64_t y) const {
      return low_[k] == high_[k] ? low_[k] : std::clamp(planes_[k](x, y), low_[k], high_[k]);
    }

   private:
    static double part(const ImDrawVert& corner, size_t k) {
      if (k == 4) return corner.uv.x;
      if (k == 5) return corner.uv.y;
      return (corner.col >> (8 * k)) & 0xffU;
    }
    std::array<Plane, 6> planes_{};
    std::array<float, 6> low_{}, high_{};
  };

  void shaded(uint32_t* pixel, int64_t left, int64_t right, int64_t y, const Shade& shade) const {
    const auto whole = [&](size_t k, int64_t x) { return static_cast<uint32_t>(shade(k, x, y) + 0.5F); };
    const auto color_at = [&](int64_t x) { return whole(0, x) << 16U | whole(1, x) << 8U | whole(2, x); };
    const bool one_color = shade.is_of_one_color();
    uint32_t color = color_at(left);
    for (int64_t x = left; x < right; ++x) {
      if (!one_color) color = color_at(x);
      const float u = shade(4, x, y), v = shade(5, x, y);
      if (texture_->glyphs.empty()) {
        const uint32_t from = texel(*texture_, u, v);
        lay(pixel[x], from, product(whole(3, x), from >> 24U));
      } else {
        lay(pixel[x], color, product(whole(3, x), covered(*texture_, u, v)));
      }
    }
  }

  Pixels pixels_;
  Clip clip_{};
  const Texture* texture_ = nullptr;
  std::vector<int64_t> columns_;
};

}  // namespace

void paint(const ImDrawData& drawn, Color ground, const Pixels& pixels) {
  const uint32_t color = opaque | static_cast<uint32_t>(ground.r) << 16U |
                         static_cast<uint32_t>(ground.g) << 8U | static_cast<uint32_t>(ground.b);
  for (int64_t y = 0; y < pixels.rows; ++y)
    std::fill_n(pixels.first + y * pixels.stride, pixels.columns, color);
  Painter painter(pixels);
  for (int i = 0; i < drawn.CmdListsCount; ++i) painter.list(*drawn.CmdLists[i], drawn.DisplayPos);
}

}  // namespace varve
