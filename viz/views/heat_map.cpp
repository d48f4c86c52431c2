// Two axes of any array as a map of colours; what is left of the other axes is chosen by option or selection.
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/map_slice.h"

namespace varve {
namespace {

struct Options {
  std::string array, x, y, map = "auto", range = "robust", steps = "log", at;
  bool log = false, sparks = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the first with two axes or more");
    visit("x", x, "the axis that goes right; empty: head, step, position, else the last");
    visit("y", y, "the axis that goes up or down; empty: layer, else the first");
    visit("map", map, "colour map; tide is centred on zero, auto: tide where values have both signs",
          Choices{"auto", "strata", "tide", "cividis", "viridis", "greys"});
    visit("range", range, "colours from the 2nd to the 98th percentile, or over all values",
          Choices{"robust", "full"});
    visit("log", log, "colours by the logarithm of the value");
    visit("steps", steps, "how training steps are spaced", Choices{"log", "linear", "even"});
    visit("sparks", sparks, "draw each cell's course over training into it, where cells have room");
    visit("at", at, "what to show of the other axes, as in prompt=3,rank=0; else what is selected");
  }
};

double score_of(const Array& array) {
  if (array.axes().size() < 2) return 0;
  double score = 10;
  score += array.axis("layer") ? 4 : 0;
  score += array.axis("step") ? 3 : 0;
  score += array.axis("pos") || array.axis("head") ? 2 : 0;
  score += array.unit == "nats" ? 1 : 0;         // the loss says most
  score -= array.dtype() == Dtype::i64 ? 6 : 0;  // ids and counts say little as colours
  return score;
}

std::string default_array(const Dataset& data) {
  const std::vector<std::string> all = arrays_by(data, score_of);
  return all.empty() ? "" : all.front();
}

struct Chosen {
  std::string name, x, y;
};

Chosen choose(const Dataset& data, const Options& options) {
  Chosen c;
  c.name = options.array.empty() ? default_array(data) : options.array;
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "heat-map");
  const std::vector<std::string>& axes = array.axes();
  if (!is_numeric(array) || axes.size() < 2)
    fail_usage("heat-map: '{}' is no array of numbers over two axes or more; try the view table", c.name);
  for (const std::string& axis : {options.x, options.y})
    if (!axis.empty()) require_axis(array, c.name, axis, "heat-map");
  const auto first_of = [&](const std::vector<std::string>& wanted, const std::string& taken,
                            bool from_back) {
    for (const std::string& axis : wanted)
      if (axis != taken && array.axis(axis)) return axis;
    std::vector<std::string> rest = axes;
    std::erase(rest, taken);
    return from_back ? rest.back() : rest.front();
  };
  // Heads and experts of all layers are a map of their own, at the step that is selected.
  std::vector<std::string> right = {"step", "pos", "key", "head", "expert"};
  if (array.axis("layer") && (array.axis("head") || array.axis("expert"))) right = {"head", "expert"};
  c.x = !options.x.empty() ? options.x : first_of(right, options.y, true);
  c.y = !options.y.empty() ? options.y : first_of({"layer", "query"}, c.x, false);
  if (c.x == c.y) fail_usage("heat-map: x and y are both '{}'; choose two axes of '{}'", c.x, c.name);
  return c;
}

// One line a cell: its values over training, [y, x, step].
struct Sparks {
  Array values;
  double low = 0, high = 1;
  int64_t bytes() const { return values.bytes(); }
};

struct Layout {
  Box plot, bar;
  bool has_words = false;
};
Layout layout_of(const Box& a) {
  Layout l;
  l.has_words = a.w >= 190 && a.h >= 120;
  l.plot = l.has_words ? Box{a.x + 58, a.y + 26, a.w - 58 - 78, a.h - 26 - 46} : a;
  if (l.has_words) l.bar = {l.plot.right() + 16, l.plot.y, 11, l.plot.h};
  return l;
}

std::optional<double> floor_of(const Dataset& data, const MapSlice& slice) {
  const Array* floor = companion(data, slice.name, "floor");
  if (!floor) return std::nullopt;
  Places ignored;
  const Array one = arranged(*floor, {}, data, slice.fixed, {}, ignored);
  const bool is_number = one.size() == 1 && std::isfinite(one.number(0));
  return is_number ? std::optional<double>(one.number(0)) : std::nullopt;
}

void draw_sparks(const Dataset& data, const MapSlice& slice, const MapAxis& across, const MapAxis& down,
                 const ColorScale& scale, const Look& look, Box plot, Canvas& canvas) {
  constexpr double least_width = 18, least_height = 14;
  constexpr int64_t most_points = 400'000;
  const Array& array = data[slice.name];
  const Array* steps = data.coord("step");
  if (!slice.fixed.count("step") || !steps || array.extent("step") < 4 || array.size() > most_points) return;
  const auto cell = across.extent(0), line = down.extent(0);
  if (!cell || !line || cell->second - cell->first < least_width || line->second - line->first < least_height)
    return;
  Places others = slice.fixed;
  others.erase("step");
  const auto sparks =
      kept<Sparks>(look, key_of("heat-map sparks " + slice.name + slice.x + slice.y, {}, others), [&] {
        Sparks made;
        Places ignored;
        made.values = arranged(array, {slice.y, slice.x, "step"}, data, slice.fixed, {}, ignored);
        const Spread all = spread_of(made.values, "full");
        made.low = std::min(0.0, all.lowest);
        made.high = all.highest;
        return made;
      });
  if (!(sparks->high > sparks->low)) return;
  const int64_t count = array.extent("step");
  const std::vector<double> ticks = ticks_along(data, "step", count);
  const auto floor = floor_of(data, slice);
  for (int64_t row = 0; row < slice.rows(); ++row)
    for (int64_t column = 0; column < slice.columns(); ++column) {
      const auto x = across.extent(column), y = down.extent(row);
      if (!x || !y || x->second < plot.x || x->first > plot.right() || y->second < plot.y ||
          y->first > plot.bottom())
        continue;
      const int64_t first = (row * slice.columns() + column) * count;
      const Scale along = step_scale(ticks, x->first + 4, x->second - 5);
      const Scale value = linear_scale(sparks->low, sparks->high, y->second - 4, y->first + 3);
      std::vector<Point> points;
      double most = -1e300;
      for (int64_t i = 0; i < count; ++i) {
        const double v = sparks->values.number(first + i);
        most = std::isfinite(v) ? std::max(most, v) : most;
        if (ticks[static_cast<size_t>(i)] > 0 || along.slot == 0)
          points.push_back({along.pixel(ticks[static_cast<size_t>(i)]), value.pixel(v)});
      }
      if (floor && most < *floor) continue;  // noise has no course
      const double here = slice.value(row, column);
      if (std::isfinite(here))
        canvas.polyline(thinned(points, canvas.pixel()), text_on(color_of(scale, here)), 1.1);
    }
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "heat-map");
  const Theme& theme = *look.theme;
  const Chosen chosen = choose(data, options);
  Drawn drawn;
  if (chosen.name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no numbers over two axes, so there is no map to draw.");
    return drawn;
  }
  const Places given = parse_places(options.at, data, "heat-map");
  const std::string key = key_of(
      "heat-map", values, places_left(data[chosen.name], {chosen.y, chosen.x}, data, given, selection));
  const auto c = kept<MapSlice>(look, key, [&] {
    return map_slice(data, chosen.name, chosen.x, chosen.y, given, selection, options.range, options.map);
  });
  const std::string title = title_of(data, c->name);
  drawn.header = with_unit(c->values, title);
  const std::string where = said(data, c->fixed);
  if (!where.empty()) drawn.header += " · " + where;
  if (c->values.size() == 0) {
    draw_empty(canvas, theme, look.area,
               fmt::format("'{}' is empty here, so there is no map to draw.", c->name));
    return drawn;
  }
  const Layout l = layout_of(look.area);
  if (!(l.plot.w > 1) || !(l.plot.h > 1)) return drawn;
  const ColorScale scale =
      color_scale(theme, map_name(options.map, c->spread), c->spread, c->values.unit, options.log);
  const auto across = std::make_shared<MapAxis>(
      map_axis(data, c->x, c->columns(), options.steps, l.plot.x, l.plot.right(), Direction::forward));
  const auto down =
      std::make_shared<MapAxis>(map_axis(data, c->y, c->rows(), options.steps, l.plot.y, l.plot.bottom(),
                                         c->y == "layer" ? Direction::backward : Direction::forward));
  across->move(look.area.x, look.zoom, look.pan.x);
  down->move(look.area.y, look.zoom_down(), look.pan.y);

  int64_t shared = 1;
  for (size_t i = 0; i < down->parts.size(); ++i)
    for (size_t j = 0; j < across->parts.size(); ++j) {
      const CellGrid grid =
          cell_grid(*c, down->parts[i], across->parts[j], scale, !across->is_scaled && !down->is_scaled);
      shared = std::max(shared,
                        draw_cell_map(canvas, look, l.plot, grid, fmt::format("{}|part {},{}", key, i, j)));
    }
  if (shared > 1) drawn.header += fmt::format(" · up to {} cells a pixel, the largest is shown", shared);
  canvas.push_clip(l.plot);
  if (options.sparks) draw_sparks(data, *c, *across, *down, scale, look, l.plot, canvas);
  canvas.pop_clip();

  canvas.frame(l.plot, theme.strong);
  if (l.has_words) {
    const auto x_chosen = selection.index(c->x), y_chosen = selection.index(c->y);
    across->draw_along_x(canvas, theme, l.plot, axis_title(c->x), x_chosen);
    down->draw_along_y(canvas, theme, l.plot, axis_title(c->y), y_chosen);
    draw_color_scale(canvas, theme, l.bar, scale);
    if (const auto floor = floor_of(data, *c)) {
      const double unit = unit_of(scale, *floor);
      if (unit > 0 && unit < 1)
        canvas.fill({l.bar.x - 3, l.bar.bottom() - unit * l.bar.h - 1, l.bar.w + 6, 2}, theme.fail);
      drawn.header += " · noise floor " + shown(*floor);
    }
    const Font font{7.5, Face::sans};
    const std::string quantity = with_unit(c->values, title) + (scale.log ? ", log" : "");
    canvas.text({look.area.right() - 8, l.plot.y - 15}, elide(canvas, quantity, font, look.area.w - 118),
                font, theme.ink3, Align::right);
  }

  drawn.plot = l.plot;
  if (c->x == "step")
    drawn.step_at = [across, plot = l.plot](Point p) {
      return across->item_at(std::clamp(p.x, plot.x, plot.right()));
    };
  drawn.where = [c, across, down, plot = l.plot](const Selection& s) -> std::optional<Box> {
    const auto column = s.index(c->x), row = s.index(c->y);
    if (!column || !row) return std::nullopt;
    const auto x = across->extent(*column), y = down->extent(*row);
    if (!x || !y) return std::nullopt;
    return Box{x->first, y->first, x->second - x->first, y->second - y->first};
  };
  canvas.push_clip(l.plot.inset(-2));
  const auto column = selection.index(c->x);
  const auto box = drawn.where(selection);
  const auto along = column ? across->extent(*column) : std::nullopt;
  if (c->x == "step" && along) {
    // The shared step is a line through all layers, with a halo so that it is seen on any colour.
    const double x = (along->first + along->second) / 2;
    canvas.fill({x - 2, l.plot.y, 4, l.plot.h}, theme.canvas);
    canvas.fill({x - 1, l.plot.y, 2, l.plot.h}, theme.ink);
  } else if (box) {
    draw_selection(canvas, theme, *box);
  }
  canvas.pop_clip();
  drawn.hit = [c, across, down, plot = l.plot, &data](Point p) -> std::optional<Hit> {
    if (!plot.holds(p)) return std::nullopt;
    const auto at_column = across->item_at(p.x), row = down->item_at(p.y);
    if (!at_column || !row) return std::nullopt;
    const auto x = across->extent(*at_column), y = down->extent(*row);
    Hit hit;
    hit.mark = {x->first, y->first, x->second - x->first, y->second - y->first};
    hit.at = c->fixed;
    hit.at[c->y] = *row;
    hit.at[c->x] = *at_column;
    hit.tip = map_tip(data, *c, *row, *at_column);
    hit.spoken = map_spoken(data, *c, *row, *at_column);
    hit.number = MarkNumber{title_of(data, c->name), c->value(*row, *at_column)};
    hit.along = numbered(data, c->x, *at_column);
    return hit;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Options options = read_settings<Options>(values, "heat-map");
  const Chosen c = choose(data, options);
  if (c.name.empty()) {
    Dataset out;
    out.title = data.title;
    out.provenance = data.provenance;
    return out;
  }
  return map_data(data, map_slice(data, c.name, c.x, c.y, parse_places(options.at, data, "heat-map"),
                                  selection, options.range, options.map));
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array") return arrays_by(data, score_of);
  if (option != "x" && option != "y") return {};
  const Options options = read_settings<Options>(values, "heat-map");
  return axes_of(data, options.array.empty() ? default_array(data) : options.array);
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Options options = read_settings<Options>(values, "heat-map");
  const Chosen c = choose(data, options);
  if (c.name.empty()) return {};
  return free_axes_of(data, places_left(data[c.name], {c.y, c.x}, data,
                                        parse_places(options.at, data, "heat-map"), selection));
}

}  // namespace

void add_heat_map(ViewCatalog& catalog) {
  View view;
  view.name = "heat-map";
  view.summary = "two axes of an array as a map of colours";
  view.help =
      "Layers go up, steps and positions go right; layers and heads make a grid of heads at the selected "
      "step, "
      "with each head's course over training inside its cell. Training steps are spaced by their logarithm, "
      "with step 0 in a slot of its own. Colours span the 2nd to the 98th percentile unless told otherwise; "
      "an "
      "arrow on the scale says that values lie beyond it. Where several cells share one pixel the largest "
      "value "
      "is shown. Example: varve plot heads.h5 --view heat-map --set array=induction -o heads.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) {
    const std::string name = default_array(data);
    if (name.empty()) return 0.0;
    const Array& array = data[name];
    const auto leading = data.provenance.find("leading_array");
    if (leading != data.provenance.end() && leading->second == name) return 5.0;
    // Pairs of experts are a matrix; one row of it says little.
    if (array.axis("expert") && array.axis("partner")) return 3.0;
    return array.axis("layer") && (array.axis("head") || array.axis("expert")) ? 5.0 : 3.0;
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
