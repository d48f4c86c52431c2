// Subtracting results.
#include "app/session/difference.h"

#include <utility>
#include <vector>

#include "analysis/core/error.h"

namespace varve {

Dataset difference_of(const Dataset& now, const Dataset& then, const std::string& then_name) {
  Dataset result;
  result.title = now.title + ", minus " + then_name;
  result.notes = now.notes;
  result.provenance = now.provenance;
  result.provenance.erase("key");  // it is no stored result
  result.checks = now.checks;
  for (const auto& [axis, ticks] : now.coords()) result.set_coord(axis, ticks);
  for (const auto& [name, array] : now.arrays()) {
    const bool is_real = array.dtype() == Dtype::f32 || array.dtype() == Dtype::f64;
    if (!is_real || !then.has(name)) {
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
    Array difference(array.axes(), array.shape(), std::move(values));
    difference.title = (array.title.empty() ? name : array.title) + ", now minus " + then_name;
    difference.unit = array.unit;
    result.set(name, std::move(difference));
  }
  return result;
}

}  // namespace varve
