// What a run would do, decided before anything is computed: cells, their keys, and how memory is used.
#pragma once

#include <map>
#include <string>

#include "analysis/memory_plan.h"
#include "analysis/run.h"

namespace varve {

struct RunPlan {
  const Analysis* analysis = nullptr;
  SettingValues settings;
  const Analysis* cells = nullptr;  // the analysis that makes the cells; mostly the same
  SettingValues cell_settings;      // the part of the settings that it declares
  RunReport report;
  std::map<std::string, std::map<std::string, std::string>> parts;  // by key
};

const CheckpointRecord& checkpoint_at(const SeriesRecord& series, const std::string& branch, int64_t step);

// Throws Error where a step, a setting or a prompt is not as it must be.
RunPlan plan_run(const SeriesRecord& series, const RunRequest& request);

// Steps of the cells that the store lacks, each key once. nullptr: there is no store yet, it lacks them all.
std::vector<int64_t> missing_steps(const RunStore* store, const RunPlan& plan);

// What computing one of these cells takes; `request` and `checkpoint` must stay. `store` may be nullptr where
// the checkpoint lies outside of one.
MemoryNeed memory_need(const RunStore* store, const RunPlan& plan, const RunRequest& request,
                       const CheckpointRecord& checkpoint);

}  // namespace varve
