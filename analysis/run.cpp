// The runner: finds which cells the store lacks, computes them checkpoint by checkpoint with one forward for
// all of them, publishes each as it finishes, then reduces over the series.
#include "analysis/run.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/read_ahead.h"
#include "analysis/core/resident.h"
#include "analysis/core/text.h"
#include "analysis/model/compute_error.h"
#include "analysis/run_plan.h"

namespace varve {
namespace {

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

// A run while it goes on.
struct Running {
  std::shared_ptr<RunStore> store;
  const RunRequest& request;
  const RunPlan& plan;
  MemoryPlan memory;
  std::shared_ptr<const Probes> probes;
  std::shared_ptr<const Tokenizer> tokenizer;
  ReadAhead ahead;
};

// All of a checkpoint in the order it is read, as long as it does not drive out what is read now.
std::vector<std::span<const std::byte>> stretches_of(const Running& run, const CheckpointRecord& checkpoint) {
  if (checkpoint.bytes > physical_bytes() / 8) return {};
  const Weights weights = weights_of(run.store, checkpoint);
  std::vector<std::span<const std::byte>> all;
  for (int64_t layer = 0; layer < weights.spec().layers; ++layer) {
    const auto some = weights.stretches(fmt::format("blocks.{}.", layer));
    all.insert(all.end(), some.begin(), some.end());
  }
  const auto output = weights.stretches(weights.has("unembed.W_U") ? "unembed." : "embed.");
  all.insert(all.end(), output.begin(), output.end());
  return all;
}

void read_prompts(Running& run, const Study& study, Cell& cell, const CheckpointRecord* next, Task task) {
  SiteReader* const readers[] = {&cell};
  const Weights& weights = study.weights();
  const auto blocks = static_cast<double>(run.memory.blocks.size());
  Pace pace{0, &run.ahead, weights.stretches(weights.has("unembed.W_U") ? "unembed." : "embed.")};
  for (size_t i = 0; i < run.memory.blocks.size(); ++i) {
    const PromptBlock& block = run.memory.blocks[i];
    const double from = static_cast<double>(i) / blocks, share = 1 / blocks;
    Task passing = task.part(from, from + 0.6 * share), reading = task.part(from + 0.6 * share, from + share);
    pace.first_prompt = block.first;
    forward(weights, prompts_of(study.probes(), block), study.compute(), readers, passing, pace);
    if (next && i + 1 == run.memory.blocks.size()) run.ahead.want(stretches_of(run, *next));
    cell.prompts_read(block.first, block.count, reading);
  }
}

Dataset compute_cell(Running& run, const CheckpointRecord& checkpoint, const CheckpointRecord* next,
                     Task task) {
  Study study(run.store, checkpoint, run.probes, run.tokenizer, run.request.compute);
  if (run.memory.frugal) study.be_frugal();
  const std::unique_ptr<Cell> cell = run.plan.cells->begin(study, run.plan.cell_settings);
  if (run.plan.analysis->needs_probes) read_prompts(run, study, *cell, next, task.part(0, 0.95));
  Task finishing = task.part(0.95, 1);
  Dataset result = cell->finish(finishing);
  if (run.plan.analysis->needs_probes) add_probe_ids(result, study);
  if (run.plan.analysis->needs_probes && run.request.compute == Compute::bf16) {
    Task comparing;  // a moment beside the cell itself
    result.notes.push_back(
        sentence(compute_error(study.weights(), study.probes(), run.request.compute, comparing)));
  }
  if (checkpoint.nonfinite > 0)
    result.notes.push_back(fmt::format("The weights of step {} hold {} entries that are not finite.",
                                       checkpoint.step, checkpoint.nonfinite));
  return result;
}

// What a reduce reads of a cell, where its analysis says so: a long series holds many cells at once.
Dataset part_for_reduce(Dataset cell, const std::vector<std::string>& names) {
  if (names.empty()) return cell;
  Dataset part;
  for (const std::string& name : names) part.set(name, cell[name]);
  for (const auto& [axis, ticks] : cell.coords())
    if (part.has_axis(axis)) part.set_coord(axis, ticks);
  part.title = std::move(cell.title);
  part.notes = std::move(cell.notes);
  part.provenance = std::move(cell.provenance);
  part.checks = std::move(cell.checks);
  part.events = std::move(cell.events);
  return part;
}

constexpr int64_t file_setting_bytes = 64 << 20;

std::map<std::string, std::string> reduce_parts(const RunPlan& plan, const Inputs& inputs) {
  std::string cells;
  for (size_t i = 0; i < plan.report.steps.size(); ++i)
    cells += fmt::format("{}:{} ", plan.report.steps[i], plan.report.cell_keys[i]);
  std::map<std::string, std::string> parts = {{"analysis", plan.analysis->name + ".series"},
                                              {"version", std::to_string(plan.analysis->version)},
                                              {"settings", nlohmann::json(plan.settings).dump()},
                                              {"cells", cells}};
  if (!plan.analysis->inputs.empty()) parts["inputs"] = digest_of(inputs);
  for (const std::string& name : plan.analysis->file_settings)
    if (const std::string& file = plan.settings.at(name); !file.empty()) {
      Digest digest;
      digest.add(std::string_view(read_file(file, file_setting_bytes)));
      parts["file " + name] = digest.hex();
    }
  return parts;
}

Dataset load(const RunStore& store, const std::string& analysis, const std::string& key) {
  std::optional<Dataset> found = store.result(analysis, key);
  if (!found) fail("result {}/{} vanished while it was being read. Run again.", analysis, key);
  return std::move(*found);
}

// The reduce, from the store where it is there.
void finish_series(const std::shared_ptr<RunStore>& store, const RunRequest& request, RunPlan& plan,
                   Task task) {
  RunReport& report = plan.report;
  const std::string series_name = plan.analysis->name + ".series";
  const std::map<std::string, std::string> parts = reduce_parts(plan, request.inputs);
  const std::vector<std::string> read =
      has_reduce(*plan.analysis) ? plan.analysis->reduce_reads : std::vector<std::string>{};
  if (has_reduce(*plan.analysis)) {
    report.reduce_key = key_of(parts);
    if (store->has_result(series_name, report.reduce_key)) {
      report.reduce_cached = true;
      report.result = load(*store, series_name, report.reduce_key);
      return;
    }
  }
  std::map<std::string, Dataset> cells;
  std::vector<const Dataset*> in_order;
  for (const std::string& key : report.cell_keys) {
    task.step(0, 1);
    auto found = cells.find(key);
    if (found == cells.end())
      found = cells.emplace(key, part_for_reduce(load(*store, plan.cells->name, key), read)).first;
    in_order.push_back(&found->second);
  }
  if (!in_order.empty()) report.result = join_steps(report.steps, in_order);
  cells.clear();
  if (!has_reduce(*plan.analysis)) return;
  task.doing("over the series");
  report.result = plan.analysis->reduce_with
                      ? plan.analysis->reduce_with(report.result, request.inputs, plan.settings, task)
                      : plan.analysis->reduce(report.result, plan.settings, task);
  add_provenance(report.result, parts, report.reduce_key, request);
  if (!request.inputs.empty()) report.result.provenance["inputs"] = described(request.inputs);
  report.result.provenance["analysis"] = series_name;
  store->publish_result(series_name, report.reduce_key, report.result);
}

// Every cell of the plan, from the store or computed and published.
void complete_cells(const std::shared_ptr<RunStore>& store, const RunRequest& request, RunPlan& plan,
                    Task task, const CellDone& done) {
  RunReport& report = plan.report;
  const SeriesRecord& series = store->series();
  const std::vector<int64_t> missing = missing_steps(store.get(), plan);
  const std::string& tokenizer_json = series.tokenizer;
  const auto tokenizer = tokenizer_json.empty() ? nullptr : std::make_shared<const Tokenizer>(tokenizer_json);
  Running run{store, request, plan, {}, std::make_shared<const Probes>(request.probes), tokenizer, {}};
  if (!missing.empty() && plan.analysis->needs_probes)
    run.memory = plan_memory(
        memory_need(store.get(), plan, request, checkpoint_at(series, request.branch, missing.front())),
        request.max_memory);
  const double cells = static_cast<double>(report.steps.size());

  for (size_t i = 0; i < report.steps.size(); ++i) {
    const int64_t step = report.steps[i];
    const std::string& key = report.cell_keys[i];
    const double from = static_cast<double>(i) / cells;
    if (store->has_result(plan.cells->name, key)) {
      ++report.cached;
    } else {
      Task part = task.part(from, static_cast<double>(i + 1) / cells);
      part.doing(fmt::format("step {}, {} of {} cells", show_step(step), i + 1, report.steps.size()));
      const auto here = std::find(missing.begin(), missing.end(), step);
      const bool last = here == missing.end() || here + 1 == missing.end();
      const CheckpointRecord* next = last ? nullptr : &checkpoint_at(series, request.branch, *(here + 1));
      Dataset cell = compute_cell(run, checkpoint_at(series, request.branch, step), next, part);
      add_provenance(cell, plan.parts.at(key), key, request);
      cell.provenance["analysis"] = plan.cells->name;
      store->publish_result(plan.cells->name, key, cell);
      ++report.computed;
    }
    if (done) done(step, key);
    task.step(static_cast<int64_t>(i + 1), static_cast<int64_t>(report.steps.size()));
  }
  run.ahead.want({});
}

}  // namespace

RunReport run_analysis(const std::shared_ptr<RunStore>& store, const RunRequest& request, Task& task,
                       const CellDone& done) {
  RunPlan plan = plan_run(store->series(), request);
  const double share = has_reduce(*plan.analysis) ? 0.95 : 1;
  complete_cells(store, request, plan, task.part(0, share), done);
  finish_series(store, request, plan, task.part(share, 1));
  task.step(1, 1);
  plan.report.notes = plan.report.result.notes;
  return std::move(plan.report);
}

RunReport compute_cells(const std::shared_ptr<RunStore>& store, const RunRequest& request, Task& task,
                        const CellDone& done) {
  RunPlan plan = plan_run(store->series(), request);
  complete_cells(store, request, plan, task, done);
  return std::move(plan.report);
}

}  // namespace varve
