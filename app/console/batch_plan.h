// What a batch will do, decided before anything is computed: its runs, and which cells are this process's
// share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "analysis/estimate.h"
#include "analysis/run_plan.h"
#include "app/console/batch_recipe.h"

namespace varve {

// One of several processes that make a batch together. Every cell belongs to exactly one of them.
struct Shard {
  int64_t index = 0, count = 1;
};
// "2/8". Counted from 1 or from 0, as the caller likes: 8/8 and 0/8 are the same share. Throws Error (usage).
Shard parse_shard(const std::string& text);

// Checkpoints that runs are planned on: those of a store, and in a dry run those an import would add to it.
struct BatchSeries {
  std::shared_ptr<RunStore> store;  // nullptr where an import is to make it
  SeriesRecord series;
  std::shared_ptr<const Weights> sample;  // of one checkpoint still to be imported
};
struct ImportCost {
  int64_t checkpoints = 0;  // that the store does not hold
  int64_t bytes = 0;        // of their weights
  std::vector<CheckpointRecord> records;
  std::shared_ptr<const Weights> sample;
  std::string tokenizer;
};
// Looks at the tables of the source's files alone; a checkpoint the store has is taken for the same one.
ImportCost cost_of(const ImportRequest& request);

struct BatchRun {
  RunWords words;
  RunRequest request;  // its inputs are named and not read yet
  RunPlan plan;
  std::vector<int64_t> own_steps;  // whose cells are this process's share
  std::set<size_t> after;          // earlier runs whose outputs it reads
};

using SeriesByStore = std::map<std::filesystem::path, BatchSeries>;
// Every store the runs name. `imports`: what is still to be imported, in the recipe's order.
SeriesByStore series_of(const BatchRecipe& recipe, const std::vector<ImportCost>& imports);

// Throws Error naming the run that cannot be as it is asked for.
std::vector<BatchRun> plan_batch(const BatchRecipe& recipe, const SeriesByStore& series, Shard shard,
                                 const Console& console);

// What this process's share of the run would cost. Throws Error (budget) as the run itself would.
Estimate estimate_share(const BatchRun& run, const BatchSeries& series);

// Does the work and puts "run 2 (logit-lens): " before what an error says.
void as_run(size_t number, const std::string& analysis, const std::function<void()>& work);

}  // namespace varve
