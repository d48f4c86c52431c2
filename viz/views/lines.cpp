// Curves along training, positions or layers, with intervals as bands and names at the ends of the lines.
#include <algorithm>
#include <cmath>

#include "analysis/core/text.h"
#include "viz/cache.h"
#include "viz/choice.h"
#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/line_marks.h"
#include "viz/line_names.h"
#include "viz/view.h"

namespace varve {
namespace {

constexpr Font label_font = line_label_font, label_bold = line_label_bold;

// Pixel of the selected place along the axis; NaN where none is selected or in sight.
double cursor_x(const LinePlot& plot, const LineLayout& l, const Selection& selection) {
  const double none = std::nan("");
  const auto chosen = selection.index(plot.x);
  const auto place = chosen ? std::find(plot.order.begin(), plot.order.end(), *chosen) : plot.order.end();
  if (place == plot.order.end() || l.is_turned) return none;
  const double x = l.along.pixel(plot.ticks[static_cast<size_t>(place - plot.order.begin())]);
  return x >= l.plot.x && x <= l.plot.right() ? x : none;
}

void draw_axes(const Dataset& data, const Lines& lines, const LineOptions& options, const LineLayout& l,
               const Selection& selection, const Look& look, Canvas& canvas) {
  const LinePlot& plot = lines.plot;
  const Theme& theme = *look.theme;
  const Grid grid = options.grid ? Grid::lines : Grid::none;
  const Measure wide = [&canvas](const std::string& text) { return canvas.text_width(text, label_bold); };
  const Measure high = [](const std::string&) { return 12.0; };
  const double a0 = l.is_turned ? l.plot.bottom() : l.plot.x, a1 = l.is_turned ? l.plot.y : l.plot.right();
  std::vector<Tick> along =
      ticks_of(l.along, a0, a1, l.is_turned ? high : wide, lines.has_whole_ticks, l.is_turned ? 2 : 8);
  const Array* coord = data.coord(plot.x);
  if (coord && !is_numeric(*coord) && plot.ticks.size() > 1)
    along = item_ticks(names_along(data, plot.x, coord->size()),
                       std::abs(l.along.pixel(1) - l.along.pixel(0)), l.is_turned ? high : wide);
  if (plot.x == "layer")
    for (Tick& tick : along)
      if (const auto at = std::find(plot.ticks.begin(), plot.ticks.end(), tick.value);
          at != plot.ticks.end() && !tick.label.empty())
        tick.label = name_at(data, plot.x, plot.order[static_cast<size_t>(at - plot.ticks.begin())]);
  if (plot.x == "step" && l.along.spacing == Spacing::linear)
    for (Tick& tick : along) tick.label = show_step(static_cast<int64_t>(std::llround(tick.value)));
  std::string value_title = plot.title;
  if (value_title.empty()) value_title = plot.unit;
  if (!plot.unit.empty() && value_title.find(plot.unit) == std::string::npos) value_title += ", " + plot.unit;
  if (options.log) value_title += ", log";
  const auto chosen = selection.index(plot.x);
  if (l.is_turned) {
    const std::vector<Tick> values = ticks_of(l.value, l.plot.x, l.plot.right(), wide, false, 14);
    draw_x_axis(canvas, theme, l.plot, l.value, values, value_title, grid);
    const double bold =
        chosen && *chosen >= 0 && static_cast<size_t>(*chosen) < plot.ticks.size()
            ? ticks_along(data, plot.x, static_cast<int64_t>(plot.ticks.size()))[static_cast<size_t>(*chosen)]
            : -1e300;
    draw_y_axis(canvas, theme, l.plot, l.along, along, "", Grid::none, bold);
    canvas.vertical_text({l.plot.x - 46, l.plot.y + l.plot.h / 2}, "layer", label_font, theme.ink3);
    return;
  }
  if (const double cursor = cursor_x(plot, l, selection); std::isfinite(cursor)) {
    // The selected place is written on the axis too; labels it would touch give way.
    const double width = wide(name_at(data, plot.x, *chosen));
    for (Tick& tick : along)
      if (std::abs(l.along.pixel(tick.value) - cursor) < (wide(tick.label) + width) / 2 + 6)
        tick.label.clear();
  }
  const std::vector<Tick> values = ticks_of(l.value, l.plot.bottom(), l.plot.y, high, false, 16);
  const std::string spacing = l.along.spacing == Spacing::linear ? "" : ", log";
  draw_x_axis(canvas, theme, l.plot, l.along, along, axis_title(plot.x) + spacing, Grid::none);
  draw_y_axis(canvas, theme, l.plot, l.value, values, "", grid);
  canvas.text({look.area.x + 6, look.area.y + 10},
              elide(canvas, value_title, label_font,
                    look.area.w - 16 - std::min(look.area.w * 0.6, hidden_names_width(plot, canvas))),
              label_font, theme.ink3);
}

void draw_cursor(const Dataset& data, const LinePlot& plot, const LineLayout& l, const Selection& selection,
                 const Theme& theme, Canvas& canvas) {
  const double x = cursor_x(plot, l, selection);
  if (!std::isfinite(x)) return;
  canvas.line({x, l.plot.y}, {x, l.plot.bottom()}, theme.ink, 1);
  if (!l.has_words) return;
  const std::string name = name_at(data, plot.x, *selection.index(plot.x));
  canvas.text({x, l.plot.bottom() + 13}, name, label_bold, theme.ink, Align::center);
}

std::optional<Hit> nearest_hit(const Dataset& data, const LinePlot& plot, const LineLayout& l, Point p) {
  constexpr double reach = 24;
  double best = reach * reach;
  const LineSeries* found = nullptr;
  size_t at = 0;
  // Only places near the pointer are looked at.
  size_t first = 0, last = plot.ticks.size();
  if (!l.is_turned) {
    const auto below = [&l](double limit) {
      return [&l, limit](double tick, double) {
        const double x = l.along.pixel(tick);
        return std::isnan(x) || x < limit;
      };
    };
    const auto begin = plot.ticks.begin(), end = plot.ticks.end();
    first = static_cast<size_t>(std::lower_bound(begin, end, 0.0, below(p.x - reach)) - begin);
    last = static_cast<size_t>(std::lower_bound(begin, end, 0.0, below(p.x + reach)) - begin);
    // A step 0 in its slot lies before all others.
    if (first > 0 && plot.ticks[0] == 0 && std::abs(l.along.pixel(0) - p.x) < reach) first = 0;
  }
  for (const LineSeries& series : plot.series)
    for (size_t i = first; i < last; ++i) {
      const Point q = l.point(plot.ticks[i], series.value[i]);
      const double distance = (q.x - p.x) * (q.x - p.x) + (q.y - p.y) * (q.y - p.y);
      if (distance < best) best = distance, found = &series, at = i;
    }
  if (!found) return std::nullopt;
  Hit hit;
  const Point q = l.point(plot.ticks[at], found->value[at]);
  hit.mark = {q.x - 4, q.y - 4, 8, 8};
  hit.at = plot.fixed;
  hit.at[plot.x] = plot.order[at];
  if (!plot.series_axis.empty()) hit.at[plot.series_axis] = found->item;
  const std::string name = plot.x + " " + name_at(data, plot.x, plot.order[at]);
  const std::string heading = found->label.empty() ? name : found->label + " · " + name;
  const std::string& array =
      plot.arrays.size() > 1 ? plot.arrays[static_cast<size_t>(found->item)] : plot.arrays.front();
  hit.tip.push_back({heading, ""});
  hit.tip.push_back({title_of(data, array), shown_exactly(data[array], found->value[at])});
  if (!found->low.empty() && !found->high.empty())
    hit.tip.push_back({"interval", shown(found->low[at]) + " – " + shown(found->high[at])});
  if (!found->noise_high.empty())
    hit.tip.push_back({"noise", shown(found->noise_low[at]) + " – " + shown(found->noise_high[at])});
  if (!found->n.empty()) hit.tip.push_back({"n", shown(found->n[at])});
  if (!plot.unit.empty()) hit.tip.push_back({"unit", plot.unit});
  hit.number = MarkNumber{title_of(data, array), found->value[at]};
  hit.along = numbered(data, plot.x, plot.order[at]);
  hit.spoken = fmt::format("{}: {} {}", heading, title_of(data, array), spoken_number(found->value[at]));
  return hit;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const LineOptions options = read_settings<LineOptions>(values, "lines");
  const Theme& theme = *look.theme;
  const LineChoice choice = line_choice(data, options);
  Places places;
  if (!choice.arrays.empty())
    places = places_left(data[choice.arrays.front()], choice.kept(), data,
                         parse_places(options.at, data, "lines"), selection);
  const std::string key = key_of("lines", values, places);
  const auto lines = kept<Lines>(look, key, [&] { return lines_of(data, options, selection); });
  const auto plot = std::shared_ptr<const LinePlot>(lines, &lines->plot);
  Drawn drawn;
  if (plot->empty()) {
    draw_empty(canvas, theme, look.area,
               !plot->hidden.empty()
                   ? "All lines are hidden; a click on a name above brings its line back."
                   : "This result has no numbers along an axis, so there is no line to draw.");
    drawn.hit = [plot, names = draw_hidden_names(*plot, look.area.x + 8, look.area.right() - 8,
                                                 look.area.y + 10, theme, canvas)](Point p) {
      return name_hit(names, *plot, p);
    };
    return drawn;
  }
  drawn.header = plot->title;
  const std::string where = said(data, plot->fixed);
  if (!where.empty()) drawn.header += (drawn.header.empty() ? "" : " · ") + where;
  const std::vector<LineStyle> styles = styles_of(*plot, selection, theme);
  const auto l = std::make_shared<LineLayout>(layout_of(*lines, options, styles, data, look, canvas));
  if (!(l->plot.w > 1) || !(l->plot.h > 1)) return drawn;
  const bool has_values = std::isfinite(lines->range.first) && std::isfinite(lines->range.second);
  draw_noise_floor(*plot, *l, theme, canvas);
  if (l->has_words) draw_axes(data, *lines, options, *l, selection, look, canvas);
  if (!has_values)
    draw_empty(canvas, theme, l->plot, "No value here is a number, so there is no line to draw.");
  canvas.push_clip(l->plot.inset(-3));
  for (size_t i = 0; i < plot->series.size(); ++i)
    if (styles[i].is_strong && options.bands) draw_noise(*lines, i, *l, theme, canvas);
  // All intervals lie under all lines, else one would hide another's values.
  for (size_t i = 0; i < plot->series.size(); ++i)
    if (styles[i].is_strong && options.bands) draw_interval(*lines, i, styles[i], *l, theme, canvas);
  for (size_t i = 0; options.bands && i < plot->series.size(); ++i)
    draw_fit_band(*lines, i, styles[i], *l, theme, canvas);
  const bool crowded = is_crowd(*lines, styles);
  if (crowded) draw_crowd(*lines, styles, *l, look, key, canvas);
  for (const bool strong : {false, true})
    for (size_t i = 0; i < plot->series.size(); ++i)
      if (styles[i].is_strong == strong && (strong || !crowded)) draw_curve(*lines, i, styles[i], *l, canvas);
  draw_left_out(*lines, *l, theme, canvas);
  for (size_t i = 0; i < plot->series.size(); ++i) draw_fit(*lines, i, styles[i], *l, theme, canvas);
  canvas.pop_clip();
  std::vector<LineName> names;
  if (l->has_words) {
    names = draw_names(*plot, styles, *l, look, canvas);
    if (plot->x == "step") draw_events(data, *l, look, canvas);
  }
  draw_cursor(data, *plot, *l, selection, theme, canvas);
  if (const std::string interval = interval_words(data, plot->arrays.front());
      options.bands && !interval.empty())
    drawn.header += " · band: " + interval;
  if (options.bands && !plot->series.front().noise_high.empty())
    drawn.header += " · grey: " + title_of(data, companion_name(data, plot->arrays.front(), "noise"));
  const auto named =
      std::count_if(names.begin(), names.end(), [](const LineName& name) { return !name.is_hidden; });
  if (named > 0 && named < static_cast<int64_t>(styles.size()))
    drawn.header += fmt::format(" · {} of {} lines named", named, styles.size());
  if (!plot->hidden.empty()) drawn.header += fmt::format(" · {} hidden", plot->hidden.size());
  if (const auto bad = std::count(plot->bad.begin(), plot->bad.end(), true); bad > 0)
    drawn.header += fmt::format(" · {} audited bad", bad);
  if (plot->has_fit()) drawn.header += " · curves are fits, points the values";
  for (const LineName& name : names) drawn.names.emplace_back(name.label, name.box);
  drawn.plot = l->plot;
  if (plot->x == "step")
    drawn.step_at = [plot, l](Point p) -> std::optional<int64_t> {
      const auto nearer = [&](size_t a, size_t b) {
        return std::abs(l->along.pixel(plot->ticks[a]) - p.x) <
               std::abs(l->along.pixel(plot->ticks[b]) - p.x);
      };
      size_t best = 0;
      for (size_t i = 1; i < plot->ticks.size(); ++i)
        if (nearer(i, best)) best = i;
      return plot->order[best];
    };
  drawn.hit = [&data, plot, l, names](Point p) -> std::optional<Hit> {
    if (const auto name = name_hit(names, *plot, p)) return name;
    if (!l->plot.inset(-4).holds(p)) return std::nullopt;
    return nearest_hit(data, *plot, *l, p);
  };
  drawn.where = [plot, l](const Selection& s) -> std::optional<Box> {
    const auto index = s.index(plot->x);
    const auto place = index ? std::find(plot->order.begin(), plot->order.end(), *index) : plot->order.end();
    if (place == plot->order.end()) return std::nullopt;
    size_t line = 0;
    if (const auto item = plot->series_axis.empty() ? std::nullopt : s.index(plot->series_axis))
      line =
          static_cast<size_t>(std::clamp<int64_t>(*item, 0, static_cast<int64_t>(plot->series.size()) - 1));
    const auto at = static_cast<size_t>(place - plot->order.begin());
    const Point q = l->point(plot->ticks[at], plot->series[line].value[at]);
    if (!std::isfinite(q.x) || !std::isfinite(q.y)) return std::nullopt;
    return Box{q.x - 4, q.y - 4, 8, 8};
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const LineOptions options = read_settings<LineOptions>(values, "lines");
  const LinePlot plot = line_plot(data, options, selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  const std::vector<std::string> kept = LineChoice{plot.arrays, plot.x, plot.series_axis}.kept();
  std::vector<int64_t> items;  // what hide leaves
  for (const LineSeries& series : plot.series) items.push_back(series.item);
  const auto drawn_part = [&](const Array& array) {
    return !plot.hidden.empty() && !plot.series_axis.empty() ? picked(array, plot.series_axis, items) : array;
  };
  Places fixed;
  if (plot.arrays.empty()) return out;
  const Places given = parse_places(options.at, data, "lines");
  for (const std::string& name : plot.arrays) {
    out.set(name, drawn_part(arranged(data[name], kept, data, given, selection, fixed)));
    for (const char* ending :
         {"low", "high", "n", "fit", "fit_low", "fit_high", "used", "peak_step", "peak_step_low",
          "peak_step_high", "peak_value", "floor", "noise", "noise_low", "noise_high"}) {
      const std::string other = companion_name(data, name, ending);
      if (!other.empty())
        out.set(other, drawn_part(arranged(data[other], kept, data, given, selection, fixed)));
    }
  }
  for (const std::string& axis : kept)
    if (const Array* ticks = data.coord(axis);
        ticks && out.has_axis(axis) && ticks->size() == out.extent(axis))
      out.set_coord(axis, *ticks);
  if (!fixed.empty()) out.notes.push_back(said(data, fixed));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array") {
    return arrays_by(data, [](const Array& array) { return array.axes().empty() ? 0.0 : 1.0; });
  }
  const LineChoice choice = line_choice(data, read_settings<LineOptions>(values, "lines"));
  if (choice.arrays.empty()) return {};
  std::vector<std::string> axes = axes_of(data, choice.arrays.front());
  if (option == "x") return axes;
  if (option != "series") return {};
  std::erase(axes, choice.x);
  axes.emplace_back("none");
  return axes;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const LineOptions options = read_settings<LineOptions>(values, "lines");
  const LineChoice choice = line_choice(data, options);
  if (choice.arrays.empty()) return {};
  return free_axes_of(data, places_left(data[choice.arrays.front()], choice.kept(), data,
                                        parse_places(options.at, data, "lines"), selection));
}

}  // namespace

void add_lines(ViewCatalog& catalog) {
  View view;
  view.name = "lines";
  view.summary = "curves along training, positions or layers, with intervals as bands";
  view.help =
      "One line for each item of a second axis, named at its end. Of more than six lines the selected one is "
      "coloured and the others are grey. Training steps are spaced by their logarithm, with step 0 as a "
      "point "
      "before the break. Each pixel column keeps its exact lowest and highest value; gaps in the data stay "
      "gaps.";
  view.options = declared_settings<LineOptions>();
  view.fit = [](const Dataset& data) {
    const std::string name = default_line_array(data);
    if (name.empty()) return 0.0;
    // Between things without an order no line leads from one to the next.
    const std::string along = line_choice(data, {}).x;
    const Array* coord = data.coord(along);
    const bool has_order =
        along == "step" || along == "layer" || along == "pos" || (coord && is_numeric(*coord));
    if (!has_order && data[name].axes().size() == 1) return 1.4;
    return data[name].axes().size() <= 2 ? 4.0 : 2.0;
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
