// An analysis: a pure map over checkpoints (one cell each) and, where it needs more, a reduce over the
// series.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/catalog.h"
#include "analysis/core/dataset.h"
#include "analysis/core/settings.h"
#include "analysis/core/task.h"
#include "analysis/inputs.h"
#include "analysis/memory_plan.h"
#include "analysis/study.h"

namespace varve {

// One cell being computed: sees its sites as the forward streams by, then hands its Dataset over.
class Cell : public SiteReader {
 public:
  // All sites of prompts [first, first + count) have been seen. A forward may go through the prompts block by
  // block; what was kept of a block can be worked up and let go here.
  virtual void prompts_read(int64_t first, int64_t count, Task& task) {
    (void)first, (void)count, (void)task;
  }
  virtual Dataset finish(Task& task) = 0;
};

struct Analysis {
  std::string name;     // "logit-lens"
  std::string summary;  // one line for lists
  std::string help;     // formulas, paper, an example command
  int version = 1;      // raise where results change; old keys then miss
  std::vector<SettingInfo> settings;
  bool needs_probes = true;
  // map: must not keep a reference to `values`.
  std::function<std::unique_ptr<Cell>(const Study& study, const SettingValues& values)> begin;
  // reduce: cells joined along `step`; empty where the joined cells are the result.
  std::function<Dataset(const Dataset& joined, const SettingValues& values, Task& task)> reduce;
  std::vector<std::string> reduce_reads;  // the arrays it reads; empty: all
  // The analysis whose cells the reduce reads, so that nothing is computed twice; empty: its own. `settings`
  // then holds those of that analysis too, and `begin` is its.
  std::string cells_of;
  // Tables and results of others that the reduce reads; then reduce_with takes the place of reduce. Without
  // `begin`, or where an input stands in for the cells, `joined` is empty.
  std::vector<InputInfo> inputs;
  std::function<Dataset(const Dataset& joined, const Inputs& inputs, const SettingValues& values, Task& task)>
      reduce_with;
  std::vector<std::string> file_settings;  // settings that name a file: its content is part of the key too
  // What a cell takes beside its forward; empty: about what keeping every layer's stream takes.
  std::function<CellCost(const ModelSpec& spec, const SettingValues& values, const Probes& probes,
                         Compute compute)>
      cost;
};

bool has_reduce(const Analysis& analysis);
// False where the reduce needs nothing but its inputs: no checkpoint is read and no prompt is needed.
bool makes_cells(const Analysis& analysis, const Inputs& inputs);
// Throws Error (usage) for an input nobody declared and for one that is needed and missing.
void check_inputs(const Analysis& analysis, const Inputs& inputs);

using AnalysisCatalog = Catalog<Analysis>;

// The shelf: calls add_<stem>(AnalysisCatalog&) for each file of analysis/catalog (generated).
void add_all_analyses(AnalysisCatalog& catalog);
const AnalysisCatalog& analyses();

}  // namespace varve
