// How a forward and what reads it are cut into blocks of prompts, so that a promised amount of memory is
// enough.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/model/forward.h"
#include "analysis/store/run_store.h"

namespace varve {

// What an analysis needs beside the forward it reads. "Place": one position of one prompt, padded prompts
// counted.
struct CellCost {
  double flops = 0;               // for all prompts
  int64_t kept_per_token = 0;     // bytes held for each token of a block until the block has been read
  int64_t scratch = 0;            // bytes of the work on a block that has been read
  int64_t frugal_scratch = -1;    // the same where memory is short (Weights::frugal); -1: no less
  int64_t result_per_place = 0;   // bytes of the finished result
  int64_t reduced_per_place = 0;  // bytes of it that the reduce reads
};

struct PromptBlock {
  int64_t first = 0, count = 0;
};

struct MemoryPlan {
  std::vector<PromptBlock> blocks;  // each is one pass over the weights
  bool frugal = false;              // buffers and pages are given back between uses, at some cost in time
  int64_t peak = 0;                 // bytes, everything the process holds counted
};

// Everything that decides the peak.
struct MemoryNeed {
  const CheckpointRecord* checkpoint = nullptr;
  const RunStore* store = nullptr;  // that holds it, if one does
  const Probes* probes = nullptr;
  Compute compute = Compute::f32;
  CellCost cost = {};
  int64_t steps = 1;  // whose results are joined at the end
  int64_t largest_site =
      0;  // bytes of the largest array of one prompt that is made only to be shown: patterns, logits
};

// The plan with the fewest passes that stays within `budget` bytes; 0: no budget, one pass. Throws Error
// (budget) naming what to change where no plan does.
MemoryPlan plan_memory(const MemoryNeed& need, int64_t budget);

Probes prompts_of(const Probes& probes, const PromptBlock& block);

}  // namespace varve
