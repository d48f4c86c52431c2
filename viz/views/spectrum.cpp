// Values from the largest to the smallest: singular values, eigenvalues, loads; with how many of them count.
#include <algorithm>
#include <cmath>

#include "analysis/core/text.h"
#include "viz/cache.h"
#include "viz/choice.h"
#include "viz/plot_frame.h"

namespace varve {
namespace {

struct Options {
  std::string array, along, series, at;
  bool log = true, log_x = true, share = false, grid = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the first whose values fall along an axis");
    visit("along", along, "the axis whose values are put in order; empty: rank, component, else the last");
    visit("series", series,
          "one line for each item of this axis; empty: layer or head where there is one, none: one");
    visit("log", log, "values by their logarithm");
    visit("log_x", log_x, "places by their logarithm");
    visit("share", share, "each value as its share of the sum of squares, summed up from the largest on");
    visit("grid", grid, "draw the lines of the grid");
    visit("at", at, "what to show of the other axes, as in step=3; else what is selected");
  }
};

constexpr Font label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};
const char* const ordered_axes[] = {"rank", "component", "singular", "sv", "index", "eigenvalue"};

std::string along_of(const Array& array) {
  for (const char* axis : ordered_axes)
    if (array.axis(axis)) return axis;
  return "";
}

struct Chosen {
  std::string name, along, series;
  std::vector<std::string> kept() const {
    return series.empty() ? std::vector<std::string>{along} : std::vector<std::string>{series, along};
  }
};

Chosen choose(const Dataset& data, const Options& options) {
  Chosen c;
  const std::vector<std::string> all = arrays_by(data, [](const Array& array) {
    if (array.axes().empty() || array.dtype() == Dtype::u8) return 0.0;
    return (along_of(array).empty() ? 1.0 : 5.0) - (array.dtype() == Dtype::i64 ? 0.5 : 0.0);
  });
  c.name = !options.array.empty() ? options.array : all.empty() ? "" : all.front();
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "spectrum");
  if (!is_numeric(array) || array.axes().empty())
    fail_usage("spectrum: '{}' is no array of numbers along an axis; try the view table", c.name);
  for (const std::string& axis : {options.along, options.series})
    if (!axis.empty() && axis != "none") require_axis(array, c.name, axis, "spectrum");
  c.along = !options.along.empty() ? options.along : along_of(array);
  if (c.along.empty()) c.along = array.axes().back();
  if (!options.series.empty()) {
    c.series = options.series == "none" ? "" : options.series;
    if (c.series == c.along) fail_usage("spectrum: along and series are both '{}'; choose two axes", c.along);
    return c;
  }
  for (const char* axis : {"layer", "head", "expert"})
    if (c.series.empty() && axis != c.along && array.axis(axis) && array.extent(axis) > 1) c.series = axis;
  return c;
}

struct Line {
  std::string label;
  std::vector<double> value;    // falling; what is not finite is left out
  std::vector<int64_t> item;    // along the axis
  std::vector<double> running;  // share of the sum of squares up to here
  double effective = 0;         // exp of the entropy of the shares: how many values count
  int64_t for_ninety = 0;       // how many hold 90 % of the sum of squares
};

struct Spectrum {
  Chosen chosen;
  Places fixed;
  std::vector<Line> lines;
  int64_t left_out = 0;
  int64_t bytes() const {
    int64_t all = 0;
    for (const Line& line : lines) all += static_cast<int64_t>(24 * line.value.size());
    return all;
  }
};

Spectrum spectrum_of(const Dataset& data, const Options& options, const Selection& selection) {
  Spectrum s;
  s.chosen = choose(data, options);
  if (s.chosen.name.empty()) return s;
  const Array values = arranged(data[s.chosen.name], s.chosen.kept(), data,
                                parse_places(options.at, data, "spectrum"), selection, s.fixed);
  if (values.size() == 0) return s;
  const int64_t each = values.shape().back(), lines = values.size() / each;
  for (int64_t l = 0; l < lines; ++l) {
    Line line;
    if (!s.chosen.series.empty()) {
      const std::string name = name_at(data, s.chosen.series, l);
      line.label = s.chosen.series == "layer" && name != "embed" ? "L" + name : name;
      if (s.chosen.series != "layer") line.label = s.chosen.series + " " + name;
    }
    for (int64_t i = 0; i < each; ++i)
      if (std::isfinite(values.number(l * each + i))) line.item.push_back(i);
    s.left_out += each - static_cast<int64_t>(line.item.size());
    std::stable_sort(line.item.begin(), line.item.end(), [&](int64_t a, int64_t b) {
      return values.number(l * each + a) > values.number(l * each + b);
    });
    double total = 0, entropy = 0, sum = 0;
    for (const int64_t i : line.item) {
      line.value.push_back(values.number(l * each + i));
      total += line.value.back() * line.value.back();
    }
    for (const double v : line.value) {
      const double share = total > 0 ? v * v / total : 0;
      if (share > 0) entropy -= share * std::log(share);
      sum += share;
      line.running.push_back(sum);
      if (line.for_ninety == 0 && sum >= 0.9) line.for_ninety = static_cast<int64_t>(line.running.size());
    }
    line.effective = std::exp(entropy);
    s.lines.push_back(std::move(line));
  }
  return s;
}

// Which lines stand out: all of up to six, else the selected one, else four spread over all.
std::vector<size_t> strong_of(const Spectrum& s, const Selection& selection) {
  const size_t count = s.lines.size();
  std::vector<size_t> strong;
  const auto chosen = s.chosen.series.empty() ? std::nullopt : selection.index(s.chosen.series);
  if (count <= 6) {
    for (size_t i = 0; i < count; ++i) strong.push_back(i);
  } else if (chosen && *chosen >= 0 && static_cast<size_t>(*chosen) < count) {
    strong.push_back(static_cast<size_t>(*chosen));
  } else {
    for (size_t i = 0; i < 4; ++i) strong.push_back(i * (count - 1) / 3);
  }
  return strong;
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "spectrum");
  const Theme& theme = *look.theme;
  const Chosen chosen = choose(data, options);
  Drawn drawn;
  if (chosen.name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result has no numbers along an axis, so there is no spectrum to draw.");
    return drawn;
  }
  const Places places = places_left(data[chosen.name], chosen.kept(), data,
                                    parse_places(options.at, data, "spectrum"), selection);
  const auto s = kept<Spectrum>(look, key_of("spectrum", values, places),
                                [&] { return spectrum_of(data, options, selection); });
  const std::string title = title_of(data, chosen.name);
  drawn.header = title;
  if (const std::string where = said(data, s->fixed); !where.empty()) drawn.header += " · " + where;
  if (s->left_out > 0)
    drawn.header += fmt::format(" · {} missing or not finite, left out", show_count(s->left_out));
  std::vector<double> all, longest;
  for (const Line& line : s->lines) {
    const std::vector<double>& drawn_values = options.share ? line.running : line.value;
    all.insert(all.end(), drawn_values.begin(), drawn_values.end());
    if (line.value.size() > longest.size()) longest = line.value;
  }
  if (all.empty()) {
    draw_empty(canvas, theme, look.area, "No value here is a number, so there is no spectrum to draw.");
    return drawn;
  }
  const std::vector<size_t> strong = strong_of(*s, selection);
  PlotRange range;
  range.has_grid = options.grid;
  range.log_x = options.log_x && longest.size() > 1;
  range.log_y = options.log && !options.share && ends_of(all, true).second > 0;
  range.x = {1, static_cast<double>(std::max<size_t>(2, longest.size()))};
  range.y = options.share ? std::pair(0.0, 1.0) : ends_of(all, range.log_y);
  for (const size_t i : strong)
    range.right =
        std::max(range.right, std::min(140.0, canvas.text_width(s->lines[i].label, label_bold) + 16));
  const auto frame = std::make_shared<PlotFrame>(plot_frame(look, range));
  if (!(frame->plot.w > 1) || !(frame->plot.h > 1)) return drawn;
  drawn.plot = frame->plot;
  draw_frame(canvas, theme, *frame, "place by size",
             options.share ? "share of the sum of squares, summed up" : with_unit(data[chosen.name], title),
             true);
  const auto points_of = [&](const Line& line) {
    std::vector<Point> points;
    const std::vector<double>& v = options.share ? line.running : line.value;
    for (size_t i = 0; i < v.size(); ++i) points.push_back(frame->point(static_cast<double>(i + 1), v[i]));
    return points;
  };
  canvas.push_clip(frame->plot.inset(-3));
  for (size_t i = 0; i < s->lines.size(); ++i)
    if (std::find(strong.begin(), strong.end(), i) == strong.end())
      canvas.polyline(thinned(points_of(s->lines[i]), canvas.pixel()), theme.strong, 1);
  for (size_t k = 0; k < strong.size(); ++k) {
    const std::vector<Point> points = thinned(points_of(s->lines[strong[k]]), canvas.pixel());
    canvas.polyline(points, theme.category[k % 10], 1.75);
    if (points.size() <= 60)
      for (const Point& p : points) canvas.disc(p, 2.2, theme.category[k % 10]);
  }
  canvas.pop_clip();
  double before = -1e9;
  std::vector<std::pair<double, size_t>> ends;
  for (size_t k = 0; k < strong.size(); ++k)
    if (const std::vector<Point> points = points_of(s->lines[strong[k]]);
        !points.empty() && std::isfinite(points.back().y))
      ends.emplace_back(points.back().y, k);
  std::sort(ends.begin(), ends.end());
  for (const auto& [y, k] : ends) {
    if (!frame->has_words || s->chosen.series.empty()) break;
    const double at = std::max(std::clamp(y, frame->plot.y, frame->plot.bottom()), before + 12);
    before = at;
    canvas.text({frame->plot.right() + 7, at}, s->lines[strong[k]].label, label_bold,
                theme.category_text[k % 10]);
  }
  // The sentence under the title speaks of the line that stands out, or of the first.
  const size_t about = strong.front();
  const Line& line = s->lines[about];
  drawn.header +=
      fmt::format(" · {}{} of {} values count (effective rank), 90 % of the squares in {}",
                  line.label.empty() ? "" : line.label + ": ", show_number(line.effective),
                  show_count(static_cast<int64_t>(line.value.size())), show_count(line.for_ninety));
  drawn.hit = [&data, s, frame, options](Point p) -> std::optional<Hit> {
    if (!frame->plot.inset(-3).holds(p)) return std::nullopt;
    double best = 24 * 24;
    const Line* found = nullptr;
    size_t at = 0, which = 0;
    for (size_t l = 0; l < s->lines.size(); ++l) {
      const Line& one = s->lines[l];
      const std::vector<double>& v = options.share ? one.running : one.value;
      for (size_t i = 0; i < v.size(); ++i) {
        const Point q = frame->point(static_cast<double>(i + 1), v[i]);
        const double away = (q.x - p.x) * (q.x - p.x) + (q.y - p.y) * (q.y - p.y);
        if (away < best) best = away, found = &one, at = i, which = l;
      }
    }
    if (!found) return std::nullopt;
    const Array& array = data[s->chosen.name];
    Hit hit;
    const Point q =
        frame->point(static_cast<double>(at + 1), options.share ? found->running[at] : found->value[at]);
    hit.mark = {q.x - 4, q.y - 4, 8, 8};
    hit.at = s->fixed;
    if (!s->chosen.series.empty()) hit.at[s->chosen.series] = static_cast<int64_t>(which);
    hit.at[s->chosen.along] = found->item[at];
    const std::string heading = fmt::format("{}{} of {}", found->label.empty() ? "" : found->label + " · ",
                                            at + 1, show_count(static_cast<int64_t>(found->value.size())));
    hit.tip = {{heading, ""},
               {title_of(data, s->chosen.name), shown_exactly(array, found->value[at])},
               {s->chosen.along, name_at(data, s->chosen.along, found->item[at])},
               {"squares up to here", show_number(100 * found->running[at]) + " %"},
               {"effective rank", show_number(found->effective)}};
    hit.number = MarkNumber{title_of(data, s->chosen.name), found->value[at]};
    hit.spoken = fmt::format("{}: {}", heading, shown(found->value[at]));
    return hit;
  };
  drawn.where = [s, frame, options](const Selection& selected) -> std::optional<Box> {
    const auto item = selected.index(s->chosen.along);
    const auto series =
        s->chosen.series.empty() ? std::optional<int64_t>(0) : selected.index(s->chosen.series);
    if (!item || !series || *series < 0 || static_cast<size_t>(*series) >= s->lines.size())
      return std::nullopt;
    const Line& one = s->lines[static_cast<size_t>(*series)];
    const auto place = std::find(one.item.begin(), one.item.end(), *item);
    if (place == one.item.end()) return std::nullopt;
    const auto i = static_cast<size_t>(place - one.item.begin());
    const Point q = frame->point(static_cast<double>(i + 1), options.share ? one.running[i] : one.value[i]);
    if (!std::isfinite(q.x) || !std::isfinite(q.y)) return std::nullopt;
    return Box{q.x - 4, q.y - 4, 8, 8};
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Spectrum s = spectrum_of(data, read_settings<Options>(values, "spectrum"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (s.lines.empty()) return out;
  size_t longest = 0;
  for (const Line& line : s.lines) longest = std::max(longest, line.value.size());
  const auto lines = static_cast<int64_t>(s.lines.size()), places = static_cast<int64_t>(longest);
  std::vector<double> value, running, effective;
  std::vector<int64_t> item;
  for (const Line& line : s.lines) {
    for (size_t i = 0; i < longest; ++i) {
      const bool is_there = i < line.value.size();
      value.push_back(is_there ? line.value[i] : std::nan(""));
      running.push_back(is_there ? line.running[i] : std::nan(""));
      item.push_back(is_there ? line.item[i] : -1);
    }
    effective.push_back(line.effective);
  }
  const std::string series = s.chosen.series.empty() ? "line" : s.chosen.series;
  const std::string place = "place";
  Array sorted({series, place}, {lines, places}, std::move(value));
  sorted.unit = data[s.chosen.name].unit;
  sorted.title = title_of(data, s.chosen.name) + ", the largest first";
  out.set(s.chosen.name, std::move(sorted));
  out.set("share_up_to_here", Array({series, place}, {lines, places}, std::move(running)));
  out.set(s.chosen.along + "_index", Array({series, place}, {lines, places}, std::move(item)));
  out.set("effective_rank", Array({series}, {lines}, std::move(effective)));
  if (const Array* ticks = data.coord(series); ticks && ticks->size() == lines) out.set_coord(series, *ticks);
  if (!s.fixed.empty()) out.notes.push_back(said(data, s.fixed));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array")
    return arrays_by(data, [](const Array& array) { return array.axes().empty() ? 0.0 : 1.0; });
  if (option != "along" && option != "series") return {};
  std::vector<std::string> axes =
      axes_of(data, choose(data, read_settings<Options>(values, "spectrum")).name);
  if (option == "series") axes.emplace_back("none");
  return axes;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Options options = read_settings<Options>(values, "spectrum");
  const Chosen c = choose(data, options);
  if (c.name.empty()) return {};
  return free_axes_of(
      data, places_left(data[c.name], c.kept(), data, parse_places(options.at, data, "spectrum"), selection));
}

}  // namespace

void add_spectrum(ViewCatalog& catalog) {
  View view;
  view.name = "spectrum";
  view.summary = "values from the largest to the smallest, and how many of them count";
  view.help =
      "Singular values, eigenvalues or loads in falling order, one line for each layer or head. The "
      "effective rank "
      "is exp of the entropy of the squares' shares: n where n values are equal, 1 where one holds all. "
      "Example: "
      "varve plot weights.h5 --view spectrum --set series=layer -o spectrum.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) {
    const Chosen c = choose(data, {});
    if (c.name.empty()) return 0.0;
    return along_of(data[c.name]).empty() ? 1.1 : 2.5;
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
