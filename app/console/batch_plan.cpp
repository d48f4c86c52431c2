// Plans a batch: series as they are or will be, requests, shares.
#include "app/console/batch_plan.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "loaders/choice.h"
#include "loaders/map.h"

namespace varve {
namespace {

const CheckpointRecord* find(const SeriesRecord& series, const std::string& branch, int64_t step) {
  const auto found =
      std::find_if(series.checkpoints.begin(), series.checkpoints.end(),
                   [&](const CheckpointRecord& one) { return one.branch == branch && one.step == step; });
  return found == series.checkpoints.end() ? nullptr : &*found;
}

void add(BatchSeries& series, const ImportCost& import) {
  std::vector<CheckpointRecord>& all = series.series.checkpoints;
  for (const CheckpointRecord& one : import.records)
    if (!find(series.series, one.branch, one.step)) all.push_back(one);
  std::stable_sort(all.begin(), all.end(), [](const CheckpointRecord& a, const CheckpointRecord& b) {
    return a.branch != b.branch ? a.branch < b.branch : a.step < b.step;
  });
  if (series.series.tokenizer.empty()) series.series.tokenizer = import.tokenizer;
  if (!series.sample) series.sample = import.sample;
}

// "lens.h5:entropy" and "lens.h5" both read the output lens.h5.
bool reads(const std::string& where, const std::filesystem::path& output) {
  const std::string file = output.string();
  return !file.empty() && (where == file || where.starts_with(file + ":"));
}

Inputs named_inputs(const RunWords& words) {
  Inputs inputs;
  for (const auto& [name, where] : settings_of(words.inputs)) inputs.emplace(name, Dataset());
  return inputs;
}

BatchRun planned(const BatchRecipe& recipe, size_t number, const BatchSeries& series,
                 const Console& console) {
  BatchRun run;
  run.words = recipe.runs[number];
  std::vector<std::string> outside;
  for (const std::string& word : run.words.inputs) {
    const std::string where = word.substr(word.find('=') + 1);
    bool made = false;
    for (size_t earlier = 0; earlier < number; ++earlier)
      if (reads(where, recipe.runs[earlier].output)) made = run.after.insert(earlier).second || true;
    if (!made) outside.push_back(word);
  }
  read_inputs(outside);  // for its error, before any work
  run.request = run_request(run.words, series.series, named_inputs(run.words), console);
  run.plan = plan_run(series.series, run.request);
  return run;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const char* const end = text.data() + text.size();
  Shard shard;
  const auto [slash, first] = std::from_chars(text.data(), end, shard.index);
  if (first == std::errc() && slash != end && *slash == '/') {
    const auto [stopped, second] = std::from_chars(slash + 1, end, shard.count);
    const bool whole = second == std::errc() && stopped == end;
    if (whole && shard.count >= 1 && shard.count <= 1'000'000 && shard.index >= 0 &&
        shard.index <= shard.count)
      return {shard.index % shard.count, shard.count};
  }
  fail_usage("--shard '{}' is no I/N, as in 2/8: share I of N, counted from 1 to N or from 0 to N-1", text);
}

ImportCost cost_of(const ImportRequest& request) {
  require_exists(request.source);
  std::shared_ptr<const NetworkMap> map;
  if (!request.map.empty()) map = std::make_shared<NetworkMap>(read_map(request.map));
  const SeriesSource source = find_series(request.source, map);
  const auto store = RunStore::is_store(request.store) ? RunStore::open(request.store) : nullptr;
  ImportCost cost;
  for (const CheckpointSource& checkpoint : chosen(request, source)) {
    if (store && find(store->series(), checkpoint.branch, checkpoint.step)) continue;
    OpenedModel model = open_model(source, checkpoint);
    // No store holds its cells, and no other checkpoint is the same.
    model.checkpoint.digest =
        fmt::format("to be imported: {} {} {}", request.store.string(), checkpoint.branch, checkpoint.step);
    ++cost.checkpoints;
    cost.bytes += model.checkpoint.bytes;
    cost.records.push_back(std::move(model.checkpoint));
    cost.sample = model.weights;
    cost.tokenizer = model.tokenizer;
  }
  return cost;
}

SeriesByStore series_of(const BatchRecipe& recipe, const std::vector<ImportCost>& imports) {
  SeriesByStore all;
  for (size_t i = 0; i < recipe.runs.size(); ++i) {
    const std::filesystem::path& path = recipe.runs[i].store;
    if (all.contains(path)) continue;
    BatchSeries series;
    bool to_come = false;
    for (size_t k = 0; k < imports.size(); ++k)
      to_come = to_come || (recipe.imports[k].store == path && imports[k].checkpoints > 0);
    as_run(i, recipe.runs[i].analysis, [&] {
      if (RunStore::is_store(path) || !to_come) series.store = open_store(path);
    });
    if (series.store) series.series = series.store->series();
    for (size_t k = 0; k < imports.size(); ++k)
      if (recipe.imports[k].store == path) add(series, imports[k]);
    all.emplace(path, std::move(series));
  }
  return all;
}

std::vector<BatchRun> plan_batch(const BatchRecipe& recipe, const SeriesByStore& series, Shard shard,
                                 const Console& console) {
  std::vector<BatchRun> runs;
  std::set<std::string> dealt;
  for (size_t i = 0; i < recipe.runs.size(); ++i) {
    as_run(i, recipe.runs[i].analysis,
           [&] { runs.push_back(planned(recipe, i, series.at(recipe.runs[i].store), console)); });
    BatchRun& run = runs.back();
    const RunReport& report = run.plan.report;
    for (size_t k = 0; k < report.steps.size(); ++k) {
      // In the recipe's order, whatever the stores hold: all processes deal alike. A cell of two runs is
      // dealt once.
      const auto number = static_cast<int64_t>(dealt.size());
      const std::string cell = run.words.store.string() + "/" + report.cells_of + "/" + report.cell_keys[k];
      if (dealt.insert(cell).second && number % shard.count == shard.index)
        run.own_steps.push_back(report.steps[k]);
    }
  }
  return runs;
}

Estimate estimate_share(const BatchRun& run, const BatchSeries& series) {
  if (run.own_steps.empty()) return {};
  RunRequest request = run.request;
  request.steps = run.own_steps;
  return series.sample ? estimate_run(series.series, series.store.get(), *series.sample, request)
                       : estimate_run(*series.store, request);
}

void as_run(size_t number, const std::string& analysis, const std::function<void()>& work) try {
  work();
} catch (const Error& error) {
  throw Error(error.blame(), fmt::format("run {} ({}): {}", number + 1, analysis, error.what()));
}

}  // namespace varve
