// Subtracting results, and laying two beside each other.
#include "app/session/difference.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

bool is_uncertainty(const std::string& name) {
  constexpr std::array endings{"_low", "_high", "_noise", "_sem"};
  return std::any_of(endings.begin(), endings.end(),
                     [&name](const char* ending) { return name.ends_with(ending); });
}

bool is_real(const Array& array) { return array.dtype() == Dtype::f32 || array.dtype() == Dtype::f64; }

bool has_option(const View& view, const std::string& name) {
  return std::any_of(view.options.begin(), view.options.end(),
                     [&name](const SettingInfo& option) { return option.name == name; });
}

Dataset without_arrays(const Dataset& from, const std::string& then_name) {
  Dataset result;
  result.title = from.title + ", minus " + then_name;
  result.notes = from.notes;
  result.provenance = from.provenance;
  result.provenance.erase("key");  // it is no stored result
  result.checks = from.checks;
  for (const auto& [axis, ticks] : from.coords()) result.set_coord(axis, ticks);
  return result;
}

void set_difference(Dataset& result, const std::string& name, const Array& now, std::vector<double> values,
                    const std::string& then_name) {
  Array difference(now.axes(), now.shape(), std::move(values));
  difference.title = (now.title.empty() ? name : now.title) + ", now minus " + then_name;
  difference.unit = now.unit;
  result.set(name, std::move(difference));
}

void say_left_out(Dataset& result, bool is_left_out) {
  if (is_left_out) result.notes.push_back("intervals and noise are of each step alone and are left out");
}

}  // namespace

Dataset difference_of(const Dataset& now, const Dataset& then, const std::string& then_name) {
  Dataset result = without_arrays(now, then_name);
  bool is_left_out = false;
  for (const auto& [name, array] : now.arrays()) {
    if (is_uncertainty(name)) {
      is_left_out = true;
      continue;
    }
    if (!is_real(array) || !then.has(name)) {
      result.set(name, array);
      continue;
    }
    const Array& other = then[name];
    if (other.shape() != array.shape() || other.axes() != array.axes())
      fail("{} cannot be compared: it has another shape in {} than now. Compare results of one prompt.", name,
           then_name);
    std::vector<double> values(static_cast<size_t>(array.size()));
    for (int64_t i = 0; i < array.size(); ++i)
      values[static_cast<size_t>(i)] = array.number(i) - other.number(i);
    set_difference(result, name, array, std::move(values), then_name);
  }
  say_left_out(result, is_left_out);
  return result;
}

Dataset difference_to(const Dataset& series, int64_t place) {
  const Array* ticks = series.coord("step");
  if (!ticks || !series.has_axis("step") || place < 0 || place >= series.extent("step"))
    fail("{} cannot be set against a step: it has no axis of steps with that step", series.title);
  const std::string name_of_step = "step " + show_step(static_cast<int64_t>(ticks->number(place)));
  Dataset result = without_arrays(series, name_of_step);
  bool is_left_out = false;
  for (const auto& [name, array] : series.arrays()) {
    const auto along = array.axis("step");
    if (along && is_uncertainty(name)) {
      is_left_out = true;
      continue;
    }
    if (!along || !is_real(array)) {
      result.set(name, array);
      continue;
    }
    int64_t inner = 1;
    for (size_t i = static_cast<size_t>(*along) + 1; i < array.shape().size(); ++i) inner *= array.shape()[i];
    const int64_t outer = inner * array.extent("step");
    std::vector<double> values(static_cast<size_t>(array.size()));
    for (int64_t i = 0; i < array.size(); ++i)
      values[static_cast<size_t>(i)] =
          array.number(i) - array.number(i / outer * outer + place * inner + i % inner);
    set_difference(result, name, array, std::move(values), name_of_step);
  }
  say_left_out(result, is_left_out);
  return result;
}

bool marks_what_is_shared(const View& view) { return has_option(view, "before"); }

SettingValues options_of_difference(const View& view) {
  return has_option(view, "map") ? SettingValues{{"map", "tide"}} : SettingValues{};
}

Compared compare(const View& view, const Dataset& now, int64_t now_step, const Dataset& then,
                 int64_t then_step) {
  if (!marks_what_is_shared(view))
    return {difference_of(now, then, "step " + show_step(then_step)), options_of_difference(view)};
  Compared both{join_steps({then_step, now_step}, {&then, &now}), {{"before", "0"}}};
  both.data.provenance = now.provenance;
  both.data.provenance.erase("key");
  return both;
}

}  // namespace varve
