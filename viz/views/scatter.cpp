// Two quantities against each other, one point for each place they share, with their correlation.
#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/core/text.h"
#include "viz/cache.h"
#include "viz/choice.h"
#include "viz/cloud.h"
#include "viz/plot_frame.h"

namespace varve {
namespace {

constexpr Font label_font{7.5, Face::sans}, label_bold{7.5, Face::sans_bold};
constexpr size_t many = 3000;  // points; more are drawn a pixel each

void draw_line(const Cloud& cloud, const CloudOptions& options, const PlotFrame& frame, const Theme& theme,
               Canvas& canvas) {
  const Correlation& s = cloud.stats;
  if (!options.fit || !s.has_line || !std::isfinite(s.slope)) return;
  const auto across = [&](double x) { return options.log_x ? std::pow(10, x) : x; };
  const auto up = [&](double y) { return options.log_y ? std::pow(10, y) : y; };
  const auto [low, high] = ends_of(cloud.x, options.log_x);
  const double from = options.log_x ? std::log10(low) : low, to = options.log_x ? std::log10(high) : high;
  constexpr int steps = 48;
  std::vector<Point> line, below, above;
  for (int i = 0; i <= steps; ++i) {
    const double x = from + (to - from) * i / steps, y = s.at_zero + s.slope * x, half = s.band(x);
    line.push_back(frame.point(across(x), up(y)));
    below.push_back(frame.point(across(x), up(y - half)));
    above.push_back(frame.point(across(x), up(y + half)));
  }
  draw_band(canvas, below, above, band_color(theme, theme.category[0]));
  canvas.polyline(line, theme.category[0], 1.75);
}

void draw_points(const Dataset& data, const Cloud& cloud, const CloudOptions& options, const PlotFrame& frame,
                 std::optional<size_t> chosen, const Theme& theme, Canvas& canvas) {
  std::vector<std::pair<Point, size_t>> points;
  for (size_t i = 0; i < cloud.x.size(); ++i) {
    const Point p = frame.point(cloud.x[i], cloud.y[i]);
    if (std::isfinite(p.x) && std::isfinite(p.y) && frame.plot.inset(-2).holds(p)) points.emplace_back(p, i);
  }
  if (points.size() > many) {
    std::set<std::pair<int64_t, int64_t>>
        drawn;  // one mark a pixel: what lies under it is not lost, only hidden
    for (const auto& [p, i] : points)
      if (drawn.emplace(std::lround(p.x), std::lround(p.y)).second)
        canvas.fill({p.x - 1, p.y - 1, 2, 2}, theme.category[0]);
  } else {
    const double radius = points.size() > 60 ? 1.7 : points.size() > 20 ? 2.2 : 3.5;
    for (const auto& [p, i] : points) {
      canvas.disc(p, radius + 1, theme.canvas);
      canvas.disc(p, radius, theme.category[0]);
    }
  }
  if (chosen && std::isfinite(frame.x.pixel(cloud.x[*chosen]))) {
    const Point p = frame.point(cloud.x[*chosen], cloud.y[*chosen]);
    canvas.disc(p, 6, theme.canvas);
    canvas.disc(p, 4.5, theme.ink);
  }
  if (!options.labels || points.size() > 200) return;
  std::vector<Box> taken;
  const auto name = [&](Point p, size_t i) {
    const bool is_chosen = chosen == i;
    const std::string words = point_name(data, cloud.place(i));
    const double width = canvas.text_width(words, label_bold);
    for (const Box& box :
         {Box{p.x + 6, p.y - 13, width, 11}, Box{p.x + 6, p.y + 3, width, 11},
          Box{p.x - 6 - width, p.y - 13, width, 11}, Box{p.x - 6 - width, p.y + 3, width, 11}}) {
      const bool is_inside = box.x >= frame.plot.x && box.right() <= frame.plot.right() &&
                             box.y >= frame.plot.y && box.bottom() <= frame.plot.bottom();
      const auto touches = [&box](const Box& b) {
        return box.x < b.right() + 3 && box.right() + 3 > b.x && box.y < b.bottom() && box.bottom() > b.y;
      };
      const bool hides_a_point = std::any_of(points.begin(), points.end(), [&](const auto& other) {
        return other.second != i && box.inset(-2).holds(other.first);
      });
      if (!is_inside || hides_a_point || std::any_of(taken.begin(), taken.end(), touches)) continue;
      canvas.text({box.x, box.y + 5.5}, words, is_chosen ? label_bold : label_font,
                  is_chosen ? theme.ink : theme.ink2);
      taken.push_back(box);
      return;
    }
  };
  for (const auto& [p, i] : points)
    if (chosen == i) name(p, i);
  for (const auto& [p, i] : points)
    if (chosen != i) name(p, i);
}

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const CloudOptions options = read_settings<CloudOptions>(values, "scatter");
  const Theme& theme = *look.theme;
  const CloudPair pair = cloud_pair(data, options);
  Drawn drawn;
  if (pair.x.empty() || pair.y.empty()) {
    draw_empty(
        canvas, theme, look.area,
        "This result has no two arrays of numbers over the same axes, so there is nothing to compare.");
    return drawn;
  }
  const auto cloud =
      kept<Cloud>(look, key_of("scatter", values, cloud_places(data, pair, options, selection)),
                  [&] { return cloud_of(data, options, selection); });
  const Correlation& stats = cloud->stats;
  drawn.header = title_of(data, pair.y) + " against " + title_of(data, pair.x);
  if (data[pair.x].axes() != data[pair.y].axes())  // two curves: their own names say which
    drawn.header = cloud_title(data, *cloud, pair.y) + " against " + cloud_title(data, *cloud, pair.x);
  else if (const std::string where = said(data, cloud->fixed); !where.empty())
    drawn.header += " · " + where;
  drawn.header += fmt::format(" · n = {}", show_count(stats.n));
  if (cloud->audited > 0) drawn.header += fmt::format(" · {} audited bad, left out", cloud->audited);
  if (stats.n < 8) drawn.caution = fmt::format("n = {} < 8", stats.n);
  if (stats.n == 0) {
    draw_empty(canvas, theme, look.area,
               "No place has a number in both arrays, so there is no point to draw.");
    return drawn;
  }
  PlotRange range;
  range.x = ends_of(cloud->x, options.log_x);
  range.y = ends_of(cloud->y, options.log_y);
  range.log_x = options.log_x;
  range.log_y = options.log_y;
  range.has_grid = options.grid;
  range.top = 44;
  const auto frame = std::make_shared<PlotFrame>(plot_frame(look, range));
  if (!(frame->plot.w > 1) || !(frame->plot.h > 1)) return drawn;
  drawn.plot = frame->plot;
  draw_frame(canvas, theme, *frame, with_unit(data[pair.x], cloud_title(data, *cloud, pair.x)),
             with_unit(data[pair.y], cloud_title(data, *cloud, pair.y)));
  if (frame->has_words) {
    const std::string logs = options.log_x || options.log_y ? " (of logarithms)" : "";
    canvas.text({look.area.x + 6, look.area.y + 10},
                elide(canvas, cloud_words(data, *cloud) + logs, {8, Face::sans}, look.area.w - 12),
                {8, Face::sans}, theme.ink);
  }
  const std::optional<size_t> chosen = cloud->point_at(selection);
  canvas.push_clip(frame->plot.inset(-5));
  draw_line(*cloud, options, *frame, theme, canvas);
  draw_points(data, *cloud, options, *frame, chosen, theme, canvas);
  canvas.pop_clip();

  drawn.hit = [&data, cloud, frame](Point p) -> std::optional<Hit> {
    if (!frame->plot.inset(-5).holds(p)) return std::nullopt;
    double best = 18 * 18;
    std::optional<size_t> found;
    for (size_t i = 0; i < cloud->x.size(); ++i) {
      const Point q = frame->point(cloud->x[i], cloud->y[i]);
      const double away = (q.x - p.x) * (q.x - p.x) + (q.y - p.y) * (q.y - p.y);
      if (away < best) best = away, found = i;
    }
    if (!found) return std::nullopt;
    Hit hit;
    const Point q = frame->point(cloud->x[*found], cloud->y[*found]);
    hit.mark = {q.x - 5, q.y - 5, 10, 10};
    hit.at = cloud->fixed;
    for (const auto& [axis, index] : cloud->place(*found)) hit.at[axis] = index;
    const std::string heading = point_name(data, cloud->place(*found));
    const Array &x = data[cloud->pair.x], &y = data[cloud->pair.y];
    hit.tip = {{heading, ""},
               {with_unit(x, title_of(data, cloud->pair.x)), shown_exactly(x, cloud->x[*found])},
               {with_unit(y, title_of(data, cloud->pair.y)), shown_exactly(y, cloud->y[*found])}};
    hit.number = MarkNumber{title_of(data, cloud->pair.y), cloud->y[*found]};
    hit.along = MarkNumber{title_of(data, cloud->pair.x), cloud->x[*found]};
    hit.spoken = fmt::format("{}: {} {}, {} {}", heading, title_of(data, cloud->pair.x),
                             shown(cloud->x[*found]), title_of(data, cloud->pair.y), shown(cloud->y[*found]));
    return hit;
  };
  drawn.where = [cloud, frame](const Selection& s) -> std::optional<Box> {
    const auto point = cloud->point_at(s);
    if (!point) return std::nullopt;
    const Point q = frame->point(cloud->x[*point], cloud->y[*point]);
    if (!std::isfinite(q.x) || !std::isfinite(q.y)) return std::nullopt;
    return Box{q.x - 5, q.y - 5, 10, 10};
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection& selection) {
  const CloudOptions options = read_settings<CloudOptions>(values, "scatter");
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  const Cloud cloud = cloud_of(data, options, selection);
  if (cloud.pair.x.empty() || cloud.pair.y.empty()) return out;
  for (const auto& [name, numbers] : {std::pair(cloud.pair.x, &cloud.x), std::pair(cloud.pair.y, &cloud.y)}) {
    Array array(cloud.over, cloud.shape, *numbers);
    array.title = title_of(data, name);
    array.unit = data[name].unit;
    out.set(name, std::move(array));
  }
  for (size_t a = 0; a < cloud.over.size(); ++a)
    if (const Array* ticks = data.coord(cloud.over[a]); ticks && ticks->size() == cloud.shape[a])
      out.set_coord(cloud.over[a], *ticks);
  const Correlation& s = cloud.stats;
  for (const auto& [name, value] :
       {std::pair("pearson_r", s.pearson), std::pair("pearson_r_low", s.low),
        std::pair("pearson_r_high", s.high), std::pair("spearman_rho", s.spearman),
        std::pair("n", static_cast<double>(s.n)), std::pair("slope", s.slope),
        std::pair("at_zero", s.at_zero)})
    out.set(name, Array::scalar(value));
  if (s.exact_p >= 0) out.set("exact_p", Array::scalar(s.exact_p));
  if (!cloud.fixed.empty()) out.notes.push_back(said(data, cloud.fixed));
  out.notes.push_back(cloud_words(data, cloud));
  return out;
}

std::vector<std::string> choices(const Dataset& data, const std::string& option,
                                 const SettingValues& values) {
  if (option == "x" || option == "y") return cloud_arrays(data);
  if (option != "over") return {};
  const CloudOptions options = read_settings<CloudOptions>(values, "scatter");
  const CloudPair pair = cloud_pair(data, options);
  if (pair.x.empty() || pair.y.empty()) return {};
  return axes_of(data, pair.x);
}

std::vector<FreeAxis> free_axes(const Dataset& data, const SettingValues& values,
                                const Selection& selection) {
  const CloudOptions options = read_settings<CloudOptions>(values, "scatter");
  const CloudPair pair = cloud_pair(data, options);
  if (pair.x.empty() || pair.y.empty()) return {};
  return free_axes_of(data, cloud_places(data, pair, options, selection));
}

}  // namespace

void add_scatter(ViewCatalog& catalog) {
  View view;
  view.name = "scatter";
  view.summary = "two quantities against each other, with their correlation";
  view.help =
      "One point for each place that both arrays share, at the selected step. Above stand Pearson's r with "
      "its "
      "95 % interval (Fisher's z), Spearman's rank correlation and n; below 8 points an exact permutation "
      "test "
      "and a warning. A result that correlates metrics with scores shows its checkpoints, at the chosen "
      "metric "
      "and score, with its own bootstrap interval and p. The line is that of least squares, its band the 95 "
      "% interval of the line. Example: "
      "varve plot heads.h5 --view scatter --set x=induction --set y=copying -o heads.svg";
  view.options = declared_settings<CloudOptions>();
  view.fit = [](const Dataset& data) {
    const CloudPair pair = cloud_pair(data, {});
    if (pair.x.empty() || pair.y.empty()) return 0.0;
    return data[pair.x].axes() != data[pair.y].axes() ? 6.0
                                                      : 1.6;  // chosen for each other, whatever their axes
  };
  view.draw = draw;
  view.drawn_data = drawn_data;
  view.choices = choices;
  view.free_axes = free_axes;
  view.width = 640;
  view.height = 520;
  catalog.add(std::move(view));
}

}  // namespace varve
