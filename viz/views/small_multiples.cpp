// One small plot for each item of an axis, all on one scale that is said once.
#include <algorithm>
#include <cmath>

#include "viz/map_slice.h"
#include "viz/plot_frame.h"

namespace varve {
namespace {

struct Options {
  std::string array, panel, x, y, map = "auto", range = "robust", steps = "log", at;
  bool log = false, bands = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the first with two axes or more");
    visit("panel", panel,
          "one plot for each item of this axis; empty: head, expert, layer, else the shortest");
    visit("x", x, "the axis that goes right in each plot; empty: step, key, position, else the longest");
    visit("y", y,
          "a second axis, which makes each plot a map; empty: query where there is one, none: curves");
    visit("map", map, "colour map; tide is centred on zero, auto: tide where values have both signs",
          Choices{"auto", "strata", "tide", "cividis", "viridis", "greys"});
    visit("range", range, "colours from the 2nd to the 98th percentile, or over all values",
          Choices{"robust", "full"});
    visit("steps", steps, "how training steps are spaced in curves", Choices{"log", "linear"});
    visit("log", log, "values of curves on a log axis");
    visit("bands", bands, "draw intervals of curves where the result has them");
    visit("at", at, "what to show of the other axes, as in prompt=3; else what is selected");
  }
};

constexpr Font label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};
constexpr int64_t most_panels = 1024;

double score_of(const Array& array) {
  const auto& axes = array.axes();
  if (axes.size() < 2) return 0;
  return 5 + static_cast<double>(std::min<size_t>(axes.size(), 4)) + (array.axis("step") ? 3 : 0) -
         (array.dtype() == Dtype::i64 ? 4 : 0);
}

struct Chosen {
  std::string name, panel, x, y;
  std::vector<std::string> kept() const {
    return y.empty() ? std::vector<std::string>{panel, x} : std::vector<std::string>{panel, y, x};
  }
};

Chosen choose(const Dataset& data, const Options& options) {
  Chosen c;
  const std::vector<std::string> all = arrays_by(data, score_of);
  c.name = !options.array.empty() ? options.array : all.empty() ? "" : all.front();
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "small-multiples");
  if (!is_numeric(array) || array.axes().size() < 2)
    fail_usage("small-multiples: '{}' is no array of numbers over two axes or more; try the view table",
               c.name);
  for (const std::string& axis : {options.panel, options.x, options.y})
    if (!axis.empty() && axis != "none") require_axis(array, c.name, axis, "small-multiples");
  const auto first_of = [&](std::vector<std::string> wanted, const std::vector<std::string>& taken,
                            bool longest) -> std::string {
    const auto is_free = [&taken](const std::string& axis) {
      return std::find(taken.begin(), taken.end(), axis) == taken.end();
    };
    for (const std::string& axis : wanted)
      if (is_free(axis) && array.axis(axis) && array.extent(axis) > 1) return axis;
    std::string best;
    for (const std::string& axis : array.axes()) {
      if (!is_free(axis)) continue;
      const bool is_better = best.empty() || (longest ? array.extent(axis) > array.extent(best)
                                                      : array.extent(axis) < array.extent(best));
      if (is_better) best = axis;
    }
    return best;
  };
  c.x = !options.x.empty() ? options.x : first_of({"step", "key", "pos"}, {options.panel, options.y}, true);
  c.y = options.y == "none" ? "" : options.y;
  if (options.y.empty() && c.x == "key" && array.axis("query")) c.y = "query";
  c.panel = !options.panel.empty() ? options.panel : first_of({"head", "expert", "layer"}, {c.x, c.y}, false);
  if (c.panel.empty() || c.panel == c.x || c.panel == c.y || c.x == c.y)
    fail_usage("small-multiples: panel '{}', x '{}' and y '{}' are three different axes of '{}'", c.panel,
               c.x, c.y, c.name);
  return c;
}

struct Panels {
  Chosen chosen;
  Places fixed;
  Array values, low, high;  // [panel, x] or [panel, y, x]
  Spread spread;
  std::pair<double, double> ends;
  int64_t count = 0, hidden = 0;
  int64_t bytes() const { return values.bytes() + low.bytes() + high.bytes(); }
};

Panels panels_of(const Dataset& data, const Options& options, const Selection& selection) {
  Panels p;
  p.chosen = choose(data, options);
  if (p.chosen.name.empty()) return p;
  const Places given = parse_places(options.at, data, "small-multiples");
  const Array& array = data[p.chosen.name];
  p.values = arranged(array, p.chosen.kept(), data, given, selection, p.fixed);
  if (p.values.size() == 0) return p;
  p.count = std::min(most_panels, p.values.shape()[0]);
  p.hidden = p.values.shape()[0] - p.count;
  p.spread = spread_of(p.values, "full");
  const Centre centre = map_name(options.map, p.spread) == "tide" ? Centre::zero : Centre::none;
  p.spread = spread_of(p.values, options.range, centre);
  std::vector<double> all = {ends_of(numbers_of(p.values), options.log).first,
                             ends_of(numbers_of(p.values), options.log).second};
  if (p.chosen.y.empty() && options.bands)
    for (const auto& [ending, into] : {std::pair("low", &p.low), std::pair("high", &p.high)})
      if (const Array* other = companion(data, p.chosen.name, ending)) {
        Places ignored;
        *into = arranged(*other, p.chosen.kept(), data, given, selection, ignored);
        if (into->size() != p.values.size()) *into = Array();
        const auto [a, b] = ends_of(numbers_of(*into), options.log);
        if (into->size() > 0) all.insert(all.end(), {a, b});
      }
  p.ends = ends_of(all, options.log);
  return p;
}

// Rows and columns that leave each plot as near to 4:3 as they can; maps as near to square.
struct Grid {
  Box area;
  int64_t columns = 1, rows = 1;
  double title = 14, gap = 6;
  Box cell(int64_t i) const {
    const double w = area.w / static_cast<double>(columns), h = area.h / static_cast<double>(rows);
    return {area.x + w * static_cast<double>(i % columns), area.y + h * static_cast<double>(i / columns), w,
            h};
  }
  Box plot(int64_t i) const {
    const Box c = cell(i);
    const double top = c.h > 30 ? title : 1;
    return {c.x + 1, c.y + top, std::max(0.0, c.w - gap), std::max(0.0, c.h - top - gap)};
  }
};

Grid grid_of(const Box& area, int64_t count, double wanted) {
  Grid best;
  best.area = area;
  double nearest = 1e300;
  for (int64_t columns = 1; columns <= count; ++columns) {
    const int64_t rows = (count + columns - 1) / columns;
    const double w = area.w / static_cast<double>(columns), h = area.h / static_cast<double>(rows) - 14;
    if (w <= 0 || h <= 0) continue;
    const double far = std::abs(std::log(w / h / wanted));
    if (far < nearest) nearest = far, best.columns = columns, best.rows = rows;
  }
  return best;
}

std::string panel_name(const Dataset& data, const Chosen& chosen, int64_t i) {
  const std::string name = name_at(data, chosen.panel, i);
  if (chosen.panel == "layer" && name != "embed") return "L" + name;
  return chosen.panel + " " + name;
}

Scale x_scale(const Panels& p, const Options& options, const std::vector<double>& ticks, const Box& plot) {
  if (p.chosen.x == "step" && options.steps == "log") return step_scale(ticks, plot.x, plot.right());
  return linear_scale(ticks.front(), ticks.back(), plot.x, plot.right());
}

void draw_curves(const Panels& p, int64_t i, const Scale& x, const Scale& y, const std::vector<double>& ticks,
                 Color color, double width, const Theme& theme, Canvas& canvas) {
  const auto points_of = [&](const Array& array) {
    std::vector<Point> points;
    for (size_t k = 0; k < ticks.size(); ++k) {
      points.push_back({x.pixel(ticks[k]), y.pixel(array.number(i * static_cast<int64_t>(ticks.size()) +
                                                                static_cast<int64_t>(k)))});
      if (ticks[k] == 0 && x.slot != 0) points.push_back({std::nan(""), std::nan("")});
    }
    return points;
  };
  if (p.low.size() > 0 && p.high.size() > 0)
    draw_band(canvas, points_of(p.low), points_of(p.high), band_color(theme, color));
  canvas.polyline(thinned(points_of(p.values), canvas.pixel()), color, width);
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "small-multiples");
  const Theme& theme = *look.theme;
  const Chosen chosen = choose(data, options);
  Drawn drawn;
  if (chosen.name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no numbers over two axes, so there are no plots to set side by side.");
    return drawn;
  }
  const Places places = places_left(data[chosen.name], chosen.kept(), data,
                                    parse_places(options.at, data, "small-multiples"), selection);
  const std::string key = key_of("small-multiples", values, places);
  const auto p = kept<Panels>(look, key, [&] { return panels_of(data, options, selection); });
  const std::string quantity = with_unit(data[chosen.name], title_of(data, chosen.name));
  drawn.header = quantity;
  if (const std::string where = said(data, p->fixed); !where.empty()) drawn.header += " · " + where;
  if (p->count == 0) {
    draw_empty(canvas, theme, look.area,
               fmt::format("'{}' is empty here, so there is nothing to draw.", chosen.name));
    return drawn;
  }
  drawn.header += fmt::format(" · {} plots on one scale", p->count);
  if (p->hidden > 0) drawn.header += fmt::format(", {} more not drawn", p->hidden);
  const bool is_map = !chosen.y.empty(), has_words = look.area.w >= 220 && look.area.h >= 140;
  Box area = look.area;
  if (has_words) area = {area.x + 46, area.y + (is_map ? 34 : 22), area.w - 56, area.h - (is_map ? 74 : 62)};
  const auto grid = std::make_shared<Grid>(grid_of(area, p->count, is_map ? 1.0 : 1.5));
  if (grid->columns == 0 || !(area.w > 1) || !(area.h > 1)) return drawn;
  grid->area = {moved_x(look, area.x), moved_y(look, area.y), area.w * look.zoom, area.h * look.zoom_down()};
  const ColorScale scale =
      color_scale(theme, map_name(options.map, p->spread), p->spread, p->values.unit, is_map && options.log);
  const int64_t columns = p->values.shape().back();
  const std::vector<double> ticks = ticks_along(data, chosen.x, columns);
  const Box clip{look.area.x, area.y - 2, look.area.w, area.h + 4};
  canvas.push_clip(clip);
  for (int64_t i = 0; i < p->count; ++i) {
    const Box plot = grid->plot(i), cell = grid->cell(i);
    if (plot.bottom() < area.y || plot.y > area.bottom() || plot.right() < look.area.x ||
        plot.x > look.area.right() || plot.w < 2 || plot.h < 2)
      continue;
    const bool is_chosen = selection.index(chosen.panel) == i;
    if (cell.h > 30 && cell.w > 26)
      canvas.text({plot.x, cell.y + 7}, elide(canvas, panel_name(data, chosen, i), label_font, plot.w),
                  is_chosen ? label_bold : label_font, is_chosen ? theme.ink : theme.ink3);
    if (is_map) {
      const int64_t rows = p->values.shape()[1];
      MapAxis::Part across, down;
      for (int64_t k = 0; k <= columns; ++k)
        across.edges.push_back(plot.x + plot.w * static_cast<double>(k) / static_cast<double>(columns));
      for (int64_t k = 0; k <= rows; ++k)
        down.edges.push_back(plot.y + plot.h * static_cast<double>(k) / static_cast<double>(rows));
      CellGrid cells;
      cells.row_edges = down.edges;
      cells.column_edges = across.edges;
      cells.has_gaps = false;
      const bool is_up = chosen.y == "layer";
      cells.value = [&p, i, rows, columns, is_up](int64_t row, int64_t column) {
        return p->values.number((i * rows + (is_up ? rows - 1 - row : row)) * columns + column);
      };
      cells.color = [&scale](double v) { return color_of(scale, v); };
      draw_cell_map(canvas, look, clip, cells, fmt::format("{}|panel {}", key, i));
      canvas.frame(plot, theme.strong);
    } else {
      const Scale x = x_scale(*p, options, ticks, plot);
      const Scale y = options.log ? log_scale(p->ends.first, p->ends.second, plot.bottom(), plot.y)
                                  : linear_scale(p->ends.first, p->ends.second, plot.bottom(), plot.y);
      canvas.line({plot.x, plot.bottom()}, {plot.right(), plot.bottom()}, theme.strong);
      if (const double zero = y.pixel(0); !options.log && zero > plot.y && zero < plot.bottom() - 1)
        canvas.line({plot.x, zero}, {plot.right(), zero}, theme.grid);
      draw_curves(*p, i, x, y, ticks, theme.category[0], is_chosen ? 2.2 : 1.4, theme, canvas);
      if (const auto at = selection.index(chosen.x); at && *at >= 0 && *at < columns)
        if (const double cursor = x.pixel(ticks[static_cast<size_t>(*at)]); std::isfinite(cursor))
          canvas.line({cursor, plot.y}, {cursor, plot.bottom()}, theme.ink, 1);
    }
    if (is_chosen) draw_selection(canvas, theme, plot);
  }
  canvas.pop_clip();
  if (has_words) {
    // The one scale, said beside the first column and under the last row.
    const Box first = grid->plot(0);
    const std::string x_title =
        axis_title(chosen.x) + (is_map                                         ? ", one column each"
                                : chosen.x == "step" && options.steps == "log" ? ", log"
                                                                               : "");
    canvas.text({look.area.x + 6, look.area.y + 9},
                elide(canvas, quantity + (options.log ? ", log" : ""), label_font, look.area.w * 0.6),
                label_font, theme.ink3);
    const std::string x_words = fmt::format("{}: {} to {}", x_title, name_at(data, chosen.x, 0),
                                            name_at(data, chosen.x, columns - 1));
    canvas.text({area.x + area.w / 2, look.area.bottom() - 14},
                elide(canvas,
                      is_map ? x_words + " · " + axis_title(chosen.y) +
                                   (chosen.y == "layer" ? " goes up" : " goes down")
                             : x_words,
                      label_font, area.w),
                label_font, theme.ink3, Align::center);
    if (is_map) {
      draw_color_scale(canvas, theme, {look.area.right() - 160, look.area.y + 4, 150, 8}, scale);
    } else if (look.zoom == 1) {
      for (const auto& [value, y] :
           {std::pair(p->ends.second, first.y + 4), std::pair(p->ends.first, first.bottom() - 4)})
        canvas.text({area.x - 5, y}, shown(value), label_font, theme.ink3, Align::right);
    }
  }
  drawn.where = [grid, chosen, p](const Selection& s) -> std::optional<Box> {
    const auto index = s.index(chosen.panel);
    if (!index || *index < 0 || *index >= p->count) return std::nullopt;
    return grid->plot(*index);
  };
  drawn.hit = [&data, p, grid, chosen, options, ticks, clip, columns](Point at) -> std::optional<Hit> {
    if (!clip.holds(at)) return std::nullopt;
    for (int64_t i = 0; i < p->count; ++i) {
      const Box plot = grid->plot(i);
      if (!plot.holds(at)) continue;
      Hit hit;
      hit.mark = plot;
      hit.at = p->fixed;
      hit.at[chosen.panel] = i;
      int64_t column = 0, row = 0;
      if (chosen.y.empty()) {
        const Scale x = x_scale(*p, options, ticks, plot);
        double nearest = 1e300;
        for (size_t k = 0; k < ticks.size(); ++k)
          if (const double far = std::abs(x.pixel(ticks[k]) - at.x); far < nearest)
            nearest = far, column = static_cast<int64_t>(k);
      } else {
        const int64_t rows = p->values.shape()[1];
        column = std::clamp<int64_t>(
            static_cast<int64_t>((at.x - plot.x) / plot.w * static_cast<double>(columns)), 0, columns - 1);
        row = std::clamp<int64_t>(static_cast<int64_t>((at.y - plot.y) / plot.h * static_cast<double>(rows)),
                                  0, rows - 1);
        if (chosen.y == "layer") row = rows - 1 - row;
        hit.at[chosen.y] = row;
      }
      hit.at[chosen.x] = column;
      const int64_t flat =
          chosen.y.empty() ? i * columns + column : (i * p->values.shape()[1] + row) * columns + column;
      std::string heading =
          panel_name(data, chosen, i) + " · " + chosen.x + " " + name_at(data, chosen.x, column);
      if (!chosen.y.empty()) heading += " · " + chosen.y + " " + name_at(data, chosen.y, row);
      hit.tip = {{heading, ""},
                 {title_of(data, chosen.name), shown_exactly(p->values, p->values.number(flat))}};
      if (p->low.size() > 0 && p->high.size() > 0)
        hit.tip.push_back({"interval", shown(p->low.number(flat)) + " – " + shown(p->high.number(flat))});
      if (!p->values.unit.empty()) hit.tip.push_back({"unit", p->values.unit});
      hit.number = MarkNumber{title_of(data, chosen.name), p->values.number(flat)};
      hit.along = numbered(data, chosen.x, column);
      hit.spoken = fmt::format("{}: {} {}", heading, hit.number->name, spoken_number(hit.number->value));
      return hit;
    }
    return std::nullopt;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Panels p = panels_of(data, read_settings<Options>(values, "small-multiples"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (p.chosen.name.empty()) return out;
  std::vector<int64_t> items(static_cast<size_t>(p.count));
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int64_t>(i);
  const auto set = [&](const std::string& name, const Array& array) {
    if (array.size() > 0) out.set(name, p.hidden > 0 ? picked(array, p.chosen.panel, items) : array);
  };
  set(p.chosen.name, p.values);
  set(companion_name(data, p.chosen.name, "low"), p.low);
  set(companion_name(data, p.chosen.name, "high"), p.high);
  for (const std::string& axis : p.values.axes())
    if (const Array* ticks = data.coord(axis);
        ticks && out.has_axis(axis) && ticks->size() == out.extent(axis))
      out.set_coord(axis, *ticks);
  if (!p.fixed.empty()) out.notes.push_back(said(data, p.fixed));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array") return arrays_by(data, score_of);
  if (option != "panel" && option != "x" && option != "y") return {};
  std::vector<std::string> axes =
      axes_of(data, choose(data, read_settings<Options>(values, "small-multiples")).name);
  if (option == "y") axes.emplace_back("none");
  return axes;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Options options = read_settings<Options>(values, "small-multiples");
  const Chosen c = choose(data, options);
  if (c.name.empty()) return {};
  return free_axes_of(data, places_left(data[c.name], c.kept(), data,
                                        parse_places(options.at, data, "small-multiples"), selection));
}

}  // namespace

void add_small_multiples(ViewCatalog& catalog) {
  View view;
  view.name = "small-multiples";
  view.summary = "one small plot for each head, expert or layer, all on one scale";
  view.help =
      "Curves or, with a second axis, maps. All share one scale, said once. Example: varve plot heads.h5 "
      "--view "
      "small-multiples --set array=induction --set panel=head -o heads.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return arrays_by(data, score_of).empty() ? 0.0 : 2.2; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
