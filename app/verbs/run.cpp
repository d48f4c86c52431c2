// varve run: an analysis over a series; cells the store holds are taken, missing ones are computed and kept.
#include "analysis/run.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/console/budget.h"
#include "app/console/dataset_json.h"
#include "app/console/dataset_text.h"
#include "app/console/describe.h"
#include "app/console/probe_options.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"
#include "loaders/table.h"

namespace varve {
namespace {

struct Request {
  std::string analysis, steps, branch = "main", compute = "f32";
  std::filesystem::path store, output;
  std::vector<std::string> settings, inputs;
  ProbeOptions probes;
  bool dry = false;
};

// "groups=samples.npz:domain", "metric=demo.varve:3f9a1c".
Inputs inputs_of(const std::vector<std::string>& words) {
  Inputs inputs;
  for (const auto& [name, where] : settings_of(words)) {
    // A store's result by its key; anything else is a table.
    const size_t colon = where.rfind(':');
    const bool stored = colon != std::string::npos && RunStore::is_store(where.substr(0, colon));
    Dataset data = stored ? open_result(where) : read_table(where);
    data.provenance["source"] = where;
    inputs.emplace(name, std::move(data));
  }
  return inputs;
}

RunRequest run_request(const Request& request, const RunStore& store, const Console& console) {
  const Analysis& analysis = analyses().get(request.analysis);
  RunRequest out;
  out.analysis = request.analysis;
  out.settings = settings_of(request.settings);
  normalise(analysis.settings, out.settings,
            "analysis " + request.analysis);  // for its error, before any work
  out.branch = request.branch;
  out.compute = compute_mode(request.compute);
  const std::vector<const CheckpointRecord*> checkpoints = checkpoints_of(store.series(), request.branch);
  std::vector<int64_t> steps;
  for (const CheckpointRecord* checkpoint : checkpoints) steps.push_back(checkpoint->step);
  out.steps = request.steps.empty() ? steps : parse_steps(request.steps, steps);
  if (out.steps.empty()) fail_usage("--steps {} selects no step", request.steps);
  out.max_memory = budget_of(console);
  out.inputs = inputs_of(request.inputs);
  check_inputs(analysis, out.inputs);
  if (!analysis.needs_probes || !makes_cells(analysis, out.inputs)) return out;
  const ModelSpec spec = spec_from_json(checkpoints.front()->spec);
  out.probes = read_probes(request.probes, store.series().tokenizer, spec.vocab, console);
  check_probes(out.probes, spec.vocab, spec.context);
  return out;
}

std::string result_path(const RunStore& store, const RunRequest& request, const RunReport& report) {
  if (!report.reduce_key.empty())
    return store.result_path(request.analysis + ".series", report.reduce_key).string();
  return report.cell_keys.size() == 1 ? store.result_path(request.analysis, report.cell_keys[0]).string()
                                      : (store.folder() / "results" / request.analysis).string();
}

Json report_json(const RunStore& store, const RunRequest& request, const RunReport& report) {
  Json cells = Json::array();
  for (size_t i = 0; i < report.steps.size(); ++i)
    cells.push_back({{"step", report.steps[i]},
                     {"key", report.cell_keys[i]},
                     {"path", store.result_path(request.analysis, report.cell_keys[i]).string()}});
  return {{"analysis", request.analysis},
          {"computed", report.computed},
          {"cached", report.cached},
          {"reduce_cached", report.reduce_cached},
          {"cells", cells},
          {"reduce_key", report.reduce_key},
          {"path", result_path(store, request, report)},
          {"checks", checks_json(report.result.checks)},
          {"notes", report.notes}};
}

std::string report_text(const RunStore& store, const RunRequest& request, const RunReport& report) {
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
  return text + fmt::format("key {}\n{}", key, result_path(store, request, report));
}

int run(const Request& request, Console& console) {
  const auto store = open_store(request.store);
  const RunRequest asked = run_request(request, *store, console);
  fit_threads(console, [&] { plan_run_memory(*store, asked); });
  if (request.dry) {
    const Estimate estimate = estimate_run(*store, asked);
    console.print(console.json ? json_text(estimate_json(estimate, asked.max_memory))
                               : estimate_text(estimate, asked.max_memory));
    return 0;
  }
  int64_t done = 0;
  const auto say_kept = [&] {
    console.kept = fmt::format("{} of {} cells are kept in {}; the same command goes on from there", done,
                               asked.steps.size(), request.store.string());
  };
  say_kept();
  const RunReport report = run_analysis(store, asked, console.task, [&](int64_t, const std::string&) {
    ++done;
    say_kept();
  });
  if (!request.output.empty()) write_dataset(request.output, report.result);
  console.print(console.json ? json_text(report_json(*store, asked, report))
                             : report_text(*store, asked, report));
  const bool failed = std::any_of(report.result.checks.begin(), report.result.checks.end(),
                                  [](const Check& check) { return !check.passed; });
  return failed ? static_cast<int>(Blame::check) : 0;
}

// The settings of the analysis named on the line, or the analyses there are.
std::string more_help(const std::string& named) {
  if (const Analysis* analysis = analyses().find(named)) {
    std::string text = fmt::format("{}: {}\n\n{}\n\nSettings (--set key=value):\n", analysis->name,
                                   analysis->summary, analysis->help);
    for (const SettingInfo& setting : analysis->settings) text += describe(setting) + "\n";
    if (!analysis->inputs.empty()) text += "\nInputs (--with name=FILE[:ARRAY] or name=STORE:KEY):\n";
    for (const InputInfo& input : analysis->inputs)
      text += fmt::format("  {:<20} {}{}\n", input.name, input.help,
                          input.needed           ? " (needed)"
                          : input.replaces_cells ? " (then no checkpoint is read)"
                                                 : "");
    return text;
  }
  std::string text = "Analyses ('varve run ANALYSIS --help' shows the settings of one):\n";
  for (const Analysis& analysis : analyses().items())
    text += fmt::format("  {:<20} {}\n", analysis.name, analysis.summary);
  return text;
}

}  // namespace

void add_run(VerbCatalog& catalog) {
  catalog.add(
      {"run", "run an analysis over the steps of a store",
       "varve run logit-lens pythia-70m.varve --steps 0,1:512:x2,last --text 'The capital of France is'",
       [](CLI::App& command) {
         auto request = std::make_shared<Request>();
         command.add_option("ANALYSIS", request->analysis, "which analysis; varve list analyses")->required();
         command.add_option("STORE", request->store, "the store")->required();
         command.add_option("--steps", request->steps, "which steps, as in 0,1:512:x2,last; all by default")
             ->type_name("LIST");
         command.add_option("--branch", request->branch, "of which branch (main)")->type_name("NAME");
         add_probe_options(command, request->probes);
         add_repeated(command, "--set", request->settings, "a setting of the analysis; may be repeated")
             ->type_name("key=value");
         add_repeated(command, "--with", request->inputs,
                      "a table or a result the analysis reads; may be repeated")
             ->type_name("name=FILE[:ARRAY]");
         command.add_option("--compute", request->compute, "f32 (default), f64, or bf16 with its error")
             ->type_name("MODE");
         command.add_option("-o,--output", request->output, "also write the result to this file")
             ->type_name("RESULT.h5");
         command.add_flag("--dry-run", request->dry, "only say what it would read, compute, hold and take");
         command.footer([request] { return more_help(request->analysis); });
         return [request](Console& console) { return run(*request, console); };
       }});
}

}  // namespace varve
