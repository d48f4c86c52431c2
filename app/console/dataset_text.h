// A Dataset for people to read in a terminal: a table over the steps, then what else it holds.
#pragma once

#include <string>

#include "analysis/core/dataset.h"

namespace varve {

std::string dataset_text(const Dataset& data);

}  // namespace varve
