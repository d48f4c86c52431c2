// The canvas that makes files: PNG pixels, SVG or PDF through Cairo, the same bytes for the same calls.
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "analysis/core/error.h"
#include "viz/draw/cairo_fonts.h"
#include "viz/draw/canvas.h"
#include "viz/draw/svg_ids.h"

namespace varve {
namespace {

// DejaVu's x-height is 1120 of 2048 units in all faces used here.
constexpr double x_height_ratio = 1120.0 / 2048.0;
constexpr double far_away = 1e6;  // Cairo keeps coordinates in 24.8 fixed point
constexpr double largest_side = 32000;
// Above this a vector picture holds a heat map as an image: a million rectangles open slowly everywhere.
constexpr int64_t most_vector_cells = 40'000;

cairo_status_t append_bytes(void* closure, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

double tame(double v) { return std::isfinite(v) ? std::clamp(v, -far_away, far_away) : 0; }

class CairoCanvas : public PictureCanvas {
 public:
  CairoCanvas(PictureKind kind, double width, double height, double scale, Color background)
      : kind_(kind), area_{0, 0, width, height}, scale_(scale) {
    if (kind == PictureKind::png) {
      surface_ = cairo_image_surface_create(CAIRO_FORMAT_ARGB32,
                                            std::max(1, static_cast<int>(std::ceil(width * scale))),
                                            std::max(1, static_cast<int>(std::ceil(height * scale))));
    } else if (kind == PictureKind::svg) {
      surface_ = cairo_svg_surface_create_for_stream(append_bytes, &bytes_, std::max(1.0, width),
                                                     std::max(1.0, height));
      cairo_svg_surface_restrict_to_version(surface_, CAIRO_SVG_VERSION_1_2);
      cairo_svg_surface_set_document_unit(surface_, CAIRO_SVG_UNIT_PX);
    } else {
      surface_ =
          cairo_pdf_surface_create_for_stream(append_bytes, &bytes_, std::max(1.0, width / pixels_per_point),
                                              std::max(1.0, height / pixels_per_point));
      // A date would make two equal pictures differ.
      cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    }
    context_ = cairo_create(surface_);
    if (kind == PictureKind::png) cairo_scale(context_, scale, scale);
    if (kind == PictureKind::pdf) cairo_scale(context_, 1 / pixels_per_point, 1 / pixels_per_point);
    cairo_set_font_options(context_, fonts_.options());
    set_color(background);
    cairo_paint(context_);
    check();
  }
  CairoCanvas(const CairoCanvas&) = delete;
  CairoCanvas& operator=(const CairoCanvas&) = delete;
  ~CairoCanvas() override {
    cairo_destroy(context_);
    // An unfinished picture must not write into bytes_ while it is being destroyed.
    cairo_surface_finish(surface_);
    cairo_surface_destroy(surface_);
  }

  Box area() const override { return area_; }
  double pixel() const override { return 1 / scale_; }

  void fill(Box box, Color color, double radius) override {
    if (!(box.w > 0) || !(box.h > 0)) return;
    set_color(color);
    if (radius > 0) {
      rounded(box, radius);
    } else {
      box = snapped(box);
      cairo_rectangle(context_, tame(box.x), tame(box.y), tame(box.w), tame(box.h));
    }
    cairo_fill(context_);
  }

  void frame(Box box, Color color, double width, double radius) override {
    if (!(box.w > 0) || !(box.h > 0)) return;
    const double w = whole(width);
    if (radius > 0) {
      set_color(color);
      rounded(box.inset(w / 2), radius);
      cairo_set_line_width(context_, w);
      cairo_stroke(context_);
      return;
    }
    box = snapped(box);
    if (box.w <= 2 * w || box.h <= 2 * w) {
      fill(box, color, 0);
      return;
    }
    fill({box.x, box.y, box.w, w}, color, 0);
    fill({box.x, box.bottom() - w, box.w, w}, color, 0);
    fill({box.x, box.y + w, w, box.h - 2 * w}, color, 0);
    fill({box.right() - w, box.y + w, w, box.h - 2 * w}, color, 0);
  }

  void line(Point from, Point to, Color color, double width, Dash dash) override {
    set_color(color);
    const double w = whole(width);
    cairo_set_line_width(context_, w);
    cairo_set_line_cap(context_, CAIRO_LINE_CAP_BUTT);
    // An upright or level line is moved so that its edges fall on whole device pixels.
    const double shift = std::lround(w * scale_) % 2 == 1 ? 0.5 : 0.0;
    const auto settle = [this, shift](double v) {
      return (std::round(tame(v) * scale_ - shift) + shift) / scale_;
    };
    if (from.x == to.x) from.x = to.x = settle(from.x);
    if (from.y == to.y) from.y = to.y = settle(from.y);
    constexpr double reference[] = {4, 3}, event[] = {1, 3};
    if (dash == Dash::reference) cairo_set_dash(context_, reference, 2, 0);
    if (dash == Dash::event) cairo_set_dash(context_, event, 2, 0);
    cairo_move_to(context_, tame(from.x), tame(from.y));
    cairo_line_to(context_, tame(to.x), tame(to.y));
    cairo_stroke(context_);
    cairo_set_dash(context_, nullptr, 0, 0);
  }

  void polyline(std::span<const Point> points, Color color, double width) override {
    set_color(color);
    cairo_new_path(context_);
    cairo_set_line_width(context_, width);
    cairo_set_line_join(context_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(context_, CAIRO_LINE_CAP_ROUND);
    bool open = false;
    for (const Point& p : points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
        open = false;
        continue;
      }
      if (open) {
        cairo_line_to(context_, tame(p.x), tame(p.y));
      } else {
        cairo_move_to(context_, tame(p.x), tame(p.y));
      }
      open = true;
    }
    cairo_stroke(context_);
  }

  void polygon(std::span<const Point> points, Color color) override {
    set_color(color);
    cairo_new_path(context_);  // text leaves a current point behind
    for (const Point& p : points) cairo_line_to(context_, tame(p.x), tame(p.y));
    cairo_close_path(context_);
    cairo_fill(context_);
  }

  void disc(Point center, double radius, Color color) override {
    set_color(color);
    cairo_new_sub_path(context_);
    cairo_arc(context_, tame(center.x), tame(center.y), std::max(0.0, radius), 0, 2 * std::numbers::pi);
    cairo_fill(context_);
  }

  void arc(Point center, double radius, double from, double to, Color color, double width) override {
    set_color(color);
    cairo_set_line_width(context_, width);
    cairo_set_line_cap(context_, CAIRO_LINE_CAP_ROUND);
    cairo_new_sub_path(context_);
    cairo_arc(context_, tame(center.x), tame(center.y), std::max(0.0, radius), from, to);
    cairo_stroke(context_);
  }

  void cells(Box box, int64_t rows, int64_t columns, std::span<const Color> colors, uint64_t) override {
    if (rows <= 0 || columns <= 0 || !(box.w > 0) || !(box.h > 0)) return;
    if (colors.size() / static_cast<size_t>(columns) != static_cast<size_t>(rows))
      fail("a heat map of {} x {} cells was given {} colours", rows, columns, colors.size());
    if (kind_ != PictureKind::png && rows <= most_vector_cells / columns) {
      cell_boxes(box, rows, columns, colors);
    } else {
      cell_image(box, rows, columns, colors);
    }
  }

  void text(Point at, std::string_view utf8, Font font, Color color, Align align) override {
    write(at, utf8, font, color, align, false);
  }
  void vertical_text(Point at, std::string_view utf8, Font font, Color color, Align align) override {
    write(at, utf8, font, color, align, true);
  }
  double text_width(std::string_view utf8, Font font) const override {
    double width = 0;
    for (const CairoFonts::Run& run : fonts_.runs(utf8, font)) width += run.width;
    return width;
  }

  void push_clip(Box box) override {
    cairo_save(context_);
    box = snapped(box);
    cairo_rectangle(context_, tame(box.x), tame(box.y), std::max(0.0, tame(box.w)),
                    std::max(0.0, tame(box.h)));
    cairo_clip(context_);
  }
  void pop_clip() override { cairo_restore(context_); }

  std::string finish() override {
    check();
    if (kind_ == PictureKind::png) cairo_surface_write_to_png_stream(surface_, append_bytes, &bytes_);
    cairo_surface_finish(surface_);
    check();
    return kind_ == PictureKind::svg ? renumber_svg_ids(bytes_) : bytes_;
  }

 private:
  void check() const {
    for (const cairo_status_t status : {cairo_status(context_), cairo_surface_status(surface_)}) {
      if (status == CAIRO_STATUS_SUCCESS) continue;
      fail("the picture of {:.0f} x {:.0f} could not be drawn: {}; try a smaller one", area_.w, area_.h,
           cairo_status_to_string(status));
    }
  }
  void set_color(Color c) {
    cairo_set_source_rgba(context_, c.r / 255.0, c.g / 255.0, c.b / 255.0, c.a / 255.0);
  }
  double whole(double width) const { return std::max(1.0, std::round(width * scale_)) / scale_; }
  double snap(double v) const { return std::round(tame(v) * scale_) / scale_; }
  // Edges on device pixels; what is thinner than one pixel keeps its true width and is blended.
  Box snapped(Box box) const {
    const double left = snap(box.x), right = snap(box.right()), top = snap(box.y),
                 bottom = snap(box.bottom());
    if (right > left) box.x = left, box.w = right - left;
    if (bottom > top) box.y = top, box.h = bottom - top;
    return box;
  }
  void rounded(Box box, double radius) {
    const double r = std::min({radius, box.w / 2, box.h / 2}), quarter = std::numbers::pi / 2;
    cairo_new_sub_path(context_);
    cairo_arc(context_, box.right() - r, box.y + r, r, -quarter, 0);
    cairo_arc(context_, box.right() - r, box.bottom() - r, r, 0, quarter);
    cairo_arc(context_, box.x + r, box.bottom() - r, r, quarter, 2 * quarter);
    cairo_arc(context_, box.x + r, box.y + r, r, 2 * quarter, 3 * quarter);
    cairo_close_path(context_);
  }

  void cell_boxes(Box box, int64_t rows, int64_t columns, std::span<const Color> colors) {
    const auto edge = [this](double from, double length, int64_t i, int64_t n) {
      return snap(from + length * static_cast<double>(i) / static_cast<double>(n));
    };
    for (int64_t row = 0; row < rows; ++row) {
      const double top = edge(box.y, box.h, row, rows), bottom = edge(box.y, box.h, row + 1, rows);
      for (int64_t first = 0, last; first < columns; first = last) {
        const Color color = colors[static_cast<size_t>(row * columns + first)];
        for (last = first + 1; last < columns; ++last)
          if (!(colors[static_cast<size_t>(row * columns + last)] == color)) break;
        const double left = edge(box.x, box.w, first, columns), right = edge(box.x, box.w, last, columns);
        if (color.a == 0 || right <= left || bottom <= top) continue;
        set_color(color);
        cairo_rectangle(context_, left, top, right - left, bottom - top);
        cairo_fill(context_);
      }
    }
  }

  void cell_image(Box box, int64_t rows, int64_t columns, std::span<const Color> colors) {
    if (rows > largest_side || columns > largest_side)
      fail("a heat map of {} x {} cells is larger than a picture can hold; thin it first", rows, columns);
    cairo_surface_t* image =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, static_cast<int>(columns), static_cast<int>(rows));
    unsigned char* data = cairo_image_surface_get_data(image);
    const int stride = cairo_image_surface_get_stride(image);
    for (int64_t row = 0; data && row < rows; ++row) {
      uint32_t* out = reinterpret_cast<uint32_t*>(data + row * stride);
      for (int64_t column = 0; column < columns; ++column) {
        const Color c = colors[static_cast<size_t>(row * columns + column)];
        const auto part = [&c](uint8_t v) { return static_cast<uint32_t>((v * c.a + 127) / 255); };
        out[column] = (static_cast<uint32_t>(c.a) << 24) | (part(c.r) << 16) | (part(c.g) << 8) | part(c.b);
      }
    }
    cairo_surface_mark_dirty(image);
    box = snapped(box);
    cairo_save(context_);
    cairo_translate(context_, tame(box.x), tame(box.y));
    cairo_scale(context_, tame(box.w) / static_cast<double>(columns),
                tame(box.h) / static_cast<double>(rows));
    cairo_set_source_surface(context_, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(context_), CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(context_), CAIRO_EXTEND_PAD);
    cairo_rectangle(context_, 0, 0, static_cast<double>(columns), static_cast<double>(rows));
    cairo_set_antialias(context_, CAIRO_ANTIALIAS_NONE);
    cairo_fill(context_);
    cairo_restore(context_);
    cairo_surface_destroy(image);
  }

  void write(Point at, std::string_view utf8, Font font, Color color, Align align, bool upwards) {
    if (utf8.empty() || !std::isfinite(at.x) || !std::isfinite(at.y)) return;
    const std::vector<CairoFonts::Run> all = fonts_.runs(utf8, font);
    double width = 0;
    for (const CairoFonts::Run& run : all) width += run.width;
    const double before = align == Align::left ? 0 : align == Align::center ? width / 2 : width;
    // ink3 of the theme the text belongs to, told by whether the text is light or dark.
    const bool is_light_text = contrast(color, {0, 0, 0, 255}) > contrast(color, {255, 255, 255, 255});
    const Color quiet = (is_light_text ? Theme::dark() : Theme::light()).ink3;
    cairo_save(context_);
    cairo_translate(context_, tame(at.x), tame(at.y));
    if (upwards) cairo_rotate(context_, -std::numbers::pi / 2);
    cairo_set_scaled_font(context_, fonts_.scaled(font));
    double x = -before;
    double baseline = x_height_ratio * font.points * pixels_per_point / 2;
    // Level text stands on a whole device pixel, so that equal rows look equal.
    if (!upwards) baseline = snap(at.y + baseline) - at.y;
    for (const CairoFonts::Run& run : all) {
      set_color(run.is_fallback ? quiet : color);
      cairo_move_to(context_, x, baseline);
      cairo_show_text(context_, run.utf8.c_str());
      x += run.width;
    }
    cairo_restore(context_);
  }

  PictureKind kind_;
  Box area_;
  double scale_;
  std::string bytes_;
  cairo_surface_t* surface_ = nullptr;
  cairo_t* context_ = nullptr;
  CairoFonts fonts_;
};

}  // namespace

std::unique_ptr<PictureCanvas> make_picture(PictureKind kind, double width, double height, double scale,
                                            Color background) {
  const bool is_sane = width >= 0 && height >= 0 && scale >= 0.1 && scale <= 16 &&
                       width * scale <= largest_side && height * scale <= largest_side;
  if (!is_sane)
    fail_usage(
        "a picture of {} x {} at scale {} cannot be made; sides go up to {} pixels, scales from 0.1 to 16",
        width, height, scale, largest_side);
  return std::make_unique<CairoCanvas>(kind, width, height, scale, background);
}

}  // namespace varve
