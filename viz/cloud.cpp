// Pairs arrays up and lays their values out as points.
#include "viz/cloud.h"

#include <algorithm>
#include <cmath>

#include "analysis/core/text.h"
#include "viz/choice.h"
#include "viz/draw/glyphs.h"

namespace varve {
namespace {

double score_of(const Array& array) {
  if (array.axes().empty() || array.size() < 2) return 0;
  return array.dtype() == Dtype::i64 ? 1 : array.dtype() == Dtype::u8 ? 0.5 : 2;
}

// The two sides of a result that correlates metrics with scores: all else in it is about them.
constexpr const char *metric_side = "metric_value", *score_side = "score_value";

bool correlates(const Dataset& data) {
  for (const char* side : {metric_side, score_side})
    if (!data.has(side) || !is_numeric(data[side])) return false;
  return data.has("pearson") && data[metric_side].axis("step") && data[score_side].axis("step");
}

}  // namespace

std::vector<std::string> cloud_arrays(const Dataset& data) { return arrays_by(data, score_of); }

// The two best arrays that lie over the same axes.
CloudPair cloud_pair(const Dataset& data, const CloudOptions& options) {
  const std::vector<std::string> all = arrays_by(data, score_of);
  const auto partner = [&](const std::string& of) -> std::string {
    for (const std::string& name : all)
      if (name != of && data[name].axes() == data[of].axes()) return name;
    return "";
  };
  for (const std::string& name : {options.x, options.y})
    if (!name.empty() && !is_numeric(array_named(data, name, "scatter")))
      fail_usage("scatter: '{}' holds no numbers; choose another array", name);
  if (!options.x.empty() && !options.y.empty()) return {options.x, options.y};
  if (!options.x.empty()) return {options.x, partner(options.x)};
  if (!options.y.empty()) return {partner(options.y), options.y};
  if (correlates(data)) return {metric_side, score_side};
  for (const std::string& name : all)
    if (const std::string other = partner(name); !other.empty()) return {name, other};
  return {};
}

std::vector<std::string> cloud_axes(const Dataset& data, const CloudPair& pair, const CloudOptions& options) {
  std::vector<std::string> both;
  for (const std::string& axis : data[pair.x].axes())
    if (data[pair.y].axis(axis)) both.push_back(axis);
  if (both.empty()) fail_usage("scatter: '{}' and '{}' share no axis, so no point has both", pair.x, pair.y);
  if (options.over.empty()) {
    // All of training in one cloud says little: the step is chosen, unless there is nothing else.
    if (both.size() > 1) std::erase(both, "step");
    return both;
  }
  std::vector<std::string> over = split(options.over, ',');
  for (const std::string& axis : over)
    if (std::find(both.begin(), both.end(), axis) == both.end())
      fail_usage("scatter: '{}' is no axis that both arrays have; did you mean '{}'?", axis,
                 nearest(axis, both));
  return over;
}

Cloud cloud_of(const Dataset& data, const CloudOptions& options, const Selection& selection) {
  Cloud cloud;
  cloud.pair = cloud_pair(data, options);
  if (cloud.pair.x.empty() || cloud.pair.y.empty()) return cloud;
  cloud.over = cloud_axes(data, cloud.pair, options);
  const Places given = parse_places(options.at, data, "scatter");
  const Array a = arranged(data[cloud.pair.x], cloud.over, data, given, selection, cloud.fixed);
  const Array b = arranged(data[cloud.pair.y], cloud.over, data, given, selection, cloud.fixed);
  cloud.shape = a.shape();
  cloud.x = numbers_of(a);
  cloud.y = numbers_of(b);
  if (cloud.over.size() == 1) {
    const AbsenceMap absence(data, "", cloud.over.front(), cloud.fixed);
    for (size_t i = 0; i < cloud.x.size(); ++i)
      if (absence.any_bad() && absence.at(0, static_cast<int64_t>(i), 0) == Absent::bad) {
        cloud.x[i] = cloud.y[i] = std::nan("");
        ++cloud.audited;
      }
  }
  std::vector<double> x = cloud.x, y = cloud.y;
  for (double& v : x)
    if (options.log_x) v = v > 0 ? std::log10(v) : std::nan("");
  for (double& v : y)
    if (options.log_y) v = v > 0 ? std::log10(v) : std::nan("");
  cloud.stats = correlation(x, y);
  return cloud;
}

std::string cloud_words(const Dataset& data, const Cloud& cloud) {
  if (cloud.pair.x != metric_side || cloud.pair.y != score_side || !correlates(data))
    return cloud.stats.words();
  const auto number = [&](const char* name) {
    Places ignored;
    if (!data.has(name)) return std::nan("");
    const Array one = arranged(data[name], {}, data, cloud.fixed, {}, ignored);
    return one.size() == 1 ? one.number(0) : std::nan("");
  };
  const std::string kind = number("p_exact") > 0 ? "exact" : "permutation";
  const auto said_p = [](double p) { return minus_signed(fmt::format("{:.2g}", p)); };
  return fmt::format("n = {}, r = {}, 95 % bootstrap {} – {}, {} p = {}, Spearman ρ = {}, p = {}",
                     show_count(cloud.stats.n), shown(number("pearson")), shown(number("pearson_low")),
                     shown(number("pearson_high")), kind, said_p(number("pearson_p")),
                     shown(number("spearman")), said_p(number("spearman_p")));
}

std::string cloud_title(const Dataset& data, const Cloud& cloud, const std::string& name) {
  std::string title = title_of(data, name);
  std::string names;
  for (const std::string& axis : data[name].axes()) {
    const auto at = cloud.fixed.find(axis);
    const Array* ticks = data.coord(axis);
    if (at == cloud.fixed.end() || !ticks || is_numeric(*ticks)) continue;
    names += (names.empty() ? "" : " · ") + name_at(data, axis, at->second);
  }
  return names.empty() ? title : names + ", " + title;
}

std::string point_name(const Dataset& data, const Places& at) {
  const auto layer = at.find("layer"), head = at.find("head");
  if (at.size() == 2 && layer != at.end() && head != at.end())
    return fmt::format("L{}H{}", name_at(data, "layer", layer->second), name_at(data, "head", head->second));
  std::string all;
  for (const auto& [axis, index] : at)
    all += (all.empty() ? "" : " · ") + (axis == "step" ? "" : axis + " ") + name_at(data, axis, index);
  return all;
}

Places cloud_places(const Dataset& data, const CloudPair& pair, const CloudOptions& options,
                    const Selection& selection) {
  Places places;
  for (const std::string& name : {pair.x, pair.y}) {
    const Places more = places_left(data[name], cloud_axes(data, pair, options), data,
                                    parse_places(options.at, data, "scatter"), selection);
    places.insert(more.begin(), more.end());
  }
  return places;
}

Places Cloud::place(size_t point) const {
  Places at;
  auto rest = static_cast<int64_t>(point);
  for (size_t a = over.size(); a-- > 0; rest /= shape[a]) at[over[a]] = rest % shape[a];
  return at;
}

std::optional<size_t> Cloud::point_at(const Selection& selection) const {
  size_t flat = 0;
  for (size_t a = 0; a < over.size(); ++a) {
    const auto index = selection.index(over[a]);
    if (!index || *index < 0 || *index >= shape[a]) return std::nullopt;
    flat = flat * static_cast<size_t>(shape[a]) + static_cast<size_t>(*index);
  }
  return flat;
}

}  // namespace varve
