// The lens as a table: layers go up, positions go right, each cell holds a layer's best token and is coloured
// by a quantity.
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/lens_page.h"
#include "viz/view.h"

namespace varve {
namespace {

struct Options {
  std::string colour = "prob_true", cell = "token", map = "strata", range = "robust", at;
  template <class Visit>
  void each(Visit&& visit) {
    visit("colour", colour, "the quantity that colours the cells",
          Choices{"prob_true", "prob_top", "entropy", "kl_final_lens", "kl_lens_final", "cross_entropy",
                  "rank_true", "rank_final"});
    visit("cell", cell, "what a cell says: its best token or its value", Choices{"token", "value"});
    visit("map", map, "colour map", Choices{"strata", "cividis", "viridis", "greys", "tide"});
    visit("range", range,
          "colours from the 2nd to the 98th percentile, or over all values; 0 to 1 for probabilities",
          Choices{"robust", "full"});
    visit("at", at, "what to show of the other axes, as in prompt=3,step=0; else what is selected");
  }
};

constexpr Font token_font{7, Face::mono}, token_bold{7, Face::mono_bold};
constexpr Font label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};
constexpr double least_text_height = 11, least_text_width = 22;
constexpr double upright_below = 34;  // narrower columns have their tokens written upwards

// prob_top is the first of the best tokens' probabilities; everything else is an array of its own.
LensPage page_of(const Dataset& data, const Options& options, const Selection& selection) {
  const Places given = parse_places(options.at, data, "lens-table");
  if (options.colour != "prob_top") return lens_page(data, options.colour, given, selection);
  Dataset with_top;
  for (const auto& [name, array] : data.arrays())
    if (name == "top_text" || name == "top_prob" || name == "lengths" || name == "token_text")
      with_top.set(name, array);
  for (const auto& [axis, ticks] : data.coords()) with_top.set_coord(axis, ticks);
  Array best = array_named(data, "top_prob", "lens-table").at("rank", 0);
  best.title = "probability of the best token";
  best.unit = "probability";
  with_top.set("prob_top", std::move(best));
  return lens_page(with_top, "prob_top", given, selection);
}

// Where everything lies; layer 0 is the lowest row.
struct Layout {
  Box table;                                         // the part of the area that shows cells
  Box scale_bar;                                     // w = 0: no room
  double left = 0, top = 0, cell_w = 0, cell_h = 0;  // after zoom and pan
  int64_t layers = 0, positions = 0;
  bool is_upright = false;  // tokens above and below the table

  double x_of(int64_t pos) const { return left + static_cast<double>(pos) * cell_w; }
  double y_of(int64_t layer) const { return top + static_cast<double>(layers - 1 - layer) * cell_h; }
  Box box_of(int64_t layer, int64_t pos) const { return {x_of(pos), y_of(layer), cell_w - 1, cell_h - 1}; }
};

Layout layout_of(const LensPage& page, const Look& look) {
  Layout l;
  l.layers = page.layers;
  l.positions = page.positions;
  const Box a = look.area;
  const bool has_words = a.w >= 200 && a.h >= 120;  // a thumbnail is cells only
  const double strip = has_words && a.w >= 320 ? 34 : 0;
  const double columns = std::max<double>(1, static_cast<double>(page.positions));
  const double label = has_words ? 58 : 0;
  l.is_upright = has_words && (a.w - label - 10) / columns < upright_below && a.h >= 260;
  const double header = has_words ? (l.is_upright ? 64 : 22) : 0, footer = has_words ? header + 16 : 0;
  l.table = {a.x + label, a.y + strip + header, std::max(0.0, a.w - label - (has_words ? 10 : 0)),
             std::max(0.0, a.h - strip - header - footer)};
  if (strip > 0) l.scale_bar = {a.right() - 10 - 200, a.y + 4, 200, 9};
  const double rows = std::max<double>(1, static_cast<double>(page.layers));
  // Few cells do not fill the area: a table reads best with cells near the height of its text.
  const double w = std::clamp(l.table.w / columns, has_words ? 12.0 : 0.0, 120.0);
  const double h = std::clamp(l.table.h / rows, has_words ? 2.0 : 0.0, 32.0);
  l.left = moved_x(look, l.table.x);
  l.top = moved_y(look, l.table.y);
  l.cell_w = w * look.zoom;
  l.cell_h = h * look.zoom_down();
  l.table.h = std::min(l.table.h, std::max(0.0, l.top + l.cell_h * rows - l.table.y));
  return l;
}

// One token over or under its column.
void draw_edge_token(Canvas& canvas, const Layout& l, double middle, double edge, bool is_above,
                     const std::string& token, Font font, Color color) {
  if (l.is_upright && l.cell_w < upright_below) {
    if (l.cell_w < 9) return;
    const Align align = is_above ? Align::left : Align::right;
    canvas.vertical_text({middle, is_above ? edge - 5 : edge + 5}, elide(canvas, token, font, 54), font,
                         color, align);
  } else if (l.cell_w >= least_text_width) {
    canvas.text({middle, is_above ? edge - 9 : edge + 11}, elide(canvas, token, font, l.cell_w - 3), font,
                color, Align::center);
  }
}

void draw_positions(const LensPage& page, const Layout& l, const Look& look, const Selection& selection,
                    Canvas& canvas) {
  const Theme& theme = *look.theme;
  const double footer = l.table.bottom() + (l.is_upright ? 68 : 26);
  const Measure measure = [&canvas](const std::string& text) { return canvas.text_width(text, label_bold); };
  canvas.push_clip({l.table.x, look.area.y, l.table.w, look.area.h});
  const auto column_at = [&l](double x) {
    return static_cast<int64_t>(std::clamp((x - l.left) / l.cell_w, -1.0, 1e9));
  };
  const int64_t first = std::clamp<int64_t>(column_at(l.table.x), 0, l.positions);
  const int64_t last = std::clamp<int64_t>(column_at(l.table.right()) + 1, first, l.positions);
  for (int64_t pos = first; pos < last; ++pos) {
    const bool is_selected = selection.index("pos") == pos;
    const double middle = l.x_of(pos) + l.cell_w / 2;
    const std::string& next = page.nexts[static_cast<size_t>(pos)];
    draw_edge_token(canvas, l, middle, l.table.y, true, next.empty() ? "–" : next, token_font,
                    next.empty() ? theme.ink3 : theme.ink2);
    draw_edge_token(canvas, l, middle, l.table.bottom(), false, page.inputs[static_cast<size_t>(pos)],
                    is_selected ? token_bold : token_font, is_selected ? theme.ink : theme.ink2);
  }
  std::vector<std::string> numbers;
  for (int64_t pos = 0; pos < l.positions; ++pos) numbers.push_back(std::to_string(pos));
  for (const Tick& tick : item_ticks(numbers, l.cell_w, measure)) {
    const auto pos = static_cast<int64_t>(tick.value);
    if (pos < first || pos >= last || selection.index("pos") == pos) continue;
    const double at = l.x_of(pos) + l.cell_w / 2;
    const auto chosen = selection.index("pos");
    // A neighbour that would touch the selected number gives way.
    if (chosen && std::abs(l.x_of(*chosen) + l.cell_w / 2 - at) < measure(tick.label) + 4) continue;
    canvas.text({at, footer}, tick.label, label_font, theme.ink3, Align::center);
  }
  if (const auto chosen = selection.index("pos"); chosen && *chosen >= first && *chosen < last)
    canvas.text({l.x_of(*chosen) + l.cell_w / 2, footer}, std::to_string(*chosen), label_bold, theme.ink,
                Align::center);
  canvas.pop_clip();
}

void draw_layers(const LensPage& page, const Layout& l, const Look& look, const Selection& selection,
                 Canvas& canvas) {
  const Theme& theme = *look.theme;
  constexpr double line_height = 11;
  const auto every = static_cast<int64_t>(std::ceil(line_height / std::max(0.01, l.cell_h)));
  const auto chosen = selection.index("layer");
  for (int64_t layer = 0; layer < l.layers; ++layer) {
    const double middle = l.y_of(layer) + l.cell_h / 2;
    if (middle < l.table.y || middle > l.table.bottom()) continue;
    const bool is_selected = chosen == layer;
    // The two ends have names; a number too close to them, or to the selected one, gives way.
    const bool is_end = layer == 0 || layer == l.layers - 1;
    const bool is_shown = is_end || (layer % every == 0 && layer + every <= l.layers - 1);
    const bool is_crowded = chosen && std::abs(l.y_of(*chosen) - l.y_of(layer)) < line_height;
    if (!is_selected && (!is_shown || is_crowded)) continue;
    canvas.text({l.table.x - 7, middle}, layer_name(page, layer), is_selected ? label_bold : label_font,
                is_selected ? theme.ink : theme.ink2, Align::right);
    if (is_selected) canvas.fill({look.area.x, l.y_of(layer), 3, std::max(1.0, l.cell_h - 1)}, theme.ink);
  }
}

void draw_words_around(const LensPage& page, const Layout& l, const Look& look, const Selection& selection,
                       Canvas& canvas) {
  const Theme& theme = *look.theme;
  const double x = look.area.x + 6, above = l.table.y - 9, below = l.table.bottom() + 11;
  if (l.is_upright) {
    canvas.text({x, l.table.y - 48}, "true next", label_font, theme.ink3);
    canvas.text({x, l.table.y - 35}, "token", label_font, theme.ink3);
  } else {
    canvas.text({x, above - 13}, "true next token", label_font, theme.ink3);
  }
  canvas.text({x, above}, "layer", label_font, theme.ink3);
  canvas.text({x, below}, "input", label_font, theme.ink3);
  canvas.text({x, l.table.bottom() + (l.is_upright ? 68 : 26)}, "position", label_font, theme.ink3);
  draw_positions(page, l, look, selection, canvas);
  draw_layers(page, l, look, selection, canvas);
}

void draw_cell_words(const LensPage& page, const Layout& l, const Look& look, const Options& options,
                     const ColorScale& scale, Canvas& canvas) {
  if (l.cell_h < least_text_height || l.cell_w < least_text_width) return;
  const Theme& theme = *look.theme;
  canvas.push_clip(l.table);
  for (int64_t layer = 0; layer < l.layers; ++layer) {
    const double y = l.y_of(layer);
    if (y > l.table.bottom() || y + l.cell_h < l.table.y) continue;
    for (int64_t pos = 0; pos < l.positions; ++pos) {
      const double x = l.x_of(pos);
      if (x > l.table.right() || x + l.cell_w < l.table.x) continue;
      const double value = page.value_at(layer, pos);
      const bool is_token = options.cell == "token";
      const Font font = is_token ? token_font : label_font;
      const std::string words = is_token ? page.text_at(layer, pos, 0) : shown(value);
      const std::string fitting = elide(canvas, words, font, l.cell_w - 4);
      const Point middle{x + (l.cell_w - 1) / 2, y + (l.cell_h - 1) / 2};
      Color color = text_on(color_of(scale, value));
      if (!std::isfinite(value)) {
        // On a hatch words need a ground of their own.
        const double wide = canvas.text_width(fitting, font) + 4;
        canvas.fill({middle.x - wide / 2, middle.y - 6, wide, 12}, theme.raised);
        color = theme.ink2;
      }
      canvas.text(middle, fitting, font, color, Align::center);
    }
  }
  canvas.pop_clip();
}

Hit hit_of(const Dataset& data, const LensPage& page, const std::string& value_title, int64_t layer,
           int64_t pos, Box mark) {
  Hit hit;
  hit.mark = mark;
  hit.at = page.fixed;
  hit.at["layer"] = layer;
  hit.at["pos"] = pos;
  const std::string& input = page.inputs[static_cast<size_t>(pos)];
  const std::string& next = page.nexts[static_cast<size_t>(pos)];
  const std::string where = layer == 0 ? "embedding" : fmt::format("layer {}", layer);
  hit.tip.push_back({fmt::format("{} · position {} · after {}", where, pos, input), ""});
  for (int64_t rank = 0; rank < page.ranks; ++rank) {
    const double prob = page.prob_at(layer, pos, rank);
    const std::string token = page.text_at(layer, pos, rank);
    if (token.empty()) continue;
    hit.tip.push_back({token, shown(prob), std::isnan(prob) ? -1 : std::clamp(prob, 0.0, 1.0)});
  }
  const double value = page.value_at(layer, pos);
  hit.tip.push_back({value_title, shown_exactly(page.value, value)});
  if (!next.empty()) hit.tip.push_back({"true next token", next});
  hit.number = MarkNumber{value_title, value};
  hit.along = numbered(data, "layer", layer);
  hit.spoken = fmt::format("{}, position {}, best token {}, {} {}", where, pos, page.text_at(layer, pos, 0),
                           value_title, spoken_number(value));
  return hit;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "lens-table");
  const Theme& theme = *look.theme;
  if (!is_lens(data)) {
    draw_empty(canvas, theme, look.area, "This result has no lens: it lacks the best tokens of each layer.");
    return {};
  }
  auto page = std::make_shared<LensPage>(page_of(data, options, selection));
  Drawn drawn;
  drawn.header = said(data, page->fixed);
  if (page->layers == 0 || page->positions == 0) {
    draw_empty(canvas, theme, look.area, "This prompt has no positions, so there is nothing to look at.");
    return drawn;
  }
  const Layout l = layout_of(*page, look);
  if (!(l.table.w > 0) || !(l.table.h > 0) || !(l.cell_w > 0) || !(l.cell_h > 0)) return drawn;
  const bool is_rank = options.colour.rfind("rank_", 0) == 0;
  const std::string title = page->value.title.empty() ? title_of(data, options.colour) : page->value.title;
  ColorScale scale =
      color_scale(theme, options.map, page->scale_values, options.range, page->value.unit, is_rank);
  if (options.colour.rfind("prob_", 0) == 0) scale.low = 0, scale.high = 1, scale.below = scale.above = 0;
  scale.title = with_unit(page->value, title);

  CellGrid grid;
  for (int64_t i = 0; i <= l.positions; ++i) grid.column_edges.push_back(l.x_of(i));
  for (int64_t i = 0; i <= l.layers; ++i) grid.row_edges.push_back(l.top + static_cast<double>(i) * l.cell_h);
  grid.value = [&page, &l](int64_t row, int64_t column) {
    return page->value_at(l.layers - 1 - row, column);
  };
  grid.color = [&scale](double v) { return color_of(scale, v); };
  draw_cells(canvas, theme, l.table, grid);
  draw_cell_words(*page, l, look, options, scale, canvas);
  if (l.table.x > look.area.x) draw_words_around(*page, l, look, selection, canvas);
  if (l.scale_bar.w > 0) {
    const double room = l.scale_bar.x - 12 - (look.area.x + 110);
    scale.title = elide(canvas, scale.title, label_font, std::max(0.0, room));
    draw_color_scale(canvas, theme, l.scale_bar, scale);
  }
  drawn.where = [l](const Selection& s) -> std::optional<Box> {
    const auto layer = s.index("layer"), pos = s.index("pos");
    if (!layer || !pos || *layer < 0 || *pos < 0 || *layer >= l.layers || *pos >= l.positions)
      return std::nullopt;
    return l.box_of(*layer, *pos);
  };
  if (const auto box = drawn.where(selection)) {
    canvas.push_clip(l.table.inset(-3));
    draw_selection(canvas, theme, *box);
    canvas.pop_clip();
  }
  drawn.hit = [page, l, title, &data](Point p) -> std::optional<Hit> {
    if (!l.table.holds(p)) return std::nullopt;
    const double column = std::floor((p.x - l.left) / l.cell_w), row = std::floor((p.y - l.top) / l.cell_h);
    if (column < 0 || row < 0 || column >= static_cast<double>(l.positions) ||
        row >= static_cast<double>(l.layers))
      return std::nullopt;
    const int64_t layer = l.layers - 1 - static_cast<int64_t>(row), pos = static_cast<int64_t>(column);
    return hit_of(data, *page, title, layer, pos, l.box_of(layer, pos));
  };
  if (l.table.w < l.cell_w * static_cast<double>(l.positions) - 1)
    drawn.header += fmt::format(" · {} positions, pan to see all", l.positions);
  drawn.header += fmt::format(" · colour: {}", scale.log ? title + ", log scale" : title);
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Options options = read_settings<Options>(values, "lens-table");
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (!is_lens(data)) return out;
  const LensPage page = page_of(data, options, selection);
  const int64_t n = page.layers * page.positions;
  std::vector<std::string> best(static_cast<size_t>(n));
  std::vector<double> numbers(static_cast<size_t>(n)), ticks = ticks_along(data, "layer", page.layers);
  for (int64_t i = 0; i < n; ++i) {
    best[static_cast<size_t>(i)] = page.text_at(i / page.positions, i % page.positions, 0);
    numbers[static_cast<size_t>(i)] = page.value_at(i / page.positions, i % page.positions);
  }
  Array value({"layer", "pos"}, {page.layers, page.positions}, std::move(numbers));
  value.title = page.value.title;
  value.unit = page.value.unit;
  out.set(options.colour, std::move(value));
  out.set("best_token", Array({"layer", "pos"}, {page.layers, page.positions}, std::move(best)));
  out.set("input_token", Array({"pos"}, {page.positions}, page.inputs));
  out.set("true_next_token", Array({"pos"}, {page.positions}, page.nexts));
  out.set_coord("layer", Array({"layer"}, {page.layers}, std::move(ticks)));
  out.notes.push_back(said(data, page.fixed));
  return out;
}

double enough_height(const Dataset& data, const SettingValues& values, const Selection& selection,
                     double width) {
  constexpr double endless = 1e5, least = 120, margin = 6;
  if (!is_lens(data)) return least;
  const LensPage page = page_of(data, read_settings<Options>(values, "lens-table"), selection);
  Look look;
  look.area = {0, 0, width, endless};
  const Layout l = layout_of(page, look);
  return std::max(least, l.table.bottom() + (l.is_upright ? 80 : 38) + margin);
}

}  // namespace

void add_lens_table(ViewCatalog& catalog) {
  View view;
  view.name = "lens-table";
  view.summary = "layers up, positions right: the best token of each layer, coloured by a quantity";
  view.help =
      "Each row is a layer, from the embedding at the bottom to the model's output at the top; each column "
      "is a "
      "position of the prompt. A cell holds the token that layer would say next. Above stands the token that "
      "truly came next, below the input. Hatched cells have no value: after the last position nothing is "
      "known.";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return is_lens(data) && data.has("prob_true") ? 10.0 : 0.0; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.enough_height = enough_height;
  catalog.add(std::move(view));
}

}  // namespace varve
