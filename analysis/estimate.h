// What a run or a trace would cost before it is begun: bytes to read, arithmetic, memory, time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/memory_plan.h"
#include "analysis/run.h"

namespace varve {

// Measured where the work will run, in a few tens of milliseconds.
struct MachineSpeed {
  double flops = 0;       // multiplications and additions a second, all threads, single precision
  double read_bytes = 0;  // a second: from the disk, or from memory where the system still holds the file
};
MachineSpeed measure_speed(const RunStore& store, const CheckpointRecord& sample);
MachineSpeed measure_speed(const Weights& weights);

struct Estimate {
  int64_t cells_cached = 0, cells_to_compute = 0;
  int64_t passes = 0;         // over the weights, for one cell
  int64_t bytes_to_read = 0;  // of weights, in all
  double flops = 0;           // in all
  int64_t peak_bytes = 0;     // everything the process holds counted
  double seconds = 0;
  MachineSpeed speed;
};

// One forward that shows the sites of blocks up to `last_layer` (spec.layers: the output too).
double forward_flops(const CheckpointRecord& checkpoint, const Probes& probes, int64_t last_layer);
int64_t forward_bytes(const CheckpointRecord& checkpoint, const Probes& probes, int64_t last_layer);

// Reading ahead and computing at once: the slower of the two decides.
double seconds_of(double flops, int64_t bytes, const MachineSpeed& speed);

// How a run would use memory, with the threads there are now; no blocks where all its cells are in the store.
// Throws Error (budget) where it cannot keep to request.max_memory.
MemoryPlan plan_run_memory(const RunStore& store, const RunRequest& request);

// Throws Error (budget) as the run itself would. Nothing is computed and nothing is kept.
Estimate estimate_run(const RunStore& store, const RunRequest& request);

// The same for a series that is still to be imported, in part at least: reading is measured on `sample`, the
// weights of one of its checkpoints. `store` may be nullptr.
Estimate estimate_run(const SeriesRecord& series, const RunStore* store, const Weights& sample,
                      const RunRequest& request);

}  // namespace varve
