// Moves the names of lines apart, and says which line a click on a name hides.
#include "viz/line_names.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/line_legend.h"

namespace varve {
namespace {

constexpr double apart = 12, hidden_gap = 12;

struct Label {
  size_t line;
  Point end;
  double y;
};

std::vector<Label> ends_of(const LinePlot& plot, const LineLayout& l) {
  std::vector<Label> labels;
  // The last place in sight, once for all lines.
  size_t last = plot.ticks.size();
  if (!l.is_turned)
    last = static_cast<size_t>(std::lower_bound(plot.ticks.begin(), plot.ticks.end(), 0.0,
                                                [&l](double tick, double) {
                                                  const double x = l.along.pixel(tick);
                                                  return std::isnan(x) || x <= l.plot.right() + 1;
                                                }) -
                               plot.ticks.begin());
  // Nearly all lines end at the same place: where that is need not be asked ten thousand times.
  size_t known = plot.ticks.size();
  double along = 0;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    if (plot.series[i].label.empty()) continue;
    for (size_t k = last; k-- > 0;) {
      const double value = plot.series[i].value[k];
      if (!std::isfinite(value)) continue;
      if (k != known) along = l.along.pixel(plot.ticks[k]);
      known = k;
      const double across = l.value.pixel(value);
      const Point p = l.is_turned ? Point{across, along} : Point{along, across};
      if (!std::isfinite(p.x) || !std::isfinite(p.y) || p.x > l.plot.right() + 1) continue;
      labels.push_back({i, p, p.y});
      break;
    }
  }
  return labels;
}

std::string hidden_words(const HiddenLine& line) { return line.label + ": hidden"; }

std::vector<LineName> names_in_key(const LinePlot& plot, const std::vector<LineStyle>& styles,
                                   const LineLayout& l, const Look& look, Canvas& canvas) {
  std::vector<LineName> names;
  const auto legend = legend_of(plot, styles, l.plot.x, look.area.right() - 16, look.area.y + 12, canvas);
  draw_legend(legend, plot, styles, canvas);
  for (const LegendEntry& entry : legend)
    names.push_back({plot.series[entry.line].item,
                     plot.series[entry.line].label,
                     {entry.at.x, entry.at.y - 6, entry.name_width + 19, 12}});
  return names;
}

}  // namespace

double hidden_names_width(const LinePlot& plot, const Canvas& canvas) {
  double width = 0;
  for (const HiddenLine& line : plot.hidden)
    if (!line.label.empty()) width += canvas.text_width(hidden_words(line), line_label_font) + hidden_gap;
  return width;
}

std::vector<LineName> draw_hidden_names(const LinePlot& plot, double left, double right, double y,
                                        const Theme& theme, Canvas& canvas) {
  std::vector<LineName> names;
  double x = std::max(left, right - hidden_names_width(plot, canvas) + hidden_gap);
  for (const HiddenLine& line : plot.hidden) {
    if (line.label.empty()) continue;
    const std::string words = hidden_words(line);
    const double width = canvas.text_width(words, line_label_font);
    if (x + width > right + 1) break;  // the header says how many there are
    canvas.text({x, y}, words, line_label_font, theme.ink3);
    names.push_back({line.item, line.label, {x, y - 6, width, 12}, true});
    x += width + hidden_gap;
  }
  return names;
}

std::vector<LineName> draw_names(const LinePlot& plot, const std::vector<LineStyle>& styles,
                                 const LineLayout& l, const Look& look, Canvas& canvas) {
  // Along layers all lines end at the top, where their names would lie on each other.
  std::vector<LineName> names;
  if (l.is_turned) {
    if (plot.series.size() > 1) names = names_in_key(plot, styles, l, look, canvas);
    const auto hidden =
        draw_hidden_names(plot, l.plot.x, look.area.right() - 16, l.plot.y - 14, *look.theme, canvas);
    names.insert(names.end(), hidden.begin(), hidden.end());
    return names;
  }
  names = draw_hidden_names(plot, look.area.x + look.area.w * 0.4, look.area.right() - 8, look.area.y + 10,
                            *look.theme, canvas);
  if (plot.series.size() < 2) return names;
  std::vector<Label> labels = ends_of(plot, l);
  std::erase_if(labels, [&styles](const Label& label) { return !styles[label.line].is_strong; });
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  for (size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + apart);
  const double overflow = labels.empty() ? 0 : labels.back().y - l.plot.bottom();
  if (overflow > 0) {
    labels.back().y -= overflow;
    for (size_t i = labels.size() - 1; i-- > 0;) labels[i].y = std::min(labels[i].y, labels[i + 1].y - apart);
  }
  if (look.area.right() - l.plot.right() - 8 < 12) return names;
  const auto name = [&](const Label& label, Font font) {
    if (label.end.y < l.plot.y - 1 || label.end.y > l.plot.bottom() + 1) return;
    const double x = std::min(label.end.x, l.plot.right()) + 7;
    if (std::abs(label.y - label.end.y) > 5)
      canvas.line({x - 5, label.end.y}, {x - 1, label.y}, styles[label.line].line, 1);
    const LineSeries& series = plot.series[label.line];
    const std::string words = elide(canvas, series.label, font, look.area.right() - x - 1);
    canvas.text({x, label.y}, words, font, styles[label.line].text);
    names.push_back({series.item, series.label, {x, label.y - 6, canvas.text_width(words, font), 12}});
  };
  for (const Label& label : labels) name(label, line_label_bold);
  // Context lines are named where nothing else stands.
  for (const Label& label : ends_of(plot, l)) {
    const bool is_free = !styles[label.line].is_strong &&
                         std::none_of(labels.begin(), labels.end(), [&label](const Label& other) {
                           return std::abs(other.y - label.y) < apart;
                         });
    if (!is_free) continue;
    name(label, line_label_font);
    labels.push_back(label);
  }
  return names;
}

std::optional<Hit> name_hit(const std::vector<LineName>& names, const LinePlot& plot, Point p) {
  for (const LineName& name : names) {
    if (!name.box.inset(-2).holds(p)) continue;
    std::vector<int64_t> hidden;
    for (const HiddenLine& line : plot.hidden)
      if (line.item != name.item) hidden.push_back(line.item);
    if (!name.is_hidden) hidden.push_back(name.item);
    std::sort(hidden.begin(), hidden.end());
    Hit hit;
    hit.mark = name.box;
    hit.sets["hide"] = fmt::format("{}", fmt::join(hidden, ","));
    hit.tip = {{name.label, ""}, {"click", name.is_hidden ? "shows it again" : "hides it"}};
    hit.spoken = name.label + (name.is_hidden ? ": hidden; a click shows it again" : ": a click hides it");
    return hit;
  }
  return std::nullopt;
}

}  // namespace varve
