// Thousands of grey lines as one picture: for each pixel column the stretches that any of them covers.
#include <algorithm>
#include <cmath>

#include "viz/cache.h"
#include "viz/line_marks.h"
#include "viz/tiles.h"

namespace varve {
namespace {

constexpr size_t most_segments = 12'000;  // of separate lines; each costs the screen some triangles

// How much of each pixel of a tile is covered, as the furthest any line goes: whole rows are counted by where
// they begin and end, the blended pixels at both ends keep the larger share.
class Coverage {
 public:
  Coverage(int64_t wide, int64_t high)
      : wide_(wide),
        high_(high),
        change_(static_cast<size_t>(wide * (high + 1)), 0),
        edge_(static_cast<size_t>(wide * high), 0) {}

  // `from` to `to` of column x, in pixels from the top; from <= to.
  void add(int64_t x, double from, double to) {
    if (to <= 0 || from >= static_cast<double>(high_)) return;
    const double first = std::ceil(from), last = std::floor(to);
    const auto blend = [&](double row, double share) {
      if (row < 0 || row >= static_cast<double>(high_)) return;
      uint8_t& pixel = edge_[static_cast<size_t>(static_cast<int64_t>(row) * wide_ + x)];
      pixel = std::max(pixel, static_cast<uint8_t>(std::clamp(share, 0.0, 1.0) * 255));
    };
    if (last < first) {
      blend(std::floor(from), to - from);
      return;
    }
    blend(first - 1, first - from);
    blend(last, to - last);
    const int64_t a = std::clamp<int64_t>(static_cast<int64_t>(first), 0, high_),
                  b = std::clamp<int64_t>(static_cast<int64_t>(last), 0, high_);
    if (b <= a) return;
    ++change_[static_cast<size_t>(a * wide_ + x)];
    --change_[static_cast<size_t>(b * wide_ + x)];
  }

  void paint(Color ground, Color ink, std::span<Color> out) const {
    std::vector<int32_t> covered(static_cast<size_t>(wide_), 0);
    for (int64_t y = 0; y < high_; ++y)
      for (int64_t x = 0; x < wide_; ++x) {
        const auto i = static_cast<size_t>(y * wide_ + x);
        covered[static_cast<size_t>(x)] += change_[i];
        const double share = covered[static_cast<size_t>(x)] > 0 ? 1 : edge_[i] / 255.0;
        Color color = ink;
        color.a = static_cast<uint8_t>(std::lround(255 * share));
        out[i] = share == 0 ? Color{ground.r, ground.g, ground.b, 0} : color;
      }
  }

 private:
  int64_t wide_, high_;
  std::vector<int32_t> change_;
  std::vector<uint8_t> edge_;
};

}  // namespace

bool is_crowd(const Lines& lines, const std::vector<LineStyle>& styles) {
  const auto context =
      std::count_if(styles.begin(), styles.end(), [](const LineStyle& s) { return !s.is_strong; });
  return static_cast<size_t>(context) * lines.plot.ticks.size() > most_segments;
}

void draw_crowd(const Lines& lines, const std::vector<LineStyle>& styles, const LineLayout& l,
                const Look& look, const std::string& key, Canvas& canvas) {
  const Theme& theme = *look.theme;
  const LinePlot& plot = lines.plot;
  const double pixel = canvas.pixel();
  // Pixel (0, 0) lies where the axes begin, so that the picture moves with them and is not painted anew.
  const double left = l.is_turned ? std::min(l.value.from, l.value.to) : std::min(l.along.from, l.along.to);
  const double top = l.is_turned ? std::min(l.along.from, l.along.to) : std::min(l.value.from, l.value.to);
  const double w = l.is_turned ? std::abs(l.value.to - l.value.from) : std::abs(l.along.to - l.along.from);
  const double h = l.is_turned ? std::abs(l.along.to - l.along.from) : std::abs(l.value.to - l.value.from);
  Tiles tiles;
  tiles.origin = {left, top};
  tiles.width = std::max<int64_t>(1, std::llround(w / pixel));
  tiles.height = std::max<int64_t>(1, std::llround(h / pixel));
  std::string strong;
  for (size_t i = 0; i < styles.size(); ++i)
    if (styles[i].is_strong) strong += std::to_string(i) + ",";
  tiles.key = fmt::format("{}|crowd {:.3f} x {:.3f} at {} but {} {}", key, w, h, pixel, strong,
                          theme.is_dark ? "dark" : "light");
  tiles.paint = [&](int64_t x0, int64_t y0, int64_t wide, int64_t high, std::span<Color> out) {
    Coverage coverage(wide, high);
    // Where each place lies, once for all lines.
    std::vector<double> at(plot.ticks.size());
    for (size_t i = 0; i < at.size(); ++i)
      at[i] = (l.along.pixel(plot.ticks[i]) - (l.is_turned ? top : left)) / pixel -
              static_cast<double>(l.is_turned ? y0 : x0);
    constexpr double half = 0.5;  // of a line one pixel wide
    // Of places in order only those beside the stretch can reach into it.
    size_t begin = 0, end = at.size();
    if (!l.is_turned) {
      while (begin + 1 < end && !(at[begin + 1] >= 0)) ++begin;
      while (end > begin + 1 && at[end - 2] > static_cast<double>(wide)) --end;
    }
    const bool is_even = l.value.spacing == Spacing::linear;
    const double shift = (l.is_turned ? left : top) / pixel + static_cast<double>(l.is_turned ? x0 : y0);
    const double scale = (l.value.to - l.value.from) / (l.value.high - l.value.low) / pixel;
    const double zero = (l.value.from - l.value.low * scale * pixel) / pixel - shift;
    const auto place_of = [&](double v) {
      return is_even ? zero + v * scale : l.value.pixel(v) / pixel - shift;
    };
    for (size_t line = 0; line < plot.series.size(); ++line) {
      if (styles[line].is_strong) continue;
      const std::vector<double>& values = lines.value[line].values();
      double vb = place_of(values[begin]);
      for (size_t i = begin; i + 1 < end; ++i) {
        const double va = vb, a = at[i], b = at[i + 1];
        vb = place_of(values[i + 1]);
        const bool is_break = plot.ticks[i] == 0 && l.along.slot != 0;
        if (is_break || !std::isfinite(a) || !std::isfinite(b) || !std::isfinite(va) || !std::isfinite(vb))
          continue;
        double xa = l.is_turned ? va : a, ya = l.is_turned ? a : va, xb = l.is_turned ? vb : b,
               yb = l.is_turned ? b : vb;
        if (xb < xa) std::swap(xa, xb), std::swap(ya, yb);
        if (xb < 0 || xa > static_cast<double>(wide)) continue;
        if (std::max(ya, yb) < -1 || std::min(ya, yb) > static_cast<double>(high) + 1) continue;
        const auto first = static_cast<int64_t>(std::max(0.0, std::floor(xa))),
                   last = static_cast<int64_t>(std::min(static_cast<double>(wide - 1), std::floor(xb)));
        const double slope = xb > xa ? (yb - ya) / (xb - xa) : 0;
        for (int64_t x = first; x <= last; ++x) {
          const double from = std::max(xa, static_cast<double>(x)),
                       to = std::min(xb, static_cast<double>(x + 1));
          double top_y = xb > xa ? ya + (from - xa) * slope : ya,
                 bottom_y = xb > xa ? ya + (to - xa) * slope : yb;
          if (top_y > bottom_y) std::swap(top_y, bottom_y);
          coverage.add(x, top_y - half, bottom_y + half);
        }
      }
    }
    coverage.paint(theme.canvas, theme.strong, out);
  };
  draw_tiles(canvas, look.cache, l.plot, tiles);
}

}  // namespace varve
