// What a run would do, decided before anything is computed.
#include "analysis/run_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/ranges.h>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

std::vector<int64_t> steps_of_branch(const SeriesRecord& series, const std::string& branch) {
  std::vector<int64_t> steps;
  std::set<std::string> branches;
  for (const CheckpointRecord& checkpoint : series.checkpoints) {
    branches.insert(checkpoint.branch);
    if (checkpoint.branch == branch) steps.push_back(checkpoint.step);
  }
  if (steps.empty())
    fail("the store has no branch '{}'; it has: {}.", branch,
         fmt::join(branches.begin(), branches.end(), ", "));
  return steps;
}

void choose_cells(RunPlan& plan) {
  plan.cells = plan.analysis->cells_of.empty() ? plan.analysis : &analyses().get(plan.analysis->cells_of);
  for (const SettingInfo& one : plan.cells->settings)
    plan.cell_settings[one.name] = plan.settings.at(one.name);
  plan.report.cells_of = plan.cells->name;
}

}  // namespace

const CheckpointRecord& checkpoint_at(const SeriesRecord& series, const std::string& branch, int64_t step) {
  for (const CheckpointRecord& checkpoint : series.checkpoints)
    if (checkpoint.branch == branch && checkpoint.step == step) return checkpoint;
  fail("branch '{}' has no checkpoint at step {}. `varve info` lists the steps there are.", branch, step);
}

RunPlan plan_run(const SeriesRecord& series, const RunRequest& request) {
  RunPlan plan;
  plan.analysis = &analyses().get(request.analysis);
  plan.settings = normalise(plan.analysis->settings, request.settings, "analysis " + request.analysis);
  check_inputs(*plan.analysis, request.inputs);
  choose_cells(plan);
  if (!makes_cells(*plan.analysis, request.inputs)) return plan;
  if (plan.analysis->needs_probes && request.probes.prompts.empty())
    fail_usage("analysis {} needs prompts: give --text, --tokens or --probes.", request.analysis);
  plan.report.steps = request.steps.empty() ? steps_of_branch(series, request.branch) : request.steps;
  for (const int64_t step : plan.report.steps) {
    const CheckpointRecord& checkpoint = checkpoint_at(series, request.branch, step);
    if (plan.analysis->needs_probes) {
      const ModelSpec spec = spec_from_json(checkpoint.spec);
      check_probes(request.probes, spec.vocab, spec.context);
    }
    std::map<std::string, std::string> parts =
        key_parts(*plan.cells, plan.cell_settings, checkpoint, request.probes, request.compute);
    const std::string key = key_of(parts);
    plan.report.cell_keys.push_back(key);
    plan.parts.emplace(key, std::move(parts));
  }
  return plan;
}

std::vector<int64_t> missing_steps(const RunStore* store, const RunPlan& plan) {
  std::vector<int64_t> missing;
  std::set<std::string> seen;
  for (size_t i = 0; i < plan.report.steps.size(); ++i) {
    const std::string& key = plan.report.cell_keys[i];
    const bool there = store && store->has_result(plan.cells->name, key);
    if (!there && seen.insert(key).second) missing.push_back(plan.report.steps[i]);
  }
  return missing;
}

MemoryNeed memory_need(const RunStore* store, const RunPlan& plan, const RunRequest& request,
                       const CheckpointRecord& checkpoint) {
  const ModelSpec spec = spec_from_json(checkpoint.spec);
  MemoryNeed need;
  need.checkpoint = &checkpoint;
  need.store = store;
  need.probes = &request.probes;
  need.compute = request.compute;
  need.steps = static_cast<int64_t>(plan.report.steps.size());
  if (plan.cells->cost) {
    need.cost = plan.cells->cost(spec, plan.cell_settings, request.probes, request.compute);
  } else {
    // An analysis that does not say: as much as one that keeps the stream of every layer.
    need.cost.kept_per_token = (spec.layers + 1) * spec.d_model * (request.compute == Compute::f64 ? 8 : 4);
  }
  const bool reads_part = has_reduce(*plan.analysis) && !plan.analysis->reduce_reads.empty();
  if (!reads_part) need.cost.reduced_per_place = need.cost.result_per_place;
  return need;
}

std::map<std::string, std::string> key_parts(const Analysis& analysis, const SettingValues& normal,
                                             const CheckpointRecord& checkpoint, const Probes& probes,
                                             Compute compute) {
  return {{"analysis", analysis.name},
          {"version", std::to_string(analysis.version)},
          {"settings", nlohmann::json(normal).dump()},
          {"probes", analysis.needs_probes ? probes.digest() : "none"},
          {"weights", checkpoint.digest},
          {"compute", name_of(compute)}};
}

std::string key_of(const std::map<std::string, std::string>& parts) {
  Digest digest;
  for (const auto& [name, value] : parts) {
    digest.add(std::string_view(name));
    digest.add(std::string_view(value));
  }
  return digest.hex();
}

}  // namespace varve
