// The one currency: a bag of named arrays that share named axes, with coordinates, notes, provenance and
// proof.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/core/array.h"

namespace varve {

// One identity or statistic that was verified when the result was made.
struct Check {
  std::string name;     // "last layer = model output"
  double residual = 0;  // worst found
  double limit = 0;     // largest allowed
  int64_t n = 0;        // how many values were compared
  bool passed = true;
  std::string detail;
};

// Something that happened along the step axis, and the rule that found it.
struct Event {
  int64_t step = 0;
  std::string label;
  std::string rule;
};

class Dataset {
 public:
  // Throws Error where a shared axis has another extent here than elsewhere in the Dataset.
  void set(const std::string& name, Array array);
  // Tick values of an axis: a 1-d array along `axis`. Default coordinate: 0, 1, 2 ...
  void set_coord(const std::string& axis, Array ticks);

  bool has(std::string_view name) const;
  const Array& operator[](std::string_view name) const;  // throws Error naming the arrays there are
  const std::map<std::string, Array, std::less<>>& arrays() const { return arrays_; }
  const std::map<std::string, Array, std::less<>>& coords() const { return coords_; }
  const Array* coord(std::string_view axis) const;  // nullptr where none was set
  int64_t extent(std::string_view axis) const;      // throws Error where no array has it
  bool has_axis(std::string_view axis) const;
  std::vector<std::string> axes() const;  // in house order: step layer head expert prompt pos ...

  Dataset at(std::string_view axis, int64_t index) const;  // every array that has the axis, sliced there
  bool same_values(const Dataset& other) const;            // arrays and coordinates, bit for bit

  std::string title;
  std::vector<std::string> notes;
  std::map<std::string, std::string>
      provenance;  // analysis, version, settings (JSON), key, probe digest, compute ...
  std::vector<Check> checks;
  std::vector<Event> events;

 private:
  std::map<std::string, Array, std::less<>> arrays_;
  std::map<std::string, Array, std::less<>> coords_;
};

// Cells joined along a new first axis `step` (i64 coordinate). Cells must hold the same array names; where an
// axis differs in extent between cells that is an Error. Notes are merged, checks keep the worst residual of
// each name.
Dataset join_steps(const std::vector<int64_t>& steps, const std::vector<const Dataset*>& cells);

const std::vector<std::string>& house_axes();  // the fixed list of axis names, in house order

}  // namespace varve
