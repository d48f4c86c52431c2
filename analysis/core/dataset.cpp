// How arrays are kept together in a Dataset, sliced, and joined over checkpoints.
#include "analysis/core/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/core/error.h"

namespace varve {
namespace {

using Arrays = std::map<std::string, Array, std::less<>>;

std::vector<std::string> names_of(const Arrays& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) names.push_back(name);
  return names;
}

// Fails where one of `arrays`, other than `name` itself, has an axis of `fresh` with another extent.
void expect_same_extents(const Arrays& arrays, std::string_view name, const Array& fresh) {
  for (const auto& [other_name, other] : arrays) {
    if (other_name == name) continue;
    for (const std::string& axis : fresh.axes())
      if (other.axis(axis) && other.extent(axis) != fresh.extent(axis))
        fail("'{}' has {} along '{}' but '{}' has {}; arrays of one dataset share their axes", name,
             fresh.extent(axis), axis, other_name, other.extent(axis));
  }
}

bool same_arrays(const Arrays& a, const Arrays& b) {
  return std::ranges::equal(a, b, [](const auto& left, const auto& right) {
    return left.first == right.first && left.second.same_values(right.second);
  });
}

// A failed check is worse than a passed one; a residual that is not a number is worse than any number.
bool worse(const Check& a, const Check& b) {
  if (a.passed != b.passed) return !a.passed;
  if (std::isnan(a.residual) != std::isnan(b.residual)) return std::isnan(a.residual);
  return a.residual > b.residual;
}

void merge_check(std::vector<Check>& checks, const Check& check) {
  const auto known = std::ranges::find(checks, check.name, &Check::name);
  if (known == checks.end()) {
    checks.push_back(check);
    return;
  }
  const int64_t n = known->n + check.n;
  if (worse(check, *known)) *known = check;
  known->n = n;
}

void expect_alike(int64_t step, const Dataset& cell, int64_t first_step, const Dataset& first) {
  if (names_of(cell.arrays()) != names_of(first.arrays()))
    fail("step {} holds the arrays [{}] but step {} holds [{}]; only like results can be joined", step,
         fmt::join(names_of(cell.arrays()), ", "), first_step, fmt::join(names_of(first.arrays()), ", "));
  for (const auto& [name, array] : cell.arrays()) {
    const Array& wanted = first[name];
    if (array.axis("step"))
      fail("'{}' of step {} already has an axis 'step'; it cannot be joined again", name, step);
    if (array.axes() != wanted.axes() || array.dtype() != wanted.dtype())
      fail("'{}' is {} over [{}] at step {} but {} over [{}] at step {}", name, name_of(array.dtype()),
           fmt::join(array.axes(), ", "), step, name_of(wanted.dtype()), fmt::join(wanted.axes(), ", "),
           first_step);
    for (const std::string& axis : array.axes())
      if (array.extent(axis) != wanted.extent(axis))
        fail("'{}' has {} along '{}' at step {} but {} at step {}; only equal axes can be joined", name,
             array.extent(axis), axis, step, wanted.extent(axis), first_step);
  }
}

// Ticks that differ between cells belong to no single axis; the user is told.
void join_coords(const std::vector<const Dataset*>& cells, Dataset& joined) {
  std::set<std::string> axes;
  for (const Dataset* cell : cells)
    for (const auto& [axis, ticks] : cell->coords()) axes.insert(axis);
  axes.erase("step");
  for (const std::string& axis : axes) {
    const Array* first = cells.front()->coord(axis);
    const bool shared = first && std::ranges::all_of(cells, [&](const Dataset* cell) {
                          const Array* ticks = cell->coord(axis);
                          return ticks && ticks->same_values(*first);
                        });
    if (shared)
      joined.set_coord(axis, *first);
    else
      joined.notes.push_back(
          fmt::format("the ticks along '{}' differ between steps and were left out", axis));
  }
}

void join_words(const Dataset& cell, const Dataset& first, Dataset& joined) {
  for (const std::string& note : cell.notes)
    if (std::ranges::find(joined.notes, note) == joined.notes.end()) joined.notes.push_back(note);
  for (const Check& check : cell.checks) merge_check(joined.checks, check);
  joined.events.insert(joined.events.end(), cell.events.begin(), cell.events.end());
  if (&cell == &first) {
    joined.provenance = first.provenance;
    return;
  }
  // Only what holds for every cell can be said of the whole.
  std::erase_if(joined.provenance, [&cell](const auto& entry) {
    const auto here = cell.provenance.find(entry.first);
    return here == cell.provenance.end() || here->second != entry.second;
  });
}

}  // namespace

const std::vector<std::string>& house_axes() {
  static const std::vector<std::string> names = {
      "step",   "layer", "head",  "expert", "prompt", "pos",  "query", "key", "d_model",
      "d_head", "d_mlp", "vocab", "src",    "dst",    "rank", "bin",   "row", "component"};
  return names;
}

void Dataset::set(const std::string& name, Array array) {
  expect_same_extents(arrays_, name, array);
  for (const auto& [axis, ticks] : coords_)
    if (array.axis(axis) && array.extent(axis) != ticks.size())
      fail("'{}' has {} along '{}' but the axis has {} ticks", name, array.extent(axis), axis, ticks.size());
  arrays_.insert_or_assign(name, std::move(array));
}

void Dataset::set_coord(const std::string& axis, Array ticks) {
  if (ticks.axes() != std::vector<std::string>{axis})
    fail("ticks of '{}' must lie along that axis alone, but lie over [{}]", axis,
         fmt::join(ticks.axes(), ", "));
  for (const auto& [name, array] : arrays_)
    if (array.axis(axis) && array.extent(axis) != ticks.size())
      fail("{} ticks were given for '{}' but '{}' has {} along it", ticks.size(), axis, name,
           array.extent(axis));
  coords_.insert_or_assign(axis, std::move(ticks));
}

bool Dataset::has(std::string_view name) const { return arrays_.find(name) != arrays_.end(); }

const Array& Dataset::operator[](std::string_view name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end())
    fail("the array '{}' was asked for, but this dataset holds [{}]", name,
         fmt::join(names_of(arrays_), ", "));
  return found->second;
}

const Array* Dataset::coord(std::string_view axis) const {
  const auto found = coords_.find(axis);
  return found == coords_.end() ? nullptr : &found->second;
}

int64_t Dataset::extent(std::string_view axis) const {
  for (const auto& [name, array] : arrays_)
    if (array.axis(axis)) return array.extent(axis);
  if (const Array* ticks = coord(axis)) return ticks->size();
  fail("the axis '{}' was asked for, but this dataset has [{}]", axis, fmt::join(axes(), ", "));
}

bool Dataset::has_axis(std::string_view axis) const {
  return coord(axis) || std::ranges::any_of(arrays_, [axis](const auto& entry) {
           return entry.second.axis(axis).has_value();
         });
}

std::vector<std::string> Dataset::axes() const {
  std::set<std::string> all;
  for (const auto& [name, array] : arrays_) all.insert(array.axes().begin(), array.axes().end());
  for (const auto& [axis, ticks] : coords_) all.insert(axis);
  std::vector<std::string> ordered;
  for (const std::string& axis : house_axes())
    if (all.erase(axis)) ordered.push_back(axis);
  ordered.insert(ordered.end(), all.begin(), all.end());
  return ordered;
}

Dataset Dataset::at(std::string_view axis, int64_t index) const {
  const int64_t length = extent(axis);
  if (index < 0 || index >= length) fail("index {} along '{}' is outside 0 to {}", index, axis, length - 1);
  Dataset slice = *this;
  for (auto& [name, array] : slice.arrays_)
    if (array.axis(axis)) array = array.at(axis, index);
  if (const auto ticks = slice.coords_.find(axis); ticks != slice.coords_.end()) slice.coords_.erase(ticks);
  return slice;
}

bool Dataset::same_values(const Dataset& other) const {
  return same_arrays(arrays_, other.arrays_) && same_arrays(coords_, other.coords_);
}

Dataset join_steps(const std::vector<int64_t>& steps, const std::vector<const Dataset*>& cells) {
  if (steps.size() != cells.size())
    fail("{} results were to be joined at {} steps; each step needs one", cells.size(), steps.size());
  if (cells.empty()) fail("no results were given to join over steps");
  const Dataset& first = *cells.front();
  for (size_t i = 0; i < cells.size(); ++i) expect_alike(steps[i], *cells[i], steps[0], first);

  Dataset joined;
  joined.title = first.title;
  for (const auto& [name, like] : first.arrays()) {
    std::vector<Array> parts;
    parts.reserve(cells.size());
    for (const Dataset* cell : cells) parts.push_back((*cell)[name]);
    joined.set(name, Array::stack("step", parts));
  }
  joined.set_coord("step", Array({"step"}, {static_cast<int64_t>(steps.size())}, steps));
  for (const Dataset* cell : cells) join_words(*cell, first, joined);
  join_coords(cells, joined);
  return joined;
}

}  // namespace varve
