// --max-memory as a number, and what --dry-run prints.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "analysis/estimate.h"
#include "app/console/json_text.h"
#include "app/verbs/verb.h"

namespace varve {

int64_t budget_of(const Console& console);  // bytes; 0 where none was given

// Calls `plan`, which throws Error (budget) where memory is too short. Unless --threads says how many, it is
// called again with half the threads: each holds tiles of its own, and none changes a bit.
void fit_threads(const Console& console, const std::function<void()>& plan);

Json estimate_json(const Estimate& estimate, int64_t budget);
std::string estimate_text(const Estimate& estimate, int64_t budget);

}  // namespace varve
