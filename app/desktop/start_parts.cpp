// The painted parts of the start page.
#include "app/desktop/start_parts.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <vector>

#include "analysis/core/text.h"
#include "app/desktop/marks.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

constexpr int row_height = 46, card_height = 196, pin_width = 40;
constexpr Font name_font{9.5, Face::sans_bold}, small{7.5, Face::sans}, card_font{9, Face::sans_bold};

// Where the columns of the recent list begin, as shares of its width.
constexpr double core_begins = 0.285, state_begins = 0.715;

void draw_hatch(Canvas& canvas, Box box, Color color) {
  canvas.push_clip(box);
  for (double x = box.x - box.h; x < box.right(); x += 4)
    canvas.line({x, box.bottom()}, {x + box.h, box.y}, color, 1);
  canvas.pop_clip();
  canvas.frame(box, color, 1);
}

Color cell_color(const Theme& theme, double share) { return color_map("strata", theme).at(share); }

// Each picture hints at the kind of view, with made-up marks: it says nothing of any model.
void draw_table(Canvas& canvas, Box box, const Theme& theme) {
  constexpr int rows = 7, columns = 12;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const double depth = 1 - row / double{rows - 1};
      const double share =
          std::clamp(depth * (0.45 + 0.5 * std::fabs(std::sin(column * 1.7 + 0.6))), 0.03, 0.95);
      canvas.fill({box.x + column * box.w / columns, box.y + row * box.h / rows, box.w / columns - 1,
                   box.h / rows - 1},
                  cell_color(theme, share));
    }
}

void draw_graph(Canvas& canvas, Box box, const Theme& theme) {
  const auto at = [&](double x, double y) { return Point{box.x + x * box.w, box.y + y * box.h}; };
  const std::array<std::pair<Point, Point>, 6> edges = {{{at(0.5, 0.06), at(0.3, 0.36)},
                                                         {at(0.5, 0.06), at(0.68, 0.4)},
                                                         {at(0.3, 0.36), at(0.16, 0.66)},
                                                         {at(0.3, 0.36), at(0.5, 0.66)},
                                                         {at(0.68, 0.4), at(0.5, 0.66)},
                                                         {at(0.5, 0.66), at(0.5, 0.95)}}};
  for (size_t i = 0; i < edges.size(); ++i)
    canvas.line(edges[i].first, edges[i].second, i % 2 == 0 ? theme.category[0] : theme.strong,
                i < 3 ? 2.5 : 1.5);
  for (const Point node : {at(0.5, 0.06), at(0.68, 0.4), at(0.16, 0.66), at(0.5, 0.66), at(0.5, 0.95)}) {
    canvas.fill({node.x - 11, node.y - 5, 22, 10}, theme.canvas, 4);
    canvas.frame({node.x - 11, node.y - 5, 22, 10}, theme.strong, 1, 4);
  }
  const Point chosen = at(0.3, 0.36);
  canvas.fill({chosen.x - 11, chosen.y - 5, 22, 10}, theme.ink, 4);
}

void draw_curves(Canvas& canvas, Box box, const Theme& theme) {
  const double heights[] = {0.95, 0.62, 0.38};
  for (int line = 0; line < 3; ++line) {
    std::vector<Point> points;
    for (int i = 0; i <= 60; ++i) {
      const double x = i / 60.0;
      const double y =
          heights[line] * (line == 2 ? 1 - std::exp(-6 * x) : std::exp(-1.3 * x) * std::pow(x, 0.42) * 2.2);
      points.push_back({box.x + x * box.w, box.bottom() - std::min(1.0, y) * box.h * 0.95});
    }
    constexpr int colors[] = {0, 2, 1};
    canvas.polyline(points, theme.category[static_cast<size_t>(colors[line])], 1.75);
  }
  canvas.line({box.x, box.bottom()}, {box.right(), box.bottom()}, theme.strong, 1);
}

void draw_flow(Canvas& canvas, Box box, const Theme& theme) {
  constexpr int groups = 4;
  constexpr std::array<std::array<int, groups>, 2> orders = {{{2, 0, 3, 1}, {1, 0, 2, 3}}};
  const double gap = box.h / groups;
  for (int stage = 0; stage < 2; ++stage)
    for (int group = 0; group < groups; ++group) {
      const double x0 = box.x + stage * box.w / 2, x1 = x0 + box.w / 2;
      const double y0 = box.y + group * gap + gap / 2, y1 = box.y + orders[stage][group] * gap + gap / 2;
      // One stroke a ribbon: neighbouring strips would show their seams.
      constexpr int strips = 24;
      Color color = theme.category[static_cast<size_t>(group)];
      color.a = 92;  // 0.36, as ribbons of results have
      std::vector<Point> middle;
      for (int i = 0; i <= strips; ++i) {
        const double t = i / double{strips};
        middle.push_back({x0 + t * (x1 - x0), y0 + (y1 - y0) * t * t * (3 - 2 * t)});
      }
      canvas.polyline(middle, color, 10);
    }
  for (int stage = 0; stage < 3; ++stage)
    for (int group = 0; group < groups; ++group)
      canvas.fill({box.x + stage * box.w / 2 - 3, box.y + group * gap + gap / 2 - 7, 6, 14}, theme.ink2);
}

void draw_difference(Canvas& canvas, Box box, const Theme& theme) {
  constexpr int rows = 6, columns = 9;
  const ColorMap& tide = color_map("tide", theme);
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      canvas.fill({box.x + column * box.w / columns, box.y + row * box.h / rows, box.w / columns - 1,
                   box.h / rows - 1},
                  tide.at(0.5 + 0.45 * std::sin(row * 2.3 + column * 1.1) * std::cos(column * 0.7)));
}

void draw_lanes(Canvas& canvas, Box box, const Theme& theme) {
  constexpr int lanes = 3, laminae = 24;
  const double high = box.h / lanes, gap = std::min(7.0, high / 5);
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < laminae; ++i) {
      const Box one{box.x + i * box.w / laminae, box.y + lane * high + gap, box.w / laminae - 2,
                    high - 2 * gap};
      const bool hole = lane == 0 && (i == 17 || i == 18),
                 bad = (lane == 1 && i == 13) || (lane == 2 && i == 7);
      canvas.fill(one, hole ? theme.raised : bad ? theme.fail : cell_color(theme, 0.85 - 0.62 * i / laminae));
    }
}

struct CardWords {
  const char *title, *second;
};
CardWords words_of(StartQuestion question) {
  switch (question) {
    case StartQuestion::answer:
      return {"When does it know the answer?", "Logit lens: layer × token × step"};
    case StartQuestion::heads:
      return {"Which heads do the task?", "Head scores and circuits, A / B"};
    case StartQuestion::huge_values:
      return {"Where do huge values live?", "Massive activations and their fit"};
    case StartQuestion::experts:
      return {"How do experts divide the work?", "Pathways through a mixture of experts"};
    case StartQuestion::change:
      return {"What changed between two steps?", "Pin A and B, any view shows both"};
    case StartQuestion::trust:
      return {"Can I trust this series?", "Copies, holes, entries that are not finite"};
  }
  return {"", ""};
}

}  // namespace

void draw_core(Canvas& canvas, Box box, const RecentSeries& series, const Theme& theme) {
  if (series.core.empty()) return;
  const size_t lanes = std::min<size_t>(series.core.size(), 4);
  // Lanes share one axis of steps where there are several; one lane has its checkpoints side by side.
  double most = 0, least_change = 1e300, most_change = 0;
  for (const CoreLane& lane : series.core) {
    if (!lane.steps.empty()) most = std::max(most, std::log10(1.0 + static_cast<double>(lane.steps.back())));
    for (const double change : lane.change)
      if (std::isfinite(change) && change > 0) {
        least_change = std::min(least_change, change);
        most_change = std::max(most_change, change);
      }
  }
  const double height = lanes == 1 ? std::min(box.h, 16.0) : box.h / static_cast<double>(lanes) - 2;
  for (size_t l = 0; l < lanes; ++l) {
    const CoreLane& lane = series.core[l];
    const double y =
        lanes == 1 ? box.y + (box.h - height) / 2 : box.y + static_cast<double>(l) * (height + 2);
    canvas.fill({box.x, y, box.w, height}, theme.raised);
    const auto count = static_cast<double>(lane.steps.size());
    for (size_t i = 0; i < lane.steps.size(); ++i) {
      const double width = lanes == 1 ? box.w / count : 6;
      const double x =
          lanes == 1
              ? box.x + static_cast<double>(i) * width
              : box.x + (box.w - width) *
                            (most > 0 ? std::log10(1.0 + static_cast<double>(lane.steps[i])) / most : 0);
      const double change = lane.change[i];
      // Changes span decades: shades go with their logarithm.
      double share = 0.25;
      if (std::isfinite(change) && change > 0 && most_change > least_change)
        share = 0.2 + 0.75 * std::log(change / least_change) / std::log(most_change / least_change);
      const bool bad = std::find(lane.bad.begin(), lane.bad.end(), static_cast<int64_t>(i)) != lane.bad.end();
      canvas.fill({x, y, std::max(1.0, width - (width > 4 ? 1.5 : 0.0)), height},
                  bad ? theme.fail : cell_color(theme, share));
    }
  }
}

RecentRow::RecentRow(Desk& desk, RecentSeries series, bool is_gone, QWidget* parent)
    : QPushButton(parent), desk_(desk), series_(std::move(series)), is_gone_(is_gone) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);  // the stylesheet sets least heights
  setCursor(Qt::PointingHandCursor);
  setAccessibleName(qtext(series_.name));
  setAccessibleDescription(qtext(shape_words(series_) + (is_gone_ ? ", moved or unmounted" : "")));
  setToolTip(qtext(series_.path) + tr("\nP pins it to the top"));
}

QSize RecentRow::sizeHint() const { return {400, row_height}; }

void RecentRow::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme& theme = *desk_.theme;
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  canvas.fill({0, 0, width() * 1.0, height() * 1.0}, underMouse() || hasFocus() ? theme.soft : theme.canvas);
  if (hasFocus()) canvas.fill({0, 0, 3, height() * 1.0}, theme.accent);
  canvas.fill({0, height() - 1.0, width() * 1.0, 1}, theme.hair);
  const double first = 16, second = 32;
  draw_mark(canvas, series_.pinned ? Mark::pinned : Mark::pin, {18, height() / 2.0}, theme);
  const double core_x = width() * core_begins, state_x = width() * state_begins;
  canvas.text({pin_width * 1.0, first}, elide(canvas, series_.name, name_font, core_x - pin_width - 12),
              name_font, is_gone_ ? theme.ink2 : theme.ink);
  canvas.text({pin_width * 1.0, second}, is_gone_ ? "folder not found" : shape_words(series_), small,
              theme.ink3);
  const Box core{core_x, 10, state_x - core_x - 20, height() - 20.0};
  if (is_gone_)
    draw_hatch(canvas, {core.x, core.y + 5, core.w, 16}, theme.hair);
  else
    draw_core(canvas, core, series_, theme);
  const double end = width() - 8.0, when_width = 86, room = end - when_width - state_x;
  std::string state = series_.results < 0    ? ""
                      : series_.results == 1 ? "1 result"
                                             : show_count(series_.results) + " results";
  std::string below = series_.caution.empty() ? "no copies, all finite" : series_.caution;
  Color color = series_.caution.empty() ? theme.ink2 : theme.warn;
  if (is_gone_) {
    state = "moved or unmounted: find it …";
    below = series_.path;
    color = theme.fail;
  } else if (state.empty()) {
    state = below;
    below.clear();
  }
  canvas.text({state_x, first}, elide(canvas, state, small, room), small, color);
  canvas.text({state_x, second}, elide(canvas, below, small, end - state_x), small, theme.ink3);
  canvas.text({end, first}, opened_words(series_.opened, static_cast<int64_t>(std::time(nullptr))), small,
              theme.ink3, Align::right);
}

void RecentRow::mouseReleaseEvent(QMouseEvent* event) {
  if (event->position().x() < pin_width - 6 && rect().contains(event->pos())) {
    setDown(false);
    emit pin_asked(!series_.pinned);
    return;
  }
  QPushButton::mouseReleaseEvent(event);
}

void RecentRow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_P)
    emit pin_asked(!series_.pinned);
  else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
    click();
  else
    QPushButton::keyPressEvent(event);
}

QuestionCard::QuestionCard(Desk& desk, StartQuestion question, QWidget* parent)
    : QPushButton(parent), desk_(desk), question_(question) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);  // the stylesheet sets least heights
  setCursor(Qt::PointingHandCursor);
  setAccessibleName(title(question));
}

QSize QuestionCard::sizeHint() const { return {180, card_height}; }

QString QuestionCard::title(StartQuestion question) { return qtext(words_of(question).title); }

void QuestionCard::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme& theme = *desk_.theme;
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  const Box all{0.5, 0.5, width() - 1.0, height() - 1.0};
  canvas.fill(all, theme.canvas, 4);
  const bool chosen = hasFocus() || underMouse();
  canvas.frame(all, chosen ? theme.accent : theme.hair, chosen ? 2 : 1, 4);
  const Box field{12, 12, width() - 24.0, height() - 70.0};
  canvas.fill(field, theme.panel);
  const Box picture = field.inset(12);
  canvas.push_clip(field);
  switch (question_) {
    case StartQuestion::answer:
      draw_table(canvas, picture, theme);
      break;
    case StartQuestion::heads:
      draw_graph(canvas, picture, theme);
      break;
    case StartQuestion::huge_values:
      draw_curves(canvas, picture, theme);
      break;
    case StartQuestion::experts:
      draw_flow(canvas, picture, theme);
      break;
    case StartQuestion::change:
      draw_difference(canvas, picture, theme);
      break;
    case StartQuestion::trust:
      draw_lanes(canvas, picture, theme);
      break;
  }
  canvas.pop_clip();
  const CardWords words = words_of(question_);
  canvas.text({14, height() - 42.0}, elide(canvas, words.title, card_font, width() - 26), card_font,
              theme.ink);
  canvas.text({14, height() - 21.0}, elide(canvas, words.second, small, width() - 26), small, theme.ink3);
}

}  // namespace varve
