// What a result is made of, without its numbers: arrays with axes and units, checks, provenance.
#pragma once

#include <string>

#include "analysis/core/dataset.h"
#include "app/console/json_text.h"

namespace varve {

std::string result_info_text(const Dataset& data);
Json result_info_json(const Dataset& data);

}  // namespace varve
