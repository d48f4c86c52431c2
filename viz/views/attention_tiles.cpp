// The attention pattern of each head as a tile: queries go down, keys go right.
#include <algorithm>
#include <cmath>

#include "analysis/core/text.h"
#include "viz/attention_layout.h"
#include "viz/cell_map.h"
#include "viz/tiles.h"

namespace varve {
namespace {

struct Options {
  std::string array, heads, map = "strata", at;
  bool tokens = true;
  double high = 1;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which attention weights to draw; empty: the first over queries and keys");
    visit("heads", heads,
          "only these heads, as in L3H4,L5H1; layer: those of the selected layer; empty: all");
    visit("map", map, "colour map", Choices{"strata", "cividis", "viridis", "greys"});
    visit("high", high, "the weight that has the last colour; smaller brings out faint ones",
          Range{1e-6, 1e6});
    visit("tokens", tokens, "write the tokens beside a tile where they have room");
    visit("at", at, "what to show of the other axes, as in prompt=3; else what is selected");
  }
};

constexpr Font token_font{7, Face::mono}, label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};
constexpr double least_cell = 4;  // wider cells are boxes of their own

void draw_tokens(const AttentionData& a, const AttentionLayout& l, const Box& tile,
                 const Selection& selection, const Theme& theme, Canvas& canvas) {
  const double each = tile.w / static_cast<double>(a.keys);
  const auto chosen = selection.index("query") ? selection.index("query") : selection.index("pos");
  for (size_t i = 0; i < a.tokens.size(); ++i) {
    const double at = (static_cast<double>(i) + 0.5) * each;
    const bool is_chosen = chosen == static_cast<int64_t>(i);
    canvas.text({tile.x - 5, tile.y + at}, elide(canvas, a.tokens[i], token_font, l.left - 7), token_font,
                is_chosen ? theme.ink : theme.ink2, Align::right);
    canvas.vertical_text({tile.x + at, tile.bottom() + 5},
                         elide(canvas, a.tokens[i], token_font, l.bottom - 7), token_font, theme.ink2,
                         Align::right);
  }
}

CellGrid grid_of(const AttentionData& a, const AttentionHead& head, const Box& tile, const ColorScale& scale,
                 bool is_causal) {
  CellGrid grid;
  for (int64_t i = 0; i <= a.keys; ++i)
    grid.column_edges.push_back(tile.x + tile.w * static_cast<double>(i) / static_cast<double>(a.keys));
  for (int64_t i = 0; i <= a.queries; ++i)
    grid.row_edges.push_back(tile.y + tile.h * static_cast<double>(i) / static_cast<double>(a.queries));
  grid.has_gaps = tile.w / static_cast<double>(a.keys) > 8;
  grid.value = [&a, head, is_causal](int64_t row, int64_t column) {
    const double value = a.weight(head.layer, head.head, row, column);
    const bool is_nothing = a.is_sparse() || (is_causal && column > row);
    return std::isnan(value) && is_nothing ? -1.0 : is_causal && column > row && value == 0 ? -1.0 : value;
  };
  // What a query cannot see has no colour.
  grid.color = [&scale](double v) { return v < 0 ? Color{0, 0, 0, 0} : color_of(scale, v); };
  return grid;
}

// What later tokens would hold is zero everywhere: then the upper triangle is left empty.
bool is_causal_data(const AttentionData& a) {
  if (a.is_sparse()) return true;
  for (int64_t query = 0; query < std::min<int64_t>(a.queries, 64); ++query)
    for (int64_t key = query + 1; key < std::min<int64_t>(a.keys, 64); ++key)
      if (const double v = a.weight(0, 0, query, key); std::isfinite(v) && v != 0) return false;
  return a.queries > 1;
}

void draw_stairs(const AttentionData& a, const Box& tile, const Theme& theme, Canvas& canvas) {
  const double each = tile.w / static_cast<double>(a.keys);
  std::vector<Point> stairs = {{tile.x, tile.bottom()}, {tile.x, tile.y}};
  for (int64_t i = 0; i < std::min(a.queries, a.keys); ++i) {
    const double x = tile.x + each * static_cast<double>(i + 1), y = tile.y + each * static_cast<double>(i);
    stairs.push_back({x, y});
    stairs.push_back({x, y + each});
  }
  stairs.push_back({tile.x, tile.bottom()});
  for (size_t i = 1; i < stairs.size(); ++i) canvas.line(stairs[i - 1], stairs[i], theme.strong, 1);
}

AttentionData data_of(const Dataset& data, const Options& options, const Selection& selection) {
  const std::vector<std::string> all = attention_arrays(data);
  const std::string name = options.array.empty() ? (all.empty() ? "" : all.front()) : options.array;
  if (name.empty()) return {};
  array_named(data, name, "attention-tiles");
  if (std::find(all.begin(), all.end(), name) == all.end())
    fail_usage("attention-tiles: '{}' has no axes query and key; try the view heat-map", name);
  return attention_data(data, name, parse_places(options.at, data, "attention-tiles"), selection);
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "attention-tiles");
  const Theme& theme = *look.theme;
  const auto a = std::make_shared<AttentionData>(data_of(data, options, selection));
  Drawn drawn;
  if (a->empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no weights over queries and keys, so there are no patterns to draw.");
    return drawn;
  }
  const bool has_words = look.area.w >= 220 && look.area.h >= 140;
  Box area = look.area;
  if (has_words) area = {area.x + 8, area.y + 30, area.w - 16, area.h - 36};
  if (!(area.w > 1) || !(area.h > 1)) return drawn;
  double widest = 20;
  for (const std::string& token : a->tokens)
    widest = std::max(widest, std::min(64.0, canvas.text_width(token, token_font) + 9));
  const std::string heads = written_out(*a, options.heads, selection);
  const auto l =
      std::make_shared<AttentionLayout>(attention_layout(*a, heads, options.tokens, look, area, widest));
  ColorScale scale;
  scale.map = &color_map(options.map, theme);
  scale.low = 0;
  scale.high = options.high;
  const bool is_causal = is_causal_data(*a);
  const std::string key = key_of("attention-tiles", values, a->fixed) + heads;
  const double pixel = canvas.pixel();
  canvas.push_clip(area.inset(-4));
  for (size_t i = 0; i < l->heads.size(); ++i) {
    const Box tile = l->tile(i), cell = l->cell(i);
    if (cell.right() < area.x || cell.x > area.right() || cell.bottom() < area.y || cell.y > area.bottom())
      continue;
    if (!(tile.w >= 1)) continue;
    if (tile.w / static_cast<double>(a->keys) >= least_cell) {
      draw_cell_map(canvas, look, area, grid_of(*a, l->heads[i], tile, scale, is_causal),
                    fmt::format("{}|{}", key, i));
      if (is_causal) draw_stairs(*a, tile, theme, canvas);
      if (l->left > 0) draw_tokens(*a, *l, tile, selection, theme, canvas);
    }
  }
  const Box first = l->tile(0);
  if (first.w / static_cast<double>(a->keys) < least_cell) {
    // Many small tiles are one picture, painted where it is seen.
    Tiles tiles;
    tiles.origin = {l->area.x, l->area.y};
    tiles.width = std::llround(l->area.w / pixel);
    tiles.height = std::llround(l->area.h / pixel);
    tiles.key = fmt::format("{}|{:.3f} x {:.3f} at {} {}", key, l->area.w, l->area.h, pixel,
                            theme.is_dark ? "dark" : "light");
    tiles.paint = [&](int64_t left, int64_t top, int64_t wide, int64_t high, std::span<Color> out) {
      std::fill(out.begin(), out.end(), theme.canvas);
      std::vector<float> weights;
      for (size_t i = 0; i < l->heads.size(); ++i) {
        const Box tile = l->tile(i);
        const int64_t x0 = std::llround((tile.x - l->area.x) / pixel),
                      y0 = std::llround((tile.y - l->area.y) / pixel);
        const int64_t side = std::llround(tile.w / pixel);
        const int64_t from_x = std::max(left, x0), to_x = std::min(left + wide, x0 + side);
        const int64_t from_y = std::max(top, y0), to_y = std::min(top + high, y0 + side);
        if (to_x <= from_x || to_y <= from_y) continue;
        a->largest(l->heads[i].layer, l->heads[i].head, side, side, from_x - x0, from_y - y0, to_x - from_x,
                   to_y - from_y, weights);
        for (int64_t y = from_y; y < to_y; ++y)
          for (int64_t x = from_x; x < to_x; ++x) {
            const float v = weights[static_cast<size_t>((y - from_y) * (to_x - from_x) + (x - from_x))];
            const bool is_above = is_causal && x - x0 > y - y0;
            Color& color = out[static_cast<size_t>((y - top) * wide + (x - left))];
            if (std::isfinite(v) && !(is_above && v == 0))
              color = color_of(scale, v);
            else
              color = is_above ? theme.canvas : scale.map->entries[0];
          }
      }
    };
    draw_tiles(canvas, look.cache, area, tiles);
  }
  for (size_t i = 0; i < l->heads.size(); ++i) {
    const Box tile = l->tile(i), cell = l->cell(i);
    if (tile.right() < area.x || tile.x > area.right() || tile.bottom() < area.y || cell.y > area.bottom())
      continue;
    const AttentionHead& h = l->heads[i];
    const bool is_chosen = (!selection.index("layer") || selection.index("layer") == h.layer) &&
                           (!selection.index("head") || selection.index("head") == h.head) &&
                           (selection.index("layer") || selection.index("head"));
    if (cell.h > 40 && cell.w > 30)
      canvas.text({tile.x, cell.y + 7}, elide(canvas, head_name(*a, h), label_bold, cell.w - 4),
                  is_chosen ? label_bold : label_font, is_chosen ? theme.ink : theme.ink2);
    if (tile.w / static_cast<double>(a->keys) < least_cell && tile.w > 12) canvas.frame(tile, theme.hair);
    const auto query = selection.index("query") ? selection.index("query") : selection.index("pos");
    if (query && *query >= 0 && *query < a->queries && tile.w >= 40) {
      const double each = tile.h / static_cast<double>(a->queries);
      if (each >= 3)
        draw_selection(canvas, theme, {tile.x, tile.y + each * static_cast<double>(*query), tile.w, each});
    } else if (is_chosen) {
      draw_selection(canvas, theme, tile);
    }
  }
  canvas.pop_clip();
  const std::string title = title_of(data, a->name);
  drawn.header =
      fmt::format("{} · {} head{}, {} tokens", title, show_count(static_cast<int64_t>(l->heads.size())),
                  l->heads.size() == 1 ? "" : "s", show_count(a->queries));
  if (const std::string where = said(data, a->fixed); !where.empty()) drawn.header += " · " + where;
  if (a->is_sparse()) drawn.header += fmt::format(" · the {} largest of each query", a->ranks);
  if (has_words) {
    const std::string how = l->by_layer ? "layers go up, heads right" : "";
    canvas.text({look.area.x + 8, look.area.y + 10},
                "query down, key right" + (how.empty() ? "" : " · " + how), label_font, theme.ink3);
    scale.title = "attention";
    draw_color_scale(canvas, theme, {look.area.right() - 132, look.area.y + 4, 120, 8}, scale);
  }
  drawn.where = [a, l](const Selection& s) -> std::optional<Box> {
    for (size_t i = 0; i < l->heads.size(); ++i) {
      const bool is_layer = a->layers == 1 || s.index("layer") == l->heads[i].layer;
      const bool is_head = a->heads == 1 || s.index("head") == l->heads[i].head;
      if (is_layer && is_head) return l->tile(i);
    }
    return std::nullopt;
  };
  drawn.hit = [a, l, area, title](Point p) -> std::optional<Hit> {
    if (!area.inset(-2).holds(p)) return std::nullopt;
    for (size_t i = 0; i < l->heads.size(); ++i) {
      const Box tile = l->tile(i);
      if (!tile.holds(p)) continue;
      const double wide = tile.w / static_cast<double>(a->keys),
                   high = tile.h / static_cast<double>(a->queries);
      const auto k = std::clamp<int64_t>(static_cast<int64_t>((p.x - tile.x) / wide), 0, a->keys - 1);
      const auto q = std::clamp<int64_t>(static_cast<int64_t>((p.y - tile.y) / high), 0, a->queries - 1);
      const AttentionHead& h = l->heads[i];
      Hit hit;
      hit.mark = wide >= 3 ? Box{tile.x + wide * static_cast<double>(k),
                                 tile.y + high * static_cast<double>(q), wide, high}
                           : tile;
      hit.at = a->fixed;
      for (const std::string& axis : a->grid_axes) hit.at[axis] = axis == "layer" ? h.layer : h.head;
      hit.at["query"] = q;
      hit.at["key"] = k;
      const auto token = [&](int64_t at) {
        return static_cast<size_t>(at) < a->tokens.size()
                   ? fmt::format("{} {}", at, a->tokens[static_cast<size_t>(at)])
                   : std::to_string(at);
      };
      const double v = a->weight(h.layer, h.head, q, k);
      const std::string value =
          std::isnan(v) && a->is_sparse() ? "not among the largest" : shown_exactly(*a->weights, v);
      hit.tip = {{head_name(*a, h), ""}, {"query", token(q)}, {"key", token(k)}, {title, value}};
      hit.number = MarkNumber{title, v};
      hit.spoken = fmt::format("{}, query {}, key {}: {}", head_name(*a, h), token(q), token(k), value);
      return hit;
    }
    return std::nullopt;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Options options = read_settings<Options>(values, "attention-tiles");
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  const AttentionData a = data_of(data, options, selection);
  if (a.weights == nullptr) return out;
  std::vector<std::string> drawn = a.grid_axes;
  drawn.insert(drawn.end(), {"query", a.is_sparse() ? "rank" : "key"});
  const std::string list = written_out(a, options.heads, selection);
  const std::vector<AttentionHead> heads = heads_of(a, list);
  const auto put = [&](const std::string& name) {
    Places ignored;
    const Array whole = arranged(data[name], drawn, data, a.fixed, selection, ignored);
    if (list.empty()) {
      out.set(name, whole);
      return;
    }
    std::vector<Array> parts;
    for (const AttentionHead& h : heads) {
      Array part = whole;
      for (const std::string& axis : a.grid_axes) part = part.at(axis, axis == "layer" ? h.layer : h.head);
      parts.push_back(std::move(part));
    }
    Array chosen = Array::stack("drawn_head", parts);
    chosen.unit = whole.unit;
    chosen.title = whole.title;
    out.set(name, std::move(chosen));
  };
  put(a.name);
  if (a.is_sparse()) put(a.key_name);
  if (!list.empty()) {
    std::vector<std::string> names;
    for (const AttentionHead& h : heads) names.push_back(head_name(a, h));
    out.set_coord("drawn_head", Array({"drawn_head"}, {static_cast<int64_t>(names.size())}, names));
  }
  if (!a.fixed.empty()) out.notes.push_back(said(data, a.fixed));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option, const SettingValues&) {
  return option == "array" ? attention_arrays(data) : std::vector<std::string>();
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  return free_axes_of(data,
                      data_of(data, read_settings<Options>(values, "attention-tiles"), selection).fixed);
}

}  // namespace

void add_attention_tiles(ViewCatalog& catalog) {
  View view;
  view.name = "attention-tiles";
  view.summary = "the attention pattern of each head as a tile";
  view.help =
      "Queries go down, keys go right; layers go up and heads right. Where several weights share one pixel "
      "the "
      "largest is shown. Weights come whole, over query and key, or as the largest of each query: NAME over "
      "query "
      "and rank beside NAME_key. Example: varve plot patterns.h5 --view attention-tiles --set "
      "heads=L3H4,L5H1 -o "
      "heads.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return attention_arrays(data).empty() ? 0.0 : 9.0; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  view.height = 640;
  catalog.add(std::move(view));
}

}  // namespace varve
