// NumPy files and logs as tables.
#pragma once

#include <string>

#include "analysis/core/dataset.h"

namespace varve {

// Numeric arrays become f64 or i64, text stays text. An array `steps` (or `step`) as long as another's first
// axis is that axis' coordinate `step`; an integer array X beside texts X_names becomes those texts.
Dataset read_numpy_table(const std::string& path);

// A log's axis `row` with its steps as the axis `step`; of several rows at one step the last that has a
// number counts.
Dataset rows_as_steps(const Dataset& log);

// That array alone, with its intervals and the coordinates it lies along.
Dataset chosen_array(const Dataset& data, const std::string& name);

}  // namespace varve
