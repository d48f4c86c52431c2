// Words become a request: settings are known, steps exist, prompts are read.
#include "app/console/run_words.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/console/budget.h"
#include "app/console/dataset_json.h"
#include "app/console/dataset_text.h"
#include "app/console/describe.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "app/session/run_inputs.h"

namespace varve {

Inputs read_inputs(const std::vector<std::string>& words) { return read_inputs(settings_of(words)); }

void check_words(const RunWords& words) {
  const Analysis& analysis = analyses().get(words.analysis);
  normalise(analysis.settings, settings_of(words.settings), "analysis " + words.analysis);
  compute_mode(words.compute);
  Inputs named;
  for (const auto& [name, where] : settings_of(words.inputs)) named.emplace(name, Dataset());
  check_inputs(analysis, named);
}

RunRequest run_request(const RunWords& words, const SeriesRecord& series, Inputs inputs,
                       const Console& console) {
  const Analysis& analysis = analyses().get(words.analysis);
  RunRequest out;
  out.analysis = words.analysis;
  out.settings = settings_of(words.settings);
  normalise(analysis.settings, out.settings,
            "analysis " + words.analysis);  // for its error, before any work
  out.branch = words.branch;
  out.compute = compute_mode(words.compute);
  const std::vector<const CheckpointRecord*> checkpoints = checkpoints_of(series, words.branch);
  std::vector<int64_t> steps;
  for (const CheckpointRecord* checkpoint : checkpoints) steps.push_back(checkpoint->step);
  out.steps = words.steps.empty() ? steps : parse_steps(words.steps, steps);
  if (out.steps.empty()) fail_usage("--steps {} selects no step", words.steps);
  out.max_memory = budget_of(console);
  out.inputs = std::move(inputs);
  check_inputs(analysis, out.inputs);
  if (!analysis.needs_probes || !makes_cells(analysis, out.inputs)) return out;
  const ModelSpec spec = spec_from_json(checkpoints.front()->spec);
  out.probes = read_probes(words.probes, series.tokenizer, spec.vocab, console);
  check_probes(out.probes, spec.vocab, spec.context);
  return out;
}

std::string result_path(const RunStore& store, const std::string& analysis, const RunReport& report) {
  if (!report.reduce_key.empty()) return store.result_path(analysis + ".series", report.reduce_key).string();
  return report.cell_keys.size() == 1 ? store.result_path(report.cells_of, report.cell_keys[0]).string()
                                      : (store.folder() / "results" / report.cells_of).string();
}

Json report_json(const RunStore& store, const std::string& analysis, const RunReport& report) {
  Json cells = Json::array();
  for (size_t i = 0; i < report.steps.size(); ++i)
    cells.push_back({{"step", report.steps[i]},
                     {"key", report.cell_keys[i]},
                     {"path", store.result_path(report.cells_of, report.cell_keys[i]).string()}});
  return {{"analysis", analysis},
          {"computed", report.computed},
          {"cached", report.cached},
          {"reduce_cached", report.reduce_cached},
          {"cells", cells},
          {"reduce_key", report.reduce_key},
          {"path", result_path(store, analysis, report)},
          {"checks", checks_json(report.result.checks)},
          {"notes", report.notes}};
}

std::string report_text(const RunStore& store, const std::string& analysis, const RunReport& report) {
  std::string text = dataset_text(report.result);
  for (const Event& event : report.result.events)
    text += fmt::format("\nstep {}: {} ({})", show_step(event.step), event.label, event.rule);
  text += "\n" + describe(report.result.checks) + "\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  if (report.steps.empty())
    text += "no cells: the result is made of what --with and --set gave\n";
  else
    text += fmt::format("{} cells: {} computed, {} from the store{}\n", report.steps.size(), report.computed,
                        report.cached, report.computed == 0 ? "; nothing computed" : "");
  const std::string& key = report.reduce_key.empty() ? report.cell_keys.front() : report.reduce_key;
  return text + fmt::format("key {}\n{}", key, result_path(store, analysis, report));
}

int64_t failed_checks(const RunReport& report) {
  return std::count_if(report.result.checks.begin(), report.result.checks.end(),
                       [](const Check& check) { return !check.passed; });
}

}  // namespace varve
