// Two axes of any array as a map of colours; what is left of the other axes is chosen by option or selection.
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/map_axis.h"
#include "viz/pick.h"
#include "viz/view.h"

namespace varve {
namespace {

struct Options {
  std::string array, x, y, map = "strata", range = "robust", steps = "log", at;
  bool log = false;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the first with two axes or more");
    visit("x", x, "the axis that goes right; empty: step, else position, else the last");
    visit("y", y, "the axis that goes up or down; empty: layer, else the first");
    visit("map", map, "colour map; tide is centred on zero",
          Choices{"strata", "tide", "cividis", "viridis", "greys"});
    visit("range", range, "colours from the 2nd to the 98th percentile, or over all values",
          Choices{"robust", "full"});
    visit("log", log, "colours by the logarithm of the value");
    visit("steps", steps, "how training steps are spaced", Choices{"log", "linear", "even"});
    visit("at", at, "what to show of the other axes, as in prompt=3,rank=0; else what is selected");
  }
};

// An interval's ends and counts belong to another array.
bool is_companion(const std::string& name) {
  for (const char* ending : {"_low", "_high", "_n"})
    if (name.size() > std::string(ending).size() && name.ends_with(ending)) return true;
  return false;
}

std::string default_array(const Dataset& data) {
  std::string best;
  int best_score = 0;
  for (const auto& [name, array] : data.arrays()) {
    if (!is_numeric(array) || array.axes().size() < 2 || is_companion(name)) continue;
    int score = 10;
    score += array.axis("layer") ? 4 : 0;
    score += array.axis("step") ? 3 : 0;
    score += array.axis("pos") || array.axis("head") ? 2 : 0;
    score += array.unit == "nats" ? 1 : 0;         // the loss says most
    score -= array.dtype() == Dtype::i64 ? 6 : 0;  // ids and counts say little as colours
    if (score > best_score) best = name, best_score = score;
  }
  return best;
}

struct Chosen {
  std::string name, x, y;
  Places fixed;
  Array values;  // [y, x]
};

Chosen choose(const Dataset& data, const Options& options, const Selection& selection) {
  Chosen c;
  c.name = options.array.empty() ? default_array(data) : options.array;
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "heat-map");
  const std::vector<std::string>& axes = array.axes();
  if (!is_numeric(array) || axes.size() < 2)
    fail_usage("heat-map: '{}' is no array of numbers over two axes or more; try the view table", c.name);
  const auto check = [&](const std::string& axis) {
    if (!array.axis(axis))
      fail_usage("heat-map: '{}' has no axis '{}'; did you mean '{}'?", c.name, axis, nearest(axis, axes));
  };
  if (!options.x.empty()) check(options.x);
  if (!options.y.empty()) check(options.y);
  const auto first_of = [&](const std::vector<std::string>& wanted, const std::string& taken,
                            bool from_back) {
    for (const std::string& axis : wanted)
      if (axis != taken && array.axis(axis)) return axis;
    std::vector<std::string> rest = axes;
    std::erase(rest, taken);
    return from_back ? rest.back() : rest.front();
  };
  c.x = !options.x.empty() ? options.x : first_of({"step", "pos", "key", "head", "expert"}, options.y, true);
  c.y = !options.y.empty() ? options.y : first_of({"layer", "query"}, c.x, false);
  if (c.x == c.y) fail_usage("heat-map: x and y are both '{}'; choose two axes of '{}'", c.x, c.name);
  const Places given = parse_places(options.at, data, "heat-map");
  c.values = sliced_in_order(array, {c.y, c.x}, data, given, selection, c.fixed);
  return c;
}

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

Hit hit_of(const Dataset& data, const Chosen& c, int64_t row, int64_t column, Box mark) {
  Hit hit;
  hit.mark = mark;
  hit.at = c.fixed;
  hit.at[c.y] = row;
  hit.at[c.x] = column;
  const double value = c.values.number(row * c.values.shape()[1] + column);
  const std::string heading =
      fmt::format("{} {} · {} {}", c.y, name_at(data, c.y, row), c.x, name_at(data, c.x, column));
  hit.tip.push_back({heading, ""});
  hit.tip.push_back({title_of(data, c.name), shown_exactly(c.values, value)});
  if (!c.values.unit.empty()) hit.tip.push_back({"unit", c.values.unit});
  for (const auto& [ending, word] :
       {std::pair("_low", "interval from"), std::pair("_high", "interval to"), std::pair("_n", "n")}) {
    if (!data.has(c.name + ending) || data[c.name + ending].axes() != data[c.name].axes()) continue;
    Places none;
    const Array other = sliced_in_order(data[c.name + ending], {c.y, c.x}, data, c.fixed, {}, none);
    hit.tip.push_back({word, shown(other.number(row * c.values.shape()[1] + column))});
  }
  hit.spoken = fmt::format("{}: {} {}", heading, title_of(data, c.name), spoken_number(value));
  return hit;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "heat-map");
  const Theme& theme = *look.theme;
  auto c = std::make_shared<Chosen>(choose(data, options, selection));
  Drawn drawn;
  if (c->name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no numbers over two axes, so there is no map to draw.");
    return drawn;
  }
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
  const int64_t rows = c->values.shape()[0], columns = c->values.shape()[1];
  ColorScale scale =
      color_scale(theme, options.map, numbers_of(c->values), options.range, c->values.unit, options.log);

  const auto across = std::make_shared<MapAxis>(
      map_axis(data, c->x, columns, options.steps, l.plot.x, l.plot.right(), Direction::forward));
  const auto down =
      std::make_shared<MapAxis>(map_axis(data, c->y, rows, options.steps, l.plot.y, l.plot.bottom(),
                                         c->y == "layer" ? Direction::backward : Direction::forward));
  across->move(look.area.x, look.zoom, look.pan.x);
  down->move(look.area.y, look.zoom, look.pan.y);

  int64_t shared = 1;
  for (const MapAxis::Part& rows_part : down->parts)
    for (const MapAxis::Part& columns_part : across->parts) {
      CellGrid grid;
      grid.row_edges = rows_part.edges;
      grid.column_edges = columns_part.edges;
      grid.has_gaps = !across->is_scaled && !down->is_scaled;
      grid.value = [&](int64_t row, int64_t column) {
        return c->values.number(rows_part.item(row) * columns + columns_part.item(column));
      };
      grid.color = [&scale](double v) { return color_of(scale, v); };
      shared = std::max(shared, draw_cells(canvas, theme, l.plot, grid));
    }
  if (shared > 1) drawn.header += fmt::format(" · up to {} cells a pixel, the largest is shown", shared);

  canvas.frame(l.plot, theme.strong);
  if (l.has_words) {
    const auto x_chosen = selection.index(c->x), y_chosen = selection.index(c->y);
    across->draw_along_x(canvas, theme, l.plot, axis_title(c->x), x_chosen);
    down->draw_along_y(canvas, theme, l.plot, axis_title(c->y), y_chosen);
    draw_color_scale(canvas, theme, l.bar, scale);
    const Font font{7.5, Face::sans};
    const std::string quantity = with_unit(c->values, title) + (scale.log ? ", log" : "");
    canvas.text({look.area.right() - 8, l.plot.y - 15}, elide(canvas, quantity, font, look.area.w - 118),
                font, theme.ink3, Align::right);
  }

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
    return hit_of(data, *c, *row, *at_column,
                  {x->first, y->first, x->second - x->first, y->second - y->first});
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Options options = read_settings<Options>(values, "heat-map");
  const Chosen c = choose(data, options, selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (c.name.empty()) return out;
  out.set(c.name, c.values);
  for (const std::string& axis : c.values.axes())
    if (const Array* ticks = data.coord(axis); ticks && ticks->size() == c.values.extent(axis))
      out.set_coord(axis, *ticks);
  if (!c.fixed.empty()) out.notes.push_back(said(data, c.fixed));
  return out;
}

}  // namespace

void add_heat_map(ViewCatalog& catalog) {
  View view;
  view.name = "heat-map";
  view.summary = "two axes of an array as a map of colours";
  view.help =
      "Layers go up, steps and positions go right. Training steps are spaced by their logarithm, with step 0 "
      "in a "
      "slot of its own. Colours span the 2nd to the 98th percentile unless told otherwise; an arrow on the "
      "scale "
      "says that values lie beyond it. Where several cells share one pixel the largest value is shown.";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return default_array(data).empty() ? 0.0 : 3.0; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  catalog.add(std::move(view));
}

}  // namespace varve
