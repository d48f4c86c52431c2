// The prompt as running text, each token on the colour of a quantity.
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/pick.h"
#include "viz/view.h"

namespace varve {
namespace {

struct Options {
  std::string array, map = "strata", range = "robust", at;
  bool log = false;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "the quantity that colours the tokens; empty: the first that lies over positions");
    visit("map", map, "colour map; tide is centred on zero",
          Choices{"strata", "tide", "cividis", "viridis", "greys"});
    visit("range", range, "colours from the 2nd to the 98th percentile, or over all values",
          Choices{"robust", "full"});
    visit("log", log, "colours by the logarithm of the value");
    visit("at", at, "what to show of the other axes, as in prompt=3,layer=5; else what is selected");
  }
};

constexpr Font token_font{7, Face::mono}, label_font{7.5, Face::sans};
constexpr double line_height = 24, token_height = 19;

std::string default_array(const Dataset& data) {
  if (!data.has("token_text") || !data["token_text"].axis("pos")) return "";
  for (const char* name : {"cross_entropy", "prob_true", "entropy"})
    if (data.has(name) && data[name].axis("pos") && is_numeric(data[name])) return name;
  for (const auto& [name, array] : data.arrays())
    if (array.axis("pos") && is_numeric(array) && array.dtype() != Dtype::i64) return name;
  return "";
}

struct Strip {
  std::string name;
  std::vector<std::string> tokens;
  Array value;  // [pos]
  Places fixed;
};

Strip strip_of(const Dataset& data, const Options& options, const Selection& selection) {
  Strip strip;
  strip.name = options.array.empty() ? default_array(data) : options.array;
  if (strip.name.empty()) return strip;
  const Array& array = array_named(data, strip.name, "token-strip");
  const Array& text = array_named(data, "token_text", "token-strip");
  if (!array.axis("pos") || !is_numeric(array) || !text.axis("pos") || text.dtype() != Dtype::text)
    fail_usage("token-strip: '{}' is no number at each position of a prompt; try the view lines", strip.name);
  // What a layer says of a prompt is its output, where nothing else is chosen.
  Places given = parse_places(options.at, data, "token-strip");
  if (array.axis("layer") && !given.count("layer") && !selection.index("layer"))
    given["layer"] = array.extent("layer") - 1;
  strip.value = sliced(array, {"pos"}, data, given, selection, strip.fixed);
  const Array words = sliced(text, {"pos"}, data, given, selection, strip.fixed);
  int64_t count = std::min(words.size(), strip.value.size());
  if (data.has("lengths") && is_numeric(data["lengths"])) {
    const Array length = sliced(data["lengths"], {}, data, given, selection, strip.fixed);
    if (length.size() == 1) count = std::clamp<int64_t>(static_cast<int64_t>(length.number(0)), 0, count);
  }
  for (int64_t i = 0; i < count; ++i) strip.tokens.push_back(token_label(words.text(i)));
  return strip;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "token-strip");
  const Theme& theme = *look.theme;
  const auto strip = std::make_shared<Strip>(strip_of(data, options, selection));
  Drawn drawn;
  if (strip->tokens.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no tokens with a number each, so there is no text to colour.");
    return drawn;
  }
  std::vector<double> numbers = numbers_of(strip->value);
  numbers.resize(strip->tokens.size());
  ColorScale scale = color_scale(theme, options.map, numbers, options.range, strip->value.unit, options.log);
  const std::string title = title_of(data, strip->name);
  scale.title = with_unit(strip->value, title);
  drawn.header = said(data, strip->fixed) + (strip->fixed.empty() ? "" : " · ") + scale.title;
  const Box area = look.area;
  const bool has_scale = area.w >= 320 && area.h >= 70;
  if (has_scale) {
    const Box bar{area.right() - 200 - 12, area.y + 4, 200, 9};
    scale.title = elide(canvas, scale.title, label_font, bar.x - 18 - area.x);
    draw_color_scale(canvas, theme, bar, scale);
  }
  const Box page{area.x + 4, area.y + (has_scale ? 36 : 4), std::max(0.0, area.w - 8),
                 std::max(0.0, area.h - (has_scale ? 40 : 8))};
  const auto boxes = std::make_shared<std::vector<Box>>();
  double x = page.x, y = page.y + std::min(0.0, look.pan.y);
  canvas.push_clip(page);
  for (size_t i = 0; i < strip->tokens.size(); ++i) {
    const double width = std::min(page.w, std::ceil(canvas.text_width(strip->tokens[i], token_font)) + 8);
    if (x > page.x && x + width > page.right()) x = page.x, y += line_height;
    const Box box{x, y, width, token_height};
    boxes->push_back(box);
    x += width + 1;
    if (box.bottom() < page.y || box.y > page.bottom() || !(box.w > 4)) continue;
    const double value = strip->value.number(static_cast<int64_t>(i));
    const Point middle{box.x + box.w / 2, box.y + box.h / 2};
    const std::string words = elide(canvas, strip->tokens[i], token_font, box.w - 2);
    if (std::isfinite(value)) {
      canvas.fill(box, color_of(scale, value));
      canvas.text(middle, words, token_font, text_on(color_of(scale, value)), Align::center);
      continue;
    }
    draw_absent(canvas, theme, box, Absent::missing);
    const double wide = canvas.text_width(words, token_font) + 2;
    canvas.fill({middle.x - wide / 2, middle.y - 6, wide, 12}, theme.raised);
    canvas.text(middle, words, token_font, theme.ink2, Align::center);
  }
  drawn.where = [boxes](const Selection& s) -> std::optional<Box> {
    const auto pos = s.index("pos");
    if (!pos || *pos < 0 || static_cast<size_t>(*pos) >= boxes->size()) return std::nullopt;
    return (*boxes)[static_cast<size_t>(*pos)];
  };
  if (const auto box = drawn.where(selection)) draw_selection(canvas, theme, *box);
  canvas.pop_clip();
  if (y + token_height > page.bottom()) drawn.header += " · pan to see all";
  drawn.hit = [strip, boxes, page, title](Point p) -> std::optional<Hit> {
    if (!page.holds(p)) return std::nullopt;
    for (size_t i = 0; i < boxes->size(); ++i) {
      if (!(*boxes)[i].holds(p)) continue;
      Hit hit;
      hit.mark = (*boxes)[i];
      hit.at = strip->fixed;
      hit.at["pos"] = static_cast<int64_t>(i);
      const double value = strip->value.number(static_cast<int64_t>(i));
      hit.tip = {{fmt::format("position {} · {}", i, strip->tokens[i]), ""},
                 {title, shown_exactly(strip->value, value)}};
      if (!strip->value.unit.empty()) hit.tip.push_back({"unit", strip->value.unit});
      hit.spoken = fmt::format("position {}, {}: {} {}", i, strip->tokens[i], title, spoken_number(value));
      return hit;
    }
    return std::nullopt;
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Strip strip = strip_of(data, read_settings<Options>(values, "token-strip"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (strip.name.empty()) return out;
  const auto count = static_cast<int64_t>(strip.tokens.size());
  std::vector<double> numbers = numbers_of(strip.value);
  numbers.resize(strip.tokens.size());
  Array value({"pos"}, {count}, std::move(numbers));
  value.title = strip.value.title;
  value.unit = strip.value.unit;
  out.set(strip.name, std::move(value));
  out.set("token", Array({"pos"}, {count}, strip.tokens));
  if (!strip.fixed.empty()) out.notes.push_back(said(data, strip.fixed));
  return out;
}

}  // namespace

void add_token_strip(ViewCatalog& catalog) {
  View view;
  view.name = "token-strip";
  view.summary = "the prompt as text, each token on the colour of a quantity";
  view.help =
      "Tokens run as text does. Where the quantity has layers, the selected layer is shown, else the model's "
      "output. Hatched tokens have no value.";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return default_array(data).empty() ? 0.0 : 1.5; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.height = 320;
  catalog.add(std::move(view));
}

}  // namespace varve
