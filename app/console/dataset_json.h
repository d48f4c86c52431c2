// A Dataset as JSON: {title, arrays: {name: {axes, shape, unit, title, values}}, coords, checks, notes ...}.
#pragma once

#include "analysis/core/dataset.h"
#include "app/console/json_text.h"

namespace varve {

// Values lie flat in row-major order; what is not finite is null.
Json to_json(const Dataset& data);

}  // namespace varve
