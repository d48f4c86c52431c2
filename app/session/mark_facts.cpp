// Reading one mark of a result.
#include "app/session/mark_facts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "viz/choice.h"

namespace varve {

namespace {

constexpr size_t most_numbers = 14;

// Axes that a mark may have, the outermost first.
constexpr const char* mark_axes[] = {"layer", "head",   "expert", "pos",    "query",
                                     "key",   "sample", "prompt", "feature"};

std::string word_of(const std::string& axis) { return axis == "pos" ? "position" : axis; }

bool is_of_mark(const Array& array, const Selection& mark) {
  return is_numeric(array) && !array.axes().empty() &&
         std::all_of(array.axes().begin(), array.axes().end(),
                     [&mark](const std::string& axis) { return axis == "step" || mark.index(axis); }) &&
         std::any_of(array.axes().begin(), array.axes().end(),
                     [](const std::string& axis) { return axis != "step"; });
}

double number_at(const Array& array, const Dataset& data, const Selection& place) {
  Places ignored;
  const Array one = arranged(array, {}, data, {}, place, ignored);
  return one.size() == 1 ? one.number(0) : NAN;
}

// The newest place of `series` that is no later than the step.
std::optional<int64_t> place_of(const Dataset& series, int64_t step) {
  const Array* ticks = series.coord("step");
  if (!ticks || !is_numeric(*ticks) || !series.has_axis("step")) return std::nullopt;
  std::optional<int64_t> place;
  for (int64_t i = 0; i < ticks->size(); ++i)
    if (ticks->number(i) <= static_cast<double>(step)) place = i;
  return place;
}

Fact fact_of(const Dataset& data, const std::string& name, const Selection& place) {
  const Array& array = data[name];
  const double value = number_at(array, data, place);
  Fact fact{.name = name, .value = shown(value)};
  std::replace(fact.name.begin(), fact.name.end(), '_', ' ');
  const bool is_told = !array.unit.empty() && array.unit.size() <= 8 && array.unit != "share";
  if (is_told && std::isfinite(value)) fact.value += " " + array.unit;
  const Array *low = companion(data, name, "low"), *high = companion(data, name, "high");
  if (low && high) {
    const double from = number_at(*low, data, place), to = number_at(*high, data, place);
    if (std::isfinite(from) && std::isfinite(to)) fact.interval = shown(from) + " – " + shown(to);
  }
  for (const char* floor : {"chance", "floor", "noise"})
    if (const Array* least = companion(data, name, floor)) {
      const double limit = number_at(*least, data, place);
      const double size = std::string(floor) == "noise" ? std::abs(value) : value;
      if (std::isfinite(limit) && std::isfinite(size) && size > limit) fact.tone = Fact::Tone::good;
    }
  return fact;
}

std::string leading(const ViewContent& content, const std::vector<std::string>& names) {
  const auto asked = content.options.find("array");
  const std::string array =
      asked == content.options.end() ? "" : asked->second.substr(0, asked->second.find(','));
  const auto first = content.data->provenance.find("leading_array");
  for (const std::string& name : {array, first == content.data->provenance.end() ? "" : first->second})
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
  return names.empty() ? "" : names.front();
}

std::optional<Course> course_of(const Dataset& series, const std::string& name, const Selection& mark) {
  const Array* ticks = series.coord("step");
  if (name.empty() || !series.has(name) || !ticks || !series[name].axis("step") || ticks->size() < 2)
    return std::nullopt;
  if (!is_of_mark(series[name], mark)) return std::nullopt;
  const auto along = [&](const Array* array) {
    Places ignored;
    return array && array->axis("step") ? numbers_of(arranged(*array, {"step"}, series, {}, mark, ignored))
                                        : std::vector<double>();
  };
  Course course{.title = title_of(series, name),
                .steps = {},
                .value = along(&series[name]),
                .low = along(companion(series, name, "low")),
                .high = along(companion(series, name, "high"))};
  for (int64_t i = 0; i < ticks->size(); ++i) course.steps.push_back(static_cast<int64_t>(ticks->number(i)));
  return course;
}

// Another run of the analysis has another number at that step.
bool is_same_run(const Dataset& series, const ViewContent& content, const std::string& name) {
  if (&series == content.data.get()) return true;
  const auto place = place_of(series, content.step);
  if (!place || !series.has(name) ||
      series.coord("step")->number(*place) != static_cast<double>(content.step))
    return false;
  Selection there = content.selection;
  there.at["step"] = *place;
  if (!is_of_mark(series[name], there)) return false;
  const double ours = number_at((*content.data)[name], *content.data, content.selection),
               theirs = number_at(series[name], series, there);
  return ours == theirs || (std::isnan(ours) && std::isnan(theirs));
}

std::vector<Fact> origin_of(const ViewContent& content) {
  std::vector<Fact> origin;
  if (!content.key.empty())
    origin.push_back(
        {.name = "result", .value = content.analysis + " / " + content.key.substr(0, 8), .mono = true});
  for (const Check& check : content.data->checks)
    origin.push_back({.name = check.name,
                      .value = !check.passed         ? "broken, " + show_number(check.residual)
                               : check.residual == 0 ? "exact, n = " + show_count(check.n)
                                                     : "within " + show_number(check.residual),
                      .tone = check.passed ? Fact::Tone::good : Fact::Tone::bad});
  const auto compute = content.data->provenance.find("compute");
  if (compute != content.data->provenance.end())
    origin.push_back({.name = "computed in", .value = compute->second});
  return origin;
}

}  // namespace

std::optional<MarkFacts> facts_of_tip(const ViewContent& content, const std::string& tip) {
  if (!content.data || tip.empty()) return std::nullopt;
  MarkFacts facts;
  for (const std::string& row : split(tip, '\n')) {
    const size_t tab = row.find('\t');
    if (facts.heading.empty())
      facts.heading = row.substr(0, tab);
    else if (!row.empty())
      facts.numbers.push_back(
          {.name = row.substr(0, tab), .value = tab == std::string::npos ? "" : row.substr(tab + 1)});
  }
  facts.under = content.analysis;
  facts.origin = origin_of(content);
  return facts;
}

std::string mark_name(const Dataset& data, const Selection& selection) {
  std::vector<std::string> parts;
  const auto layer = selection.index("layer"), head = selection.index("head");
  if (layer && head && data.has_axis("layer") && data.has_axis("head"))
    parts.push_back("Head L" + name_at(data, "layer", *layer) + "H" + name_at(data, "head", *head));
  for (const char* axis : mark_axes) {
    const auto index = selection.index(axis);
    const bool is_said = !parts.empty() && parts.front().rfind("Head", 0) == 0 &&
                         (std::string(axis) == "layer" || std::string(axis) == "head");
    if (!index || !data.has_axis(axis) || is_said) continue;
    std::string part = word_of(axis) + " " + name_at(data, axis, *index);
    if (parts.empty()) part[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(part[0])));
    parts.push_back(std::move(part));
  }
  std::string name;
  for (const std::string& part : parts) name += (name.empty() ? "" : " · ") + part;
  return name;
}

std::optional<MarkFacts> mark_facts(const ViewContent& content, const Dataset* series,
                                    std::optional<int64_t> pin) {
  if (!content.data) return std::nullopt;
  const Dataset& data = *content.data;
  MarkFacts facts;
  facts.heading = mark_name(data, content.selection);
  if (facts.heading.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, array] : data.arrays())
    if (!is_companion(data, name) && is_of_mark(array, content.selection)) names.push_back(name);
  if (names.empty()) return std::nullopt;
  const std::string first = leading(content, names);
  // What was fitted to it or taken of it comes next.
  std::stable_partition(names.begin(), names.end(),
                        [&first](const std::string& name) { return name.starts_with(first + "_"); });
  std::stable_partition(names.begin(), names.end(),
                        [&first](const std::string& name) { return name == first; });
  const bool has_steps = data.has_axis("step");
  const Array* ticks = data.coord("step");
  int64_t of = content.step;
  if (const auto place = content.selection.index("step");
      has_steps && ticks && place && *place < ticks->size())
    of = static_cast<int64_t>(ticks->number(*place));
  facts.under = content.analysis + (of >= 0 ? ", step " + show_step(of) : "");
  if (series && !is_same_run(*series, content, first)) series = nullptr;
  Selection then = content.selection;
  const auto pinned = series && pin ? place_of(*series, *pin) : std::nullopt;
  if (pinned) then.at["step"] = *pinned;
  for (const std::string& name : names) {
    if (facts.numbers.size() == most_numbers) {
      facts.numbers.push_back(
          {.name = fmt::format("and {} more", names.size() - most_numbers), .value = "Show as table"});
      break;
    }
    Fact fact = fact_of(data, name, content.selection);
    if (pinned && series->has(name) && (*series)[name].axis("step") && is_of_mark((*series)[name], then))
      fact.at_pin = shown(number_at((*series)[name], *series, then));
    facts.numbers.push_back(std::move(fact));
  }
  if (series) facts.course = course_of(*series, first, content.selection);
  facts.origin = origin_of(content);
  return facts;
}

}  // namespace varve
