// What scoring edges and running circuits takes, before it is begun.
#pragma once

#include <cstdint>

#include "analysis/circuits/edge_scores.h"
#include "analysis/memory_plan.h"

namespace varve {

// `tables`: arrays of doubles [source, destination] that are held for the result; `runs`: circuits that are
// run for every pair.
CellCost edge_cost(const ModelSpec& spec, const Probes& probes, Compute compute, const EdgePlan& plan,
                   int64_t tables, int64_t runs);

}  // namespace varve
