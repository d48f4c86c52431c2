// Two results of one analysis set against each other.
#pragma once

#include "analysis/core/dataset.h"

namespace varve {

// Every real-valued array of `now` minus the same of `then`; texts and whole numbers stay those of `now`.
// Throws Error where the two are not of the same shape, as of prompts of another length.
Dataset difference_of(const Dataset& now, const Dataset& then, const std::string& then_name);

}  // namespace varve
