// Runs an analysis over a series: what the store holds is taken, what is missing is computed, all of it is
// published.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/store/run_store.h"

namespace varve {

struct RunRequest {
  std::string analysis;
  SettingValues settings;
  std::vector<int64_t> steps;  // empty: all of the branch
  std::string branch = "main";
  Probes probes;
  Inputs inputs;  // what the reduce reads beside the cells; they are part of its key, not of the cells'
  Compute compute = Compute::f32;
  int64_t max_memory = 0;  // bytes this process may hold at its peak; 0: as much as it takes
};

struct RunReport {
  int64_t computed = 0, cached = 0;  // cells
  bool reduce_cached = false;
  std::vector<int64_t> steps;
  std::string cells_of;                // the analysis under whose name the cells lie
  std::vector<std::string> cell_keys;  // one per step
  std::string reduce_key;  // under results/<analysis>.series/; empty where the analysis has no reduce
  Dataset result;          // the reduce, or the joined cells
  std::vector<std::string> notes;
};

// What a key is made of, as sorted name -> text; `varve why` prints it, the key is its digest.
std::map<std::string, std::string> key_parts(const Analysis& analysis, const SettingValues& normal,
                                             const CheckpointRecord& checkpoint, const Probes& probes,
                                             Compute compute);
std::string key_of(const std::map<std::string, std::string>& parts);

using CellDone =
    std::function<void(int64_t step, const std::string& key)>;  // called as cells finish or are found

// Throws Error, also where no plan keeps to max_memory, and Stopped (finished cells stay published).
RunReport run_analysis(const std::shared_ptr<RunStore>& store, const RunRequest& request, Task& task,
                       const CellDone& done = {});

// Only the cells of request.steps, nothing joined or reduced: one share of a run that several processes make.
// The report's result is empty.
RunReport compute_cells(const std::shared_ptr<RunStore>& store, const RunRequest& request, Task& task,
                        const CellDone& done = {});

}  // namespace varve
