// varve run: an analysis over a series; cells the store holds are taken, missing ones are computed and kept.
#include "analysis/run.h"

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "app/console/budget.h"
#include "app/console/describe.h"
#include "app/console/run_words.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

struct Request {
  RunWords words;
  bool dry = false;
};

int run(const Request& request, Console& console) {
  const RunWords& words = request.words;
  const auto store = open_store(words.store);
  check_words(words);
  const RunRequest asked = run_request(words, store->series(), read_inputs(words.inputs), console);
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
                               asked.steps.size(), words.store.string());
  };
  say_kept();
  const RunReport report = run_analysis(store, asked, console.task, [&](int64_t, const std::string&) {
    ++done;
    say_kept();
  });
  if (!words.output.empty()) write_dataset(words.output, report.result);
  console.print(console.json ? json_text(report_json(*store, words.analysis, report))
                             : report_text(*store, words.analysis, report));
  return failed_checks(report) > 0 ? static_cast<int>(Blame::check) : 0;
}

// The settings of the analysis named on the line, or the analyses there are.
std::string more_help(const std::string& named) {
  if (const Analysis* analysis = analyses().find(named)) {
    std::string text = fmt::format("{}: {}\n\n{}\n", analysis->name, analysis->summary, analysis->help);
    if (!analysis->settings.empty()) text += "\nSettings (--set key=value):\n";
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
         command.add_option("ANALYSIS", request->words.analysis, "which analysis; varve list analyses")
             ->required();
         command.add_option("STORE", request->words.store, "the store")->required();
         command
             .add_option("--steps", request->words.steps,
                         "which steps, as in 0,1:512:x2,last; all by default")
             ->type_name("LIST");
         command.add_option("--branch", request->words.branch, "of which branch (main)")->type_name("NAME");
         add_probe_options(command, request->words.probes);
         add_repeated(command, "--set", request->words.settings, "a setting of the analysis; may be repeated")
             ->type_name("key=value");
         add_repeated(command, "--with", request->words.inputs,
                      "a table or a result the analysis reads; may be repeated")
             ->type_name("name=FILE[:ARRAY]");
         command
             .add_option("--compute", request->words.compute, "f32 (default), f64, or bf16 with its error")
             ->type_name("MODE");
         command.add_option("-o,--output", request->words.output, "also write the result to this file")
             ->type_name("RESULT.h5");
         command.add_flag("--dry-run", request->dry, "only say what it would read, compute, hold and take");
         command.footer([request] { return more_help(request->words.analysis); });
         return [request](Console& console) { return run(*request, console); };
       }});
}

}  // namespace varve
