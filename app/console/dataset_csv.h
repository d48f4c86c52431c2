// A Dataset as CSV in long form: one row for each place of the axes, one column for each axis and array.
#pragma once

#include <string>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

std::string csv_field(const std::string& text);  // quoted where it must be

// Arrays whose names match one of `globs` (all where empty). Arrays with the same axes share rows; where axes
// differ, later rows fill other columns and leave the rest empty. Numbers are printed in full.
std::string to_csv(const Dataset& data, const std::vector<std::string>& globs);

}  // namespace varve
