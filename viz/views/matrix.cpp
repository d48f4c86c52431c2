// Pairs of things as a matrix, with rows and columns in the order that shows what belongs together.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "viz/map_slice.h"
#include "viz/reorder.h"

namespace varve {
namespace {

struct Options {
  std::string array, x, y, order = "as-is", map = "auto", range = "robust", at;
  bool values = false;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the first that pairs things of one kind");
    visit("x", x, "the axis that goes right; empty: the last");
    visit("y", y, "the axis that goes down; empty: the one before");
    visit("order", order, "rows and columns as they are, by their mean, or with alike ones side by side",
          Choices{"as-is", "by-value", "clustered"});
    visit("map", map, "colour map; tide is centred on zero, auto: tide where values have both signs",
          Choices{"auto", "strata", "tide", "cividis", "viridis", "greys"});
    visit("range", range, "colours from the 2nd to the 98th percentile, or over all values",
          Choices{"robust", "full"});
    visit("values", values, "write the number into each cell that has room");
    visit("at", at, "what to show of the other axes, as in step=3; else what is selected");
  }
};

const std::pair<const char*, const char*> pairs[] = {
    {"src", "dst"},         {"dst", "src"},        {"query", "key"}, {"head_a", "head_b"},
    {"expert", "expert_2"}, {"expert", "partner"}, {"row", "column"}};

// Two axes of equal length that pair things of one kind: by name, else the same length and names.
std::pair<std::string, std::string> square_of(const Dataset& data, const Array& array) {
  for (const auto& [y, x] : pairs)
    if (array.axis(y) && array.axis(x)) return {y, x};
  const auto& axes = array.axes();
  for (size_t a = 0; a < axes.size(); ++a)
    for (size_t b = a + 1; b < axes.size(); ++b) {
      const bool are_alike = axes[b].rfind(axes[a], 0) == 0 || axes[a].rfind(axes[b], 0) == 0;
      const Array *p = data.coord(axes[a]), *q = data.coord(axes[b]);
      const bool have_one_coord = p && q && p->size() > 1 && p->same_values(*q);
      if (array.shape()[a] == array.shape()[b] && array.shape()[a] > 1 && (are_alike || have_one_coord))
        return {axes[a], axes[b]};
    }
  return {};
}

struct Chosen {
  std::string name, x, y;
};

Chosen choose(const Dataset& data, const Options& options) {
  Chosen c;
  const std::vector<std::string> all = arrays_by(data, [&data](const Array& array) {
    if (array.axes().size() < 2) return 0.0;
    return (square_of(data, array).first.empty() ? 1.0 : 10.0) - (array.dtype() == Dtype::i64 ? 0.5 : 0.0);
  });
  c.name = !options.array.empty() ? options.array : all.empty() ? "" : all.front();
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "matrix");
  if (!is_numeric(array) || array.axes().size() < 2)
    fail_usage("matrix: '{}' is no array of numbers over two axes or more; try the view table", c.name);
  for (const std::string& axis : {options.x, options.y})
    if (!axis.empty()) require_axis(array, c.name, axis, "matrix");
  const auto [y, x] = square_of(data, array);
  std::vector<std::string> rest = array.axes();
  c.x = !options.x.empty() ? options.x : !x.empty() && x != options.y ? x : "";
  std::erase(rest, options.y);
  if (c.x.empty()) c.x = rest.back();
  std::erase(rest, c.x);
  c.y = !options.y.empty() ? options.y : !y.empty() && y != c.x ? y : rest.back();
  if (c.x == c.y) fail_usage("matrix: x and y are both '{}'; choose two axes of '{}'", c.x, c.name);
  return c;
}

// A slice in the order it is shown in; rows and columns say which item stands where.
struct Ordered {
  MapSlice slice;
  std::vector<int64_t> rows, columns;
  bool is_too_large = false;
  int64_t bytes() const { return slice.bytes() + static_cast<int64_t>(8 * (rows.size() + columns.size())); }
};

Ordered ordered(const Dataset& data, const Options& options, const Chosen& chosen,
                const Selection& selection) {
  Ordered o;
  o.slice = map_slice(data, chosen.name, chosen.x, chosen.y, parse_places(options.at, data, "matrix"),
                      selection, options.range, options.map);
  if (o.slice.values.size() == 0) return o;
  const int64_t rows = o.slice.rows(), columns = o.slice.columns();
  o.rows.resize(static_cast<size_t>(rows));
  o.columns.resize(static_cast<size_t>(columns));
  std::iota(o.rows.begin(), o.rows.end(), int64_t{0});
  std::iota(o.columns.begin(), o.columns.end(), int64_t{0});
  if (options.order == "as-is") return o;
  o.is_too_large = options.order == "clustered" && std::max(rows, columns) > most_clustered;
  const std::vector<double> values = numbers_of(o.slice.values);
  std::vector<double> turned(values.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      turned[static_cast<size_t>(c * rows + r)] = values[static_cast<size_t>(r * columns + c)];
  const auto order_of = options.order == "clustered" && !o.is_too_large ? clustered : by_value;
  o.rows = order_of(values, rows, columns);
  // Pairs of one kind keep one order, so that each thing meets itself on the diagonal.
  const auto [y, x] = square_of(data, data[chosen.name]);
  const bool is_square =
      rows == columns && ((y == chosen.y && x == chosen.x) || (y == chosen.x && x == chosen.y));
  o.columns = is_square ? o.rows : order_of(turned, columns, rows);
  o.slice.values = picked(picked(o.slice.values, chosen.y, o.rows), chosen.x, o.columns);
  return o;
}

MapAxis axis_of(const Dataset& data, const std::string& name, const std::vector<int64_t>& items, double from,
                double to) {
  MapAxis axis;
  MapAxis::Part part;
  const auto count = static_cast<double>(items.size());
  for (size_t i = 0; i <= items.size(); ++i)
    part.edges.push_back(from + (to - from) * static_cast<double>(i) / count);
  axis.parts.push_back(std::move(part));
  for (const int64_t item : items) axis.names.push_back(name_at(data, name, item));
  return axis;
}

int64_t place_in(const std::vector<int64_t>& items, int64_t item) {
  const auto found = std::find(items.begin(), items.end(), item);
  return found == items.end() ? -1 : found - items.begin();
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "matrix");
  const Theme& theme = *look.theme;
  const Chosen chosen = choose(data, options);
  Drawn drawn;
  if (chosen.name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no numbers over two axes, so there is no matrix to draw.");
    return drawn;
  }
  const Places places = places_left(data[chosen.name], {chosen.y, chosen.x}, data,
                                    parse_places(options.at, data, "matrix"), selection);
  const std::string key = key_of("matrix", values, places);
  const auto o = kept<Ordered>(look, key, [&] { return ordered(data, options, chosen, selection); });
  const MapSlice& slice = o->slice;
  const std::string title = title_of(data, chosen.name);
  drawn.header = with_unit(slice.values, title);
  if (const std::string where = said(data, slice.fixed); !where.empty()) drawn.header += " · " + where;
  if (slice.values.size() == 0) {
    draw_empty(canvas, theme, look.area,
               fmt::format("'{}' is empty here, so there is no matrix to draw.", chosen.name));
    return drawn;
  }
  if (options.order != "as-is")
    drawn.header += o->is_too_large
                        ? fmt::format(" · too large to cluster (more than {} rows), by value", most_clustered)
                        : " · " + options.order;
  const Box a = look.area;
  const bool has_words = a.w >= 190 && a.h >= 120;
  Box plot = has_words ? Box{a.x + 66, a.y + 26, a.w - 66 - 78, a.h - 26 - 46} : a;
  // Cells of pairs are square where there is room for it.
  if (has_words && slice.rows() == slice.columns()) plot.w = plot.h = std::min(plot.w, plot.h);
  if (!(plot.w > 1) || !(plot.h > 1)) return drawn;
  const ColorScale scale =
      color_scale(theme, map_name(options.map, slice.spread), slice.spread, slice.values.unit, false);
  const auto across = std::make_shared<MapAxis>(axis_of(data, chosen.x, o->columns, plot.x, plot.right()));
  const auto down = std::make_shared<MapAxis>(axis_of(data, chosen.y, o->rows, plot.y, plot.bottom()));
  across->move(a.x, look.zoom, look.pan.x);
  down->move(a.y, look.zoom_down(), look.pan.y);
  // Audits speak of items, not of where they stand.
  CellGrid grid = cell_grid(slice, down->parts.front(), across->parts.front(), scale, true);
  if (slice.absence.speaks())
    grid.state = [&o](int64_t row, int64_t column, double value) {
      return o->slice.absence.at(o->rows[static_cast<size_t>(row)], o->columns[static_cast<size_t>(column)],
                                 value);
    };
  const int64_t shared = draw_cell_map(canvas, look, plot, grid, key);
  if (shared > 1) drawn.header += fmt::format(" · up to {} cells a pixel, the largest is shown", shared);
  const auto cell = across->extent(0), line = down->extent(0);
  if (options.values && cell && line && cell->second - cell->first >= 30 &&
      line->second - line->first >= 13) {
    canvas.push_clip(plot);
    for (int64_t row = 0; row < slice.rows(); ++row)
      for (int64_t column = 0; column < slice.columns(); ++column) {
        const Point at{across->middle(column), down->middle(row)};
        const double value = slice.value(row, column);
        if (!plot.inset(-20).holds(at) || !std::isfinite(value)) continue;
        canvas.text(at, elide(canvas, shown(value), {7, Face::sans}, cell->second - cell->first - 3),
                    {7, Face::sans}, text_on(color_of(scale, value)), Align::center);
      }
    canvas.pop_clip();
  }
  canvas.frame(plot, theme.strong);
  if (has_words) {
    const auto x = selection.index(chosen.x), y = selection.index(chosen.y);
    const auto place = [](const std::vector<int64_t>& items,
                          std::optional<int64_t> item) -> std::optional<int64_t> {
      if (!item) return std::nullopt;
      const int64_t at = place_in(items, *item);
      return at < 0 ? std::nullopt : std::optional<int64_t>(at);
    };
    across->draw_along_x(canvas, theme, plot, axis_title(chosen.x), place(o->columns, x));
    down->draw_along_y(canvas, theme, plot, axis_title(chosen.y), place(o->rows, y));
    draw_color_scale(canvas, theme, {plot.right() + 16, plot.y, 11, plot.h}, scale);
    const Font font{7.5, Face::sans};
    canvas.text({std::min(a.right() - 8, plot.right() + 72), plot.y - 15},
                elide(canvas, with_unit(slice.values, title), font, plot.w - 40), font, theme.ink3,
                Align::right);
  }
  drawn.where = [o, across, down, chosen](const Selection& s) -> std::optional<Box> {
    const auto column = s.index(chosen.x), row = s.index(chosen.y);
    if (!column || !row) return std::nullopt;
    const auto x = across->extent(place_in(o->columns, *column)), y = down->extent(place_in(o->rows, *row));
    if (!x || !y) return std::nullopt;
    return Box{x->first, y->first, x->second - x->first, y->second - y->first};
  };
  canvas.push_clip(plot.inset(-2));
  if (const auto box = drawn.where(selection)) draw_selection(canvas, theme, *box);
  canvas.pop_clip();
  drawn.hit = [o, across, down, chosen, plot, &data](Point p) -> std::optional<Hit> {
    if (!plot.holds(p)) return std::nullopt;
    const auto column = across->item_at(p.x), row = down->item_at(p.y);
    if (!column || !row) return std::nullopt;
    const auto x = across->extent(*column), y = down->extent(*row);
    const int64_t at_row = o->rows[static_cast<size_t>(*row)],
                  at_column = o->columns[static_cast<size_t>(*column)];
    Hit hit;
    hit.mark = {x->first, y->first, x->second - x->first, y->second - y->first};
    hit.at = o->slice.fixed;
    hit.at[chosen.y] = at_row;
    hit.at[chosen.x] = at_column;
    const double value = o->slice.value(*row, *column);
    const std::string heading = fmt::format("{} {} · {} {}", chosen.y, name_at(data, chosen.y, at_row),
                                            chosen.x, name_at(data, chosen.x, at_column));
    hit.tip = {{heading, ""}, {title_of(data, chosen.name), shown_exactly(o->slice.values, value)}};
    if (!o->slice.values.unit.empty()) hit.tip.push_back({"unit", o->slice.values.unit});
    hit.number = MarkNumber{title_of(data, chosen.name), value};
    hit.spoken = fmt::format("{}: {} {}", heading, title_of(data, chosen.name), spoken_number(value));
    return hit;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Options options = read_settings<Options>(values, "matrix");
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  const Chosen chosen = choose(data, options);
  if (chosen.name.empty()) return out;
  const Ordered o = ordered(data, options, chosen, selection);
  out.set(chosen.name, o.slice.values);
  for (const auto& [axis, items] : {std::pair(chosen.y, &o.rows), std::pair(chosen.x, &o.columns)}) {
    const Array* ticks = data.coord(axis);
    if (ticks && ticks->size() == static_cast<int64_t>(items->size()))
      out.set_coord(axis, picked(*ticks, axis, *items));
    else if (!items->empty())
      out.set_coord(axis, Array({axis}, {static_cast<int64_t>(items->size())}, *items));
  }
  if (!o.slice.fixed.empty()) out.notes.push_back(said(data, o.slice.fixed));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array")
    return arrays_by(data, [](const Array& array) { return array.axes().size() >= 2 ? 1.0 : 0.0; });
  if (option != "x" && option != "y") return {};
  return axes_of(data, choose(data, read_settings<Options>(values, "matrix")).name);
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Options options = read_settings<Options>(values, "matrix");
  const Chosen c = choose(data, options);
  if (c.name.empty()) return {};
  return free_axes_of(
      data, places_left(data[c.name], {c.y, c.x}, data, parse_places(options.at, data, "matrix"), selection));
}

}  // namespace

void add_matrix(ViewCatalog& catalog) {
  View view;
  view.name = "matrix";
  view.summary = "pairs of things as a matrix that can be put in order";
  view.help =
      "Rows and columns stand as they are, by their mean, or clustered: the two nearest groups of rows are "
      "joined "
      "first (mean distance of their values), so alike ones stand side by side. Pairs of one kind keep one "
      "order "
      "for both sides. Colours span the 2nd to the 98th percentile unless told otherwise. Example: "
      "varve plot overlap.h5 --view matrix --set order=clustered -o overlap.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) {
    const Chosen c = choose(data, {});
    if (c.name.empty()) return 0.0;
    return square_of(data, data[c.name]).first.empty() ? 1.2 : 4.5;
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  view.width = 720;
  view.height = 640;
  catalog.add(std::move(view));
}

}  // namespace varve
