// Curves along training, and how two of different spacing meet.
#include "analysis/pathways/score_curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr size_t most_curves = 2000;

bool is_companion(const std::string& name, const Dataset& data) {
  for (const std::string ending : {"_low", "_high", "_n", "_se"})
    if (name.ends_with(ending) && data.has(name.substr(0, name.size() - ending.size()))) return true;
  return false;
}

std::string item_name(const Dataset& data, const std::string& axis, int64_t item) {
  const Array* ticks = data.coord(axis);
  const std::string text = ticks ? ticks->text(item) : std::to_string(item);
  return ticks && ticks->dtype() == Dtype::text ? text : axis + " " + text;
}

void add_curves(std::vector<Curve>& curves, const Dataset& data, const std::string& name, const Array& array,
                const std::vector<int64_t>& steps) {
  const auto at = static_cast<size_t>(*array.axis("step"));
  const std::vector<int64_t>& shape = array.shape();
  int64_t others = 1;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (axis != at) others *= shape[axis];
  for (int64_t other = 0; other < others; ++other) {
    std::vector<int64_t> index(shape.size(), 0);
    int64_t rest = other;
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (axis == at) continue;
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    Curve curve{name, steps, {}};
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (axis != at) curve.name += " · " + item_name(data, array.axes()[axis], index[axis]);
    for (int64_t step = 0; step < shape[at]; ++step) {
      index[at] = step;
      curve.values.push_back(array.number(array.flat(index)));
    }
    curves.push_back(std::move(curve));
  }
}

}  // namespace

std::vector<Curve> curves_of(const Dataset& data, const std::string& glob, const std::string& what) {
  const Array* const ticks = data.coord("step");
  if (!ticks)
    fail("the {} do not say at which steps they were taken; they need a column or axis named step", what);
  std::vector<int64_t> steps;
  for (int64_t i = 0; i < ticks->size(); ++i) steps.push_back(static_cast<int64_t>(ticks->number(i)));
  for (size_t i = 1; i < steps.size(); ++i)
    if (steps[i] <= steps[i - 1]) fail("the {} have step {} after step {}", what, steps[i], steps[i - 1]);
  std::vector<Curve> curves, all;
  for (const auto& [name, array] : data.arrays()) {
    if (!array.axis("step") || array.dtype() == Dtype::text || is_companion(name, data)) continue;
    if (array.axis("prompt") || array.size() > static_cast<int64_t>(most_curves * steps.size())) continue;
    add_curves(all, data, name, array, steps);
  }
  std::vector<std::string> names;
  for (Curve& curve : all) {
    names.push_back(curve.name);
    if (glob_match(glob, curve.name)) curves.push_back(std::move(curve));
  }
  if (names.empty()) fail("the {} hold no number along step", what);
  if (curves.empty())
    fail_usage("none of the {} {} is called '{}'; did you mean '{}'?", names.size(), what, glob,
               nearest(glob, names));
  if (curves.size() > most_curves)
    fail_usage("{} {} are too many to correlate; choose some by name", curves.size(), what);
  return curves;
}

double at_step(const Curve& curve, int64_t step) {
  const auto found = std::lower_bound(curve.steps.begin(), curve.steps.end(), step);
  if (found == curve.steps.end() || *found != step) return std::numeric_limits<double>::quiet_NaN();
  return curve.values[static_cast<size_t>(found - curve.steps.begin())];
}

double last_before(const Curve& curve, int64_t step, int64_t window) {
  double sum = 0;
  int64_t count = 0;
  auto after = std::upper_bound(curve.steps.begin(), curve.steps.end(), step) - curve.steps.begin();
  while (after-- > 0 && count < window) {
    const double value = curve.values[static_cast<size_t>(after)];
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

int64_t start_of_rise(const std::vector<int64_t>& steps, const std::vector<double>& score) {
  size_t top = 0, start = 0;
  for (size_t i = 0; i < score.size(); ++i)
    if (std::isfinite(score[i]) && (!std::isfinite(score[top]) || score[i] > score[top])) top = i;
  for (size_t i = 0; i < top; ++i)
    if (std::isfinite(score[i]) && (!std::isfinite(score[start]) || score[i] <= score[start])) start = i;
  return steps.empty() ? 0 : steps[start];
}

}  // namespace varve
