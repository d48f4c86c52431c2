// Two steps of a result set against each other: now, and A that a person pinned.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/core/dataset.h"
#include "analysis/core/settings.h"
#include "viz/view.h"

namespace varve {

// `now` minus `then`, array by array; whole numbers and texts stay those of now. Intervals and noise of each
// alone say nothing of the difference and are left out. Throws Error where an array has another shape.
Dataset difference_of(const Dataset& now, const Dataset& then, const std::string& then_name);

// Every step of a result minus the one at `place` of its axis `step`.
Dataset difference_to(const Dataset& series, int64_t place);

// What a view draws of two cells.
struct Compared {
  Dataset data;
  SettingValues options;  // to be set besides
};

// A view that marks what two steps share (option `before`) gets A and now along `step`, every other view
// the difference.
bool marks_what_is_shared(const View& view);
SettingValues options_of_difference(const View& view);  // colours that part below and above zero
Compared compare(const View& view, const Dataset& now, int64_t now_step, const Dataset& then,
                 int64_t then_step);

}  // namespace varve
