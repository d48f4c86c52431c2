// Views stay inside the area they are given, and no two of their words lie over each other.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/lens_data.h"
#include "viz/view.h"

namespace varve {
namespace {

Box both(Box a, Box b) {
  const double x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::min(a.right(), b.right()) - x, std::min(a.bottom(), b.bottom()) - y};
}

// Remembers where marks and words fall, after clipping; measures text like the picture maker.
class Recorder : public Canvas {
 public:
  struct Words {
    std::string text;
    Box box, whole;
  };
  std::vector<Box> marks;
  std::vector<Words> words;

  Recorder() : ruler_(make_picture(PictureKind::png, 10, 10, 1, {})) {}
  Box area() const override { return {-1000, -1000, 4000, 4000}; }
  double pixel() const override { return 1; }
  void fill(Box box, Color, double) override { mark(box); }
  void frame(Box box, Color, double, double) override { mark(box); }
  void line(Point a, Point b, Color, double, Dash) override {
    mark({std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)});
  }
  void polyline(std::span<const Point> points, Color, double) override {
    for (const Point& p : points) mark({p.x, p.y, 0, 0});
  }
  void polygon(std::span<const Point> points, Color) override { polyline(points, {}, 1); }
  void disc(Point c, double r, Color) override { mark({c.x - r, c.y - r, 2 * r, 2 * r}); }
  void arc(Point c, double r, double, double, Color, double) override { disc(c, r, {}); }
  void cells(Box box, int64_t, int64_t, std::span<const Color>, uint64_t) override { mark(box); }
  void text(Point at, std::string_view utf8, Font font, Color, Align align) override {
    const double w = text_width(utf8, font), h = font.points * 4 / 3 * 0.55;
    say(utf8, {at.x - (align == Align::left ? 0 : align == Align::center ? w / 2 : w), at.y - h / 2, w, h});
  }
  void vertical_text(Point at, std::string_view utf8, Font font, Color, Align align) override {
    const double w = text_width(utf8, font), h = font.points * 4 / 3 * 0.55;
    say(utf8, {at.x - h / 2, at.y - (align == Align::left ? w : align == Align::center ? w / 2 : 0), h, w});
  }
  double text_width(std::string_view utf8, Font font) const override {
    return ruler_->text_width(utf8, font);
  }
  void push_clip(Box box) override { clips_.push_back(clips_.empty() ? box : both(box, clips_.back())); }
  void pop_clip() override { clips_.pop_back(); }

 private:
  Box seen(Box box) const { return clips_.empty() ? box : both(box, clips_.back()); }
  void mark(Box box) {
    const Box in = seen(box);
    if (in.w >= 0 && in.h >= 0) marks.push_back(in);
  }
  void say(std::string_view utf8, Box box) {
    const Box in = seen(box);
    if (in.w > 0 && in.h > 0) words.push_back({std::string(utf8), in, box});
  }
  std::unique_ptr<PictureCanvas> ruler_;
  std::vector<Box> clips_;
};

struct Case {
  const char* view;
  const Dataset* data;
  SettingValues options;
  Selection selection;
};

std::vector<Case> cases() {
  static const Dataset lens = testing_support::lens_data(), series = testing_support::lens_series_data(),
                       tall = testing_support::lens_data(80, 120, 1);
  Selection cell, step;
  cell.at = {{"layer", 9}, {"pos", 12}};
  step.at = {{"step", 26}, {"layer", 9}};
  return {{"lens-table", &lens, {}, cell},
          {"lens-table", &lens, {{"colour", "rank_true"}, {"cell", "value"}}, {}},
          {"lens-table", &tall, {}, cell},
          {"heat-map", &lens, {{"array", "entropy"}}, cell},
          {"heat-map", &series, {{"array", "top1_share"}}, step},
          {"lines", &series, {{"array", "cross_entropy"}}, step},
          {"lines", &series, {{"array", "top1_share"}}, {}},
          {"lines", &series, {{"array", "cross_entropy"}, {"x", "layer"}}, step},
          {"lines", &lens, {{"array", "entropy"}}, {}},
          {"token-strip", &lens, {}, cell},
          {"table", &lens, {}, cell},
          {"table", &series, {}, step}};
}

const std::vector<Box> areas = {{50, 40, 40, 30},   {50, 40, 210, 130}, {50, 40, 330, 240},
                                {50, 40, 600, 400}, {50, 40, 900, 560}, {50, 40, 1600, 1000}};

Recorder recorded(const Case& c, Box area) {
  Recorder recorder;
  Look look;
  look.theme = &Theme::light();
  look.area = area;
  views().get(c.view).draw(*c.data, c.options, c.selection, look, recorder);
  return recorder;
}

TEST(Views, StayInsideTheirArea) {
  constexpr double slack = 3.5;  // frames and halos of marks at the very edge
  for (const Case& c : cases())
    for (const Box area : areas) {
      const Recorder recorder = recorded(c, area);
      const Box allowed = area.inset(-slack);
      const auto is_inside = [&allowed](Box b) {
        return b.x >= allowed.x && b.y >= allowed.y && b.right() <= allowed.right() &&
               b.bottom() <= allowed.bottom();
      };
      for (const Box& mark : recorder.marks)
        EXPECT_TRUE(is_inside(mark)) << c.view << " " << area.w << " x " << area.h << ": mark at "
                                     << mark.x - area.x << " " << mark.y - area.y << " " << mark.w << " x "
                                     << mark.h;
      for (const Recorder::Words& words : recorder.words)
        EXPECT_TRUE(is_inside(words.box))
            << c.view << " " << area.w << " x " << area.h << ": '" << words.text << "' at "
            << words.box.x - area.x << " " << words.box.y - area.y << ", width " << words.box.w;
    }
}

TEST(Views, KeepTheirWordsApart) {
  for (const Case& c : cases())
    for (const Box area : areas) {
      const Recorder recorder = recorded(c, area);
      for (size_t i = 0; i < recorder.words.size(); ++i)
        for (size_t j = 0; j < i; ++j) {
          const Box shared = both(recorder.words[i].box, recorder.words[j].box);
          EXPECT_FALSE(shared.w > 0.5 && shared.h > 0.5)
              << c.view << " " << area.w << " x " << area.h << ": '" << recorder.words[i].text << "' over '"
              << recorder.words[j].text << "'";
        }
    }
}

}  // namespace
}  // namespace varve
