// How values are spread: one histogram, or one shape for each item of an axis.
#include <algorithm>
#include <cmath>

#include "analysis/core/statistics.h"
#include "analysis/core/text.h"
#include "viz/cache.h"
#include "viz/choice.h"
#include "viz/plot_frame.h"

namespace varve {
namespace {

struct Options {
  std::string array, by, at;
  int64_t bins = 40;
  bool log = false, grid = true;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "which array to draw; empty: the one with most numbers");
    visit("by", by,
          "one shape for each item of this axis; empty: layer where there is one, none: one histogram");
    visit("bins", bins, "how many stretches of equal width the values are counted in", Range{4, 400});
    visit("log", log, "values by their logarithm; those not above zero are left out and counted");
    visit("grid", grid, "draw the lines of the grid");
    visit("at", at,
          "what to show of these axes, as in prompt=3; else what is selected, of steps, else all values");
  }
};

constexpr Font label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};

double score_of(const Array& array) {
  if (array.size() < 2) return 0;
  return (array.dtype() == Dtype::i64 ? 1.0 : 10.0) +
         std::min(9.0, std::log10(static_cast<double>(array.size())));
}

struct Chosen {
  std::string name, by;
};

Chosen choose(const Dataset& data, const Options& options) {
  Chosen c;
  const std::vector<std::string> all = arrays_by(data, score_of);
  c.name = !options.array.empty() ? options.array : all.empty() ? "" : all.front();
  if (c.name.empty()) return c;
  const Array& array = array_named(data, c.name, "distribution");
  if (!is_numeric(array)) fail_usage("distribution: '{}' holds no numbers; choose another array", c.name);
  if (!options.by.empty() && options.by != "none") {
    require_axis(array, c.name, options.by, "distribution");
    c.by = options.by;
  } else if (options.by.empty()) {
    for (const char* axis : {"layer", "head", "expert"})
      if (c.by.empty() && array.axis(axis) && array.extent(axis) > 1 && array.size() > 4 * array.extent(axis))
        c.by = axis;
  }
  return c;
}

struct Group {
  std::vector<int64_t> counts;
  int64_t n = 0, left_out = 0;  // not a number, infinite, or not above zero on a log axis
  double median = 0, lower = 0, upper = 0, mean = 0;
};

struct Shapes {
  Chosen chosen;
  Places fixed;
  std::vector<double> edges;
  std::vector<Group> groups;
  int64_t largest = 0, left_out = 0, n = 0;
  int64_t bytes() const { return static_cast<int64_t>(groups.size() * (edges.size() * 8 + 80)); }
};

// Everything but the step is counted together, unless `at` says otherwise.
std::vector<std::string> summed_axes(const Array& array, const Chosen& chosen, const Places& given) {
  std::vector<std::string> kept;
  if (!chosen.by.empty()) kept.push_back(chosen.by);
  for (const std::string& axis : array.axes())
    if (axis != chosen.by && !given.count(axis) && (axis != "step" || array.axes().size() == 1))
      kept.push_back(axis);
  return kept;
}

Shapes shapes_of(const Dataset& data, const Options& options, const Selection& selection) {
  Shapes shapes;
  shapes.chosen = choose(data, options);
  if (shapes.chosen.name.empty()) return shapes;
  const Places given = parse_places(options.at, data, "distribution");
  const Array& array = data[shapes.chosen.name];
  const Array values =
      arranged(array, summed_axes(array, shapes.chosen, given), data, given, selection, shapes.fixed);
  const std::vector<double> numbers = numbers_of(values);
  const size_t groups =
      shapes.chosen.by.empty() || values.size() == 0 ? 1 : static_cast<size_t>(values.shape()[0]);
  const auto [low, high] = ends_of(numbers, options.log);
  const Scale span = options.log ? log_scale(low, high, 0, 1) : linear_scale(low, high, 0, 1);
  const auto bins = static_cast<size_t>(options.bins);
  for (size_t i = 0; i <= bins; ++i)
    shapes.edges.push_back(span.value(static_cast<double>(i) / static_cast<double>(bins)));
  const size_t each = groups > 0 ? numbers.size() / groups : 0;
  for (size_t g = 0; g < groups; ++g) {
    Group group;
    group.counts.assign(bins, 0);
    std::vector<double> held;
    for (size_t i = g * each; i < (g + 1) * each; ++i) {
      const double v = numbers[i];
      if (!std::isfinite(v) || (options.log && !(v > 0))) {
        ++group.left_out;
        continue;
      }
      held.push_back(v);
      const double place = span.pixel(v) * static_cast<double>(bins);
      ++group.counts[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))];
      group.mean += v;
    }
    group.n = static_cast<int64_t>(held.size());
    group.mean /= std::max<double>(1, static_cast<double>(group.n));
    group.median = quantile(held, 0.5);
    group.lower = quantile(held, 0.25);
    group.upper = quantile(held, 0.75);
    shapes.largest = std::max(shapes.largest, *std::max_element(group.counts.begin(), group.counts.end()));
    shapes.left_out += group.left_out;
    shapes.n += group.n;
    shapes.groups.push_back(std::move(group));
  }
  return shapes;
}

Hit hit_of(const Dataset& data, const Shapes& shapes, size_t g, int64_t bin, Box mark) {
  const Group& group = shapes.groups[g];
  const Array& array = data[shapes.chosen.name];
  Hit hit;
  hit.mark = mark;
  hit.at = shapes.fixed;
  std::string heading = title_of(data, shapes.chosen.name);
  if (!shapes.chosen.by.empty()) {
    hit.at[shapes.chosen.by] = static_cast<int64_t>(g);
    heading = shapes.chosen.by + " " + name_at(data, shapes.chosen.by, static_cast<int64_t>(g));
  }
  hit.tip = {{heading, ""},
             {"median", shown_exactly(array, group.median)},
             {"middle half", shown(group.lower) + " – " + shown(group.upper)},
             {"mean", shown_exactly(array, group.mean)},
             {"n", show_count(group.n)}};
  if (bin >= 0) {
    const auto b = static_cast<size_t>(bin);
    hit.tip.push_back(
        {shown(shapes.edges[b]) + " – " + shown(shapes.edges[b + 1]), show_count(group.counts[b])});
  }
  if (!array.unit.empty()) hit.tip.push_back({"unit", array.unit});
  hit.spoken = fmt::format("{}: median {}, n {}", heading, shown(group.median), group.n);
  return hit;
}

void draw_histogram(const Shapes& shapes, const PlotFrame& frame, const Theme& theme, Canvas& canvas) {
  const Group& group = shapes.groups.front();
  for (size_t b = 0; b < group.counts.size(); ++b) {
    if (group.counts[b] == 0) continue;
    const double x0 = frame.x.pixel(shapes.edges[b]), x1 = frame.x.pixel(shapes.edges[b + 1]);
    const double y = frame.y.pixel(static_cast<double>(group.counts[b]));
    canvas.fill({x0, y, std::max(1.0, x1 - x0 - (x1 - x0 > 4 ? 1 : 0)), frame.y.pixel(0) - y},
                theme.category[0]);
  }
  const double x = frame.x.pixel(group.median);
  canvas.line({x, frame.plot.y}, {x, frame.plot.bottom()}, theme.ink, 1, Dash::reference);
  if (frame.has_words)
    canvas.text({x, frame.plot.y - 6}, "median " + shown(group.median), label_font, theme.ink2,
                Align::center);
}

// Mirrored shapes, upright; the middle half is a bar, the median a mark.
void draw_shape(const Shapes& shapes, size_t g, double middle, double half, const PlotFrame& frame,
                bool is_chosen, const Theme& theme, Canvas& canvas) {
  const Group& group = shapes.groups[g];
  if (group.n == 0) return;
  const auto most = static_cast<double>(*std::max_element(group.counts.begin(), group.counts.end()));
  const Color color = is_chosen ? theme.category[0] : mix(theme.category[0], theme.canvas, 0.45);
  for (size_t b = 0; b < group.counts.size(); ++b) {
    if (group.counts[b] == 0) continue;
    const double y1 = frame.y.pixel(shapes.edges[b]), y0 = frame.y.pixel(shapes.edges[b + 1]);
    const double w = std::max(0.5, half * static_cast<double>(group.counts[b]) / most);
    canvas.fill({middle - w, y0, 2 * w, std::max(1.0, y1 - y0)}, color);
  }
  const double upper = frame.y.pixel(group.upper), lower = frame.y.pixel(group.lower),
               at = frame.y.pixel(group.median);
  if (half < 4) return;
  canvas.fill({middle - 1.5, upper, 3, std::max(1.0, lower - upper)}, theme.ink2);
  canvas.fill({middle - 5, at - 2, 10, 4}, theme.canvas);
  canvas.fill({middle - 4, at - 1, 8, 2}, theme.ink);
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "distribution");
  const Theme& theme = *look.theme;
  const Chosen chosen = choose(data, options);
  Drawn drawn;
  if (chosen.name.empty()) {
    draw_empty(canvas, theme, look.area,
               "This result holds fewer than two numbers, so there is no spread to draw.");
    return drawn;
  }
  const Places given = parse_places(options.at, data, "distribution");
  const Places places =
      places_left(data[chosen.name], summed_axes(data[chosen.name], chosen, given), data, given, selection);
  const auto shapes = kept<Shapes>(look, key_of("distribution", values, places),
                                   [&] { return shapes_of(data, options, selection); });
  const std::string title = title_of(data, chosen.name), quantity = with_unit(data[chosen.name], title);
  drawn.header = quantity;
  if (const std::string where = said(data, shapes->fixed); !where.empty()) drawn.header += " · " + where;
  drawn.header += fmt::format(" · n = {}", show_count(shapes->n));
  if (shapes->left_out > 0)
    drawn.header += fmt::format(" · {} not drawn ({})", show_count(shapes->left_out),
                                options.log ? "missing or not above zero" : "missing or not finite");
  if (shapes->n == 0) {
    draw_empty(canvas, theme, look.area, "No value here is a number, so there is no spread to draw.");
    return drawn;
  }
  const bool is_one = chosen.by.empty();
  const auto count = static_cast<double>(shapes->groups.size());
  PlotRange range;
  const std::pair<double, double> ends{shapes->edges.front(), shapes->edges.back()};
  range.x = is_one ? ends : std::pair(0.0, count);
  range.y = is_one ? std::pair(0.0, static_cast<double>(shapes->largest)) : ends;
  range.has_grid = options.grid;
  range.log_x = is_one && options.log;
  range.log_y = !is_one && options.log;
  auto frame = std::make_shared<PlotFrame>(plot_frame(look, range));
  if (!(frame->plot.w > 1) || !(frame->plot.h > 1)) return drawn;
  drawn.plot = frame->plot;
  const auto pitch = [frame, count] { return (frame->x.to - frame->x.from) / count; };
  if (is_one) {
    draw_frame_x(canvas, theme, *frame, quantity);
    draw_frame_y(canvas, theme, *frame, "values", true);
  } else {
    // Items stand side by side, so the axis below holds names.
    frame->x = Scale{Spacing::linear, 0, count, frame->plot.x, frame->plot.right(), 0}.moved(
        look.area.x, look.zoom, look.pan.x);
    draw_frame_y(canvas, theme, *frame, quantity);
    if (frame->has_words)
      draw_x_axis(canvas, theme, frame->plot, frame->x, {}, axis_title(chosen.by), Grid::none);
  }
  canvas.push_clip(frame->plot.inset(-12));
  if (is_one) draw_histogram(*shapes, *frame, theme, canvas);
  for (size_t g = 0; !is_one && g < shapes->groups.size(); ++g) {
    const double middle = frame->x.pixel(static_cast<double>(g) + 0.5);
    if (middle + pitch() < frame->plot.x || middle - pitch() > frame->plot.right()) continue;
    const auto selected = selection.index(chosen.by);
    draw_shape(*shapes, g, middle, pitch() * 0.44, *frame, !selected || *selected == static_cast<int64_t>(g),
               theme, canvas);
  }
  canvas.pop_clip();
  if (!is_one && frame->has_words) {
    const std::vector<std::string> names = names_along(data, chosen.by, static_cast<int64_t>(count));
    const Measure wide = [&canvas](const std::string& text) { return canvas.text_width(text, label_bold); };
    for (const Tick& tick : item_ticks(names, pitch(), wide)) {
      const double x = frame->x.pixel(tick.value + 0.5);
      const bool is_selected = selection.index(chosen.by) == static_cast<int64_t>(tick.value);
      if (x >= frame->plot.x && x <= frame->plot.right())
        canvas.text({x, frame->plot.bottom() + 13}, tick.label, is_selected ? label_bold : label_font,
                    is_selected ? theme.ink : theme.ink3, Align::center);
    }
  }
  const auto group_box = [frame, shapes](size_t g) {
    if (shapes->groups.size() == 1 && shapes->chosen.by.empty()) return frame->plot;
    const double x0 = frame->x.pixel(static_cast<double>(g)), x1 = frame->x.pixel(static_cast<double>(g + 1));
    return Box{x0, frame->plot.y, x1 - x0, frame->plot.h};
  };
  drawn.hit = [&data, shapes, frame, group_box, is_one](Point p) -> std::optional<Hit> {
    if (!frame->plot.holds(p)) return std::nullopt;
    const double value = is_one ? frame->x.value(p.x) : frame->y.value(p.y);
    const auto above =
        std::upper_bound(shapes->edges.begin(), shapes->edges.end(), value) - shapes->edges.begin();
    const int64_t bin = std::clamp<int64_t>(above - 1, 0, static_cast<int64_t>(shapes->edges.size()) - 2);
    const double g = is_one ? 0 : std::floor(frame->x.value(p.x));
    if (g < 0 || g >= static_cast<double>(shapes->groups.size())) return std::nullopt;
    return hit_of(data, *shapes, static_cast<size_t>(g), bin, group_box(static_cast<size_t>(g)));
  };
  drawn.where = [shapes, group_box](const Selection& s) -> std::optional<Box> {
    const auto index = shapes->chosen.by.empty() ? std::nullopt : s.index(shapes->chosen.by);
    if (!index || *index < 0 || *index >= static_cast<int64_t>(shapes->groups.size())) return std::nullopt;
    return group_box(static_cast<size_t>(*index));
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const Shapes shapes = shapes_of(data, read_settings<Options>(values, "distribution"), selection);
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  if (shapes.chosen.name.empty()) return out;
  const auto bins = static_cast<int64_t>(shapes.edges.size()) - 1,
             groups = static_cast<int64_t>(shapes.groups.size());
  const std::string by = shapes.chosen.by.empty() ? "group" : shapes.chosen.by;
  std::vector<int64_t> counts, n;
  std::vector<double> median, lower, upper, mean;
  for (const Group& group : shapes.groups) {
    counts.insert(counts.end(), group.counts.begin(), group.counts.end());
    n.push_back(group.n);
    median.push_back(group.median);
    lower.push_back(group.lower);
    upper.push_back(group.upper);
    mean.push_back(group.mean);
  }
  out.set("count", Array({by, "bin"}, {groups, bins}, std::move(counts)));
  out.set("n", Array({by}, {groups}, std::move(n)));
  for (auto& [name, numbers] : {std::pair("median", &median), std::pair("lower_quartile", &lower),
                                std::pair("upper_quartile", &upper), std::pair("mean", &mean)}) {
    Array array({by}, {groups}, std::move(*numbers));
    array.unit = data[shapes.chosen.name].unit;
    out.set(name, std::move(array));
  }
  std::vector<double> from(shapes.edges.begin(), shapes.edges.end() - 1),
      to(shapes.edges.begin() + 1, shapes.edges.end());
  out.set("bin_from", Array({"bin"}, {bins}, std::move(from)));
  out.set("bin_to", Array({"bin"}, {bins}, std::move(to)));
  if (const Array* ticks = data.coord(by); ticks && ticks->size() == groups) out.set_coord(by, *ticks);
  out.notes.push_back("values of " + shapes.chosen.name +
                      (shapes.fixed.empty() ? "" : " at " + said(data, shapes.fixed)));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "array") return arrays_by(data, score_of);
  if (option != "by") return {};
  std::vector<std::string> axes =
      axes_of(data, choose(data, read_settings<Options>(values, "distribution")).name);
  axes.emplace_back("none");
  return axes;
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const Options options = read_settings<Options>(values, "distribution");
  const Chosen c = choose(data, options);
  if (c.name.empty()) return {};
  const Places given = parse_places(options.at, data, "distribution");
  return free_axes_of(data,
                      places_left(data[c.name], summed_axes(data[c.name], c, given), data, given, selection));
}

}  // namespace

void add_distribution(ViewCatalog& catalog) {
  View view;
  view.name = "distribution";
  view.summary = "how values are spread: a histogram, or one shape for each item of an axis";
  view.help =
      "Values are counted in stretches of equal width. Side by side each shape is as wide as its fullest "
      "stretch "
      "allows, so that shapes compare and sizes do not; n is on hover. The thin bar holds the middle half, "
      "the "
      "mark is the median. Example: varve plot loss.h5 --view distribution --set by=layer -o spread.svg";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return choose(data, {}).name.empty() ? 0.0 : 1.4; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  catalog.add(std::move(view));
}

}  // namespace varve
