// The runner: finds which cells the store lacks, computes them checkpoint by checkpoint with one forward for
// all of them, publishes each as it finishes, then reduces over the series.
#include "analysis/run.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "analysis/core/digest.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

std::string settings_json(const SettingValues& values) { return nlohmann::json(values).dump(); }

const CheckpointRecord& checkpoint_at(const RunStore& store, const std::string& branch, int64_t step) {
  for (const CheckpointRecord& checkpoint : store.series().checkpoints)
    if (checkpoint.branch == branch && checkpoint.step == step) return checkpoint;
  fail("branch '{}' has no checkpoint at step {}. `varve info` lists the steps there are.", branch, step);
}

std::vector<int64_t> steps_of_branch(const RunStore& store, const std::string& branch) {
  std::vector<int64_t> steps;
  std::set<std::string> branches;
  for (const CheckpointRecord& checkpoint : store.series().checkpoints) {
    branches.insert(checkpoint.branch);
    if (checkpoint.branch == branch) steps.push_back(checkpoint.step);
  }
  if (steps.empty())
    fail("the store has no branch '{}'; it has: {}.", branch,
         fmt::join(branches.begin(), branches.end(), ", "));
  return steps;
}

// Every result carries the ids it was made from: tokens [prompt, pos] (-1 after the end), lengths,
// token_text.
void add_probe_ids(Dataset& result, const Study& study) {
  const std::vector<std::vector<int64_t>>& prompts = study.probes().prompts;
  const int64_t count = static_cast<int64_t>(prompts.size());
  const int64_t longest = study.probes().longest();
  std::vector<int64_t> ids(static_cast<size_t>(count * longest), -1);
  std::vector<std::string> words(ids.size());
  std::vector<int64_t> lengths;
  for (int64_t p = 0; p < count; ++p) {
    const std::vector<int64_t>& prompt = prompts[static_cast<size_t>(p)];
    lengths.push_back(static_cast<int64_t>(prompt.size()));
    for (size_t i = 0; i < prompt.size(); ++i) {
      ids[static_cast<size_t>(p * longest) + i] = prompt[i];
      words[static_cast<size_t>(p * longest) + i] = study.piece(prompt[i]);
    }
  }
  result.set("tokens", Array({"prompt", "pos"}, {count, longest}, std::move(ids)));
  result.set("token_text", Array({"prompt", "pos"}, {count, longest}, std::move(words)));
  result.set("lengths", Array({"prompt"}, {count}, std::move(lengths)));
}

void add_provenance(Dataset& result, const std::map<std::string, std::string>& parts, const std::string& key,
                    const RunRequest& request) {
  result.provenance["key"] = key;
  result.provenance["key_parts"] = nlohmann::json(parts).dump();
  result.provenance["analysis"] = request.analysis;
  result.provenance["version"] = parts.at("version");
  result.provenance["settings"] = parts.at("settings");
  result.provenance["compute"] = name_of(request.compute);
  result.provenance["probes"] = request.probes.name;
  result.provenance["weights_processing"] = "raw: nothing folded, nothing centred";
  result.provenance["varve"] = VARVE_VERSION;
}

struct Plan {
  const Analysis* analysis = nullptr;
  SettingValues settings;
  RunReport report;
  std::map<std::string, std::map<std::string, std::string>> parts;  // by key
};

Plan plan_run(const RunStore& store, const RunRequest& request) {
  Plan plan;
  plan.analysis = &analyses().get(request.analysis);
  plan.settings = normalise(plan.analysis->settings, request.settings, "analysis " + request.analysis);
  if (plan.analysis->needs_probes && request.probes.prompts.empty())
    fail_usage("analysis {} needs prompts: give --text, --tokens or --probes.", request.analysis);
  plan.report.steps = request.steps.empty() ? steps_of_branch(store, request.branch) : request.steps;
  for (const int64_t step : plan.report.steps) {
    const CheckpointRecord& checkpoint = checkpoint_at(store, request.branch, step);
    if (plan.analysis->needs_probes) {
      const ModelSpec spec = spec_from_json(checkpoint.spec);
      check_probes(request.probes, spec.vocab, spec.context);
    }
    std::map<std::string, std::string> parts =
        key_parts(*plan.analysis, plan.settings, checkpoint, request.probes, request.compute);
    const std::string key = key_of(parts);
    plan.report.cell_keys.push_back(key);
    plan.parts.emplace(key, std::move(parts));
  }
  return plan;
}

Dataset compute_cell(const std::shared_ptr<RunStore>& store, const RunRequest& request, const Plan& plan,
                     const CheckpointRecord& checkpoint, const std::shared_ptr<const Probes>& probes,
                     const std::shared_ptr<const Tokenizer>& tokenizer, Task task) {
  const Study study(store, checkpoint, probes, tokenizer, request.compute);
  const std::unique_ptr<Cell> cell = plan.analysis->begin(study, plan.settings);
  SiteReader* const readers[] = {cell.get()};
  Task reading = task.part(0, 0.6);
  if (plan.analysis->needs_probes)
    forward(study.weights(), study.probes(), request.compute, readers, reading);
  Task finishing = task.part(0.6, 1);
  Dataset result = cell->finish(finishing);
  if (plan.analysis->needs_probes) add_probe_ids(result, study);
  if (checkpoint.nonfinite > 0)
    result.notes.push_back(fmt::format("The weights of step {} hold {} entries that are not finite.",
                                       checkpoint.step, checkpoint.nonfinite));
  return result;
}

std::string reduce_key_of(const Plan& plan) {
  std::map<std::string, std::string> parts{{"analysis", plan.analysis->name + ".series"},
                                           {"version", std::to_string(plan.analysis->version)},
                                           {"settings", settings_json(plan.settings)}};
  std::string cells;
  for (size_t i = 0; i < plan.report.steps.size(); ++i)
    cells += fmt::format("{}:{} ", plan.report.steps[i], plan.report.cell_keys[i]);
  parts["cells"] = cells;
  return key_of(parts);
}

Dataset load(const RunStore& store, const std::string& analysis, const std::string& key) {
  std::optional<Dataset> found = store.result(analysis, key);
  if (!found) fail("result {}/{} vanished while it was being read. Run again.", analysis, key);
  return std::move(*found);
}

// The reduce, from the store where it is there.
void finish_series(const std::shared_ptr<RunStore>& store, const RunRequest& request, Plan& plan, Task task) {
  RunReport& report = plan.report;
  const std::string series_name = plan.analysis->name + ".series";
  if (plan.analysis->reduce) {
    report.reduce_key = reduce_key_of(plan);
    if (store->has_result(series_name, report.reduce_key)) {
      report.reduce_cached = true;
      report.result = load(*store, series_name, report.reduce_key);
      return;
    }
  }
  std::map<std::string, Dataset> cells;
  std::vector<const Dataset*> in_order;
  for (const std::string& key : report.cell_keys) {
    auto found = cells.find(key);
    if (found == cells.end()) found = cells.emplace(key, load(*store, plan.analysis->name, key)).first;
    in_order.push_back(&found->second);
  }
  report.result = join_steps(report.steps, in_order);
  if (!plan.analysis->reduce) return;
  task.doing("over the series");
  report.result = plan.analysis->reduce(report.result, plan.settings, task);
  add_provenance(
      report.result,
      {{"version", std::to_string(plan.analysis->version)}, {"settings", settings_json(plan.settings)}},
      report.reduce_key, request);
  report.result.provenance["analysis"] = series_name;
  report.result.provenance["cells"] = fmt::format("{}", fmt::join(report.cell_keys, " "));
  store->publish_result(series_name, report.reduce_key, report.result);
}

}  // namespace

std::map<std::string, std::string> key_parts(const Analysis& analysis, const SettingValues& normal,
                                             const CheckpointRecord& checkpoint, const Probes& probes,
                                             Compute compute) {
  return {{"analysis", analysis.name},         {"version", std::to_string(analysis.version)},
          {"settings", settings_json(normal)}, {"probes", analysis.needs_probes ? probes.digest() : "none"},
          {"weights", checkpoint.digest},      {"compute", name_of(compute)}};
}

std::string key_of(const std::map<std::string, std::string>& parts) {
  Digest digest;
  for (const auto& [name, value] : parts) {
    digest.add(std::string_view(name));
    digest.add(std::string_view(value));
  }
  return digest.hex();
}

RunReport run_analysis(const std::shared_ptr<RunStore>& store, const RunRequest& request, Task& task,
                       const CellDone& done) {
  Plan plan = plan_run(*store, request);
  RunReport& report = plan.report;
  const auto probes = std::make_shared<const Probes>(request.probes);
  const std::string& tokenizer_json = store->series().tokenizer;
  const auto tokenizer = tokenizer_json.empty() ? nullptr : std::make_shared<const Tokenizer>(tokenizer_json);
  const double share = plan.analysis->reduce ? 0.95 : 1;
  const double cells = static_cast<double>(report.steps.size());

  for (size_t i = 0; i < report.steps.size(); ++i) {
    const int64_t step = report.steps[i];
    const std::string& key = report.cell_keys[i];
    const double from = share * static_cast<double>(i) / cells;
    if (store->has_result(plan.analysis->name, key)) {
      ++report.cached;
    } else {
      Task part = task.part(from, share * static_cast<double>(i + 1) / cells);
      part.doing(fmt::format("step {}, {} of {} cells", show_step(step), i + 1, report.steps.size()));
      Dataset cell = compute_cell(store, request, plan, checkpoint_at(*store, request.branch, step), probes,
                                  tokenizer, part);
      add_provenance(cell, plan.parts.at(key), key, request);
      store->publish_result(plan.analysis->name, key, cell);
      ++report.computed;
    }
    if (done) done(step, key);
    task.step(static_cast<int64_t>(share * 1000 * static_cast<double>(i + 1) / cells), 1000);
  }
  finish_series(store, request, plan, task.part(share, 1));
  task.step(1, 1);
  report.notes = report.result.notes;
  return std::move(plan.report);
}

}  // namespace varve
