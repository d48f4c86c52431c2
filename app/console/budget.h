// How much memory a forward needs at its peak, and the refusal where --max-memory is less.
#pragma once

#include <cstdint>

#include "analysis/model/forward.h"
#include "app/verbs/verb.h"

namespace varve {

// Residual streams of all prompts, the largest layer, the largest prompt's attention, the vocabulary tiles of
// every thread. An estimate to refuse by, not a promise.
int64_t peak_bytes(const ModelSpec& spec, const Probes& probes, Compute compute);

// Throws Error (budget) naming what to change; does nothing without --max-memory.
void require_budget(const Console& console, int64_t bytes);

}  // namespace varve
