// varve batch: a recipe of imports and analyses, done in order or shared among processes; what the stores
// hold already is never computed again.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "app/console/batch_plan.h"
#include "app/console/budget.h"
#include "app/console/describe.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

struct Request {
  fs::path recipe;
  std::string shard = "1/1";
  bool dry = false, resume = false;
};

// A run's end: finished, or waiting for cells that other shares make.
struct Outcome {
  bool finished = false, output_kept = false;
  int64_t computed = 0, cached = 0, waiting = 0, checks = 0, failed = 0;
  std::string result, failures;
  Json json;
};

int64_t missing_cells(const RunStore& store, const RunPlan& plan) {
  return std::count_if(plan.report.cell_keys.begin(), plan.report.cell_keys.end(),
                       [&](const std::string& key) { return !store.has_result(plan.cells->name, key); });
}

constexpr int64_t output_limit_bytes = int64_t{64} << 30;

// Written anew, or with `resume` left alone where it holds the same bytes: what reads it need not start over.
bool write_output(const fs::path& output, const Dataset& result, bool resume) {
  if (!resume || !fs::is_regular_file(output)) {
    write_dataset(output, result);
    return false;
  }
  const fs::path fresh = output.string() + ".new";
  write_dataset(fresh, result);
  const bool same = fs::file_size(fresh) == fs::file_size(output) &&
                    read_file(fresh, output_limit_bytes) == read_file(output, output_limit_bytes);
  if (same)
    fs::remove(fresh);
  else
    fs::rename(fresh, output);
  return same;
}

// The runs of a recipe while they go on.
class Batch {
 public:
  Batch(const Request& request, Console& console)
      : request_(request),
        console_(console),
        shard_(parse_shard(request.shard)),
        recipe_(read_batch_recipe(request.recipe)) {}

  int run() {
    import_all();
    const int threads_before = threads();
    series_ = series_of(recipe_, {});
    runs_ = plan_batch(recipe_, series_, shard_, console_);
    outcomes_.resize(runs_.size());
    for (const BatchRun& run : runs_) cells_ += static_cast<int64_t>(run.own_steps.size());
    say_kept();
    // Whether all of them keep to the budget is known before the first one begins.
    std::vector<int> threads_of;
    for (size_t i = 0; i < runs_.size(); ++i) threads_of.push_back(fitting_threads(i, threads_before));
    for (size_t i = 0; i < runs_.size(); ++i) {
      set_threads(threads_of[i]);
      as_run(i, runs_[i].words.analysis, [&] { compute(i); });
    }
    // What waited for a share that has ended since.
    for (size_t i = 0; i < runs_.size(); ++i)
      if (!outcomes_[i].finished) as_run(i, runs_[i].words.analysis, [&] { finish(i, Task()); });
    set_threads(threads_before);
    console_.print(console_.json ? json_text(json()) : text());
    const bool failed = std::any_of(outcomes_.begin(), outcomes_.end(),
                                    [](const Outcome& outcome) { return outcome.failed > 0; });
    return failed ? static_cast<int>(Blame::check) : 0;
  }

  int dry_run() {
    std::vector<ImportCost> imports;
    for (size_t i = 0; i < recipe_.imports.size(); ++i)
      as_import(i, [&] { imports.push_back(cost_of(recipe_.imports[i])); });
    series_ = series_of(recipe_, imports);
    runs_ = plan_batch(recipe_, series_, shard_, console_);
    const int threads_before = threads();
    std::vector<Estimate> estimates;
    for (size_t i = 0; i < runs_.size(); ++i) {
      set_threads(threads_before);
      as_run(i, runs_[i].words.analysis, [&] {
        fit_threads(console_, [&] {
          estimates.resize(i);
          estimates.push_back(estimate_share(runs_[i], series_.at(runs_[i].words.store)));
        });
      });
    }
    set_threads(threads_before);
    console_.print(console_.json ? json_text(dry_json(imports, estimates)) : dry_text(imports, estimates));
    return 0;
  }

 private:
  void as_import(size_t number, const std::function<void()>& work) const try {
    work();
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("import {} ({}): {}", number + 1,
                                           recipe_.imports[number].source.string(), error.what()));
  }

  void import_all() {
    const auto count = static_cast<double>(recipe_.imports.size());
    for (size_t i = 0; i < recipe_.imports.size(); ++i) {
      const ImportRequest& request = recipe_.imports[i];
      console_.kept = "checkpoints finished before are kept; the same command goes on from there";
      Task task =
          console_.task.part(0.3 * static_cast<double>(i) / count, 0.3 * static_cast<double>(i + 1) / count);
      as_import(i, [&] {
        require_exists(request.source);
        const ImportReport report = import_series(request, task);
        imported_.push_back({{"source", request.source.string()},
                             {"store", request.store.string()},
                             {"added", report.added},
                             {"already", report.already},
                             {"bytes_read", report.bytes_read}});
        console_.remark(fmt::format("import {}: {}: {} added, {} already there", i + 1,
                                    request.store.string(), report.added, report.already));
      });
    }
  }

  const std::shared_ptr<RunStore>& store_of(const BatchRun& run) const {
    return series_.at(run.words.store).store;
  }

  // How many threads keep a run to the budget. Throws Error (budget) where none do.
  int fitting_threads(size_t number, int most) const {
    const BatchRun& run = runs_[number];
    set_threads(most);
    if (run.own_steps.empty()) return most;
    RunRequest share = run.request;
    share.steps = run.own_steps;
    as_run(number, run.words.analysis,
           [&] { fit_threads(console_, [&] { plan_run_memory(*store_of(run), share); }); });
    return threads();
  }

  void say_kept() {
    console_.kept = fmt::format("{} of {} cells are kept; varve batch {} --resume goes on from there", done_,
                                cells_, request_.recipe.string());
  }

  void compute(size_t number) {
    const BatchRun& run = runs_[number];
    const double from = recipe_.imports.empty() ? 0 : 0.3,
                 share = (1 - from) / static_cast<double>(runs_.size());
    const double begin = from + share * static_cast<double>(number);
    Task computing = console_.task.part(begin, begin + 0.9 * share);
    if (runs_.size() > 1)
      console_.remark(fmt::format("run {} of {}: {} on {}", number + 1, runs_.size(), run.words.analysis,
                                  run.words.store.string()));
    if (!run.own_steps.empty()) {
      RunRequest own = run.request;
      own.steps = run.own_steps;
      const RunReport report = compute_cells(store_of(run), own, computing, [this](int64_t, const auto&) {
        ++done_;
        say_kept();
      });
      outcomes_[number].computed = report.computed;
      outcomes_[number].cached = report.cached;
    }
    finish(number, console_.task.part(begin + 0.9 * share, begin + share));
  }

  // Joins and reduces where every cell is there and every run whose output it reads has ended.
  void finish(size_t number, Task task) {
    const BatchRun& run = runs_[number];
    Outcome& outcome = outcomes_[number];
    outcome.waiting = missing_cells(*store_of(run), run.plan);
    const bool ready = std::all_of(run.after.begin(), run.after.end(),
                                   [this](size_t earlier) { return outcomes_[earlier].finished; });
    if (!ready || outcome.waiting > 0) return;
    RunRequest whole = run.request;
    whole.inputs = read_inputs(run.words.inputs);
    const RunReport report = run_analysis(store_of(run), whole, task);
    if (!run.words.output.empty())
      outcome.output_kept = write_output(run.words.output, report.result, request_.resume);
    outcome.finished = true;
    outcome.checks = static_cast<int64_t>(report.result.checks.size());
    outcome.failed = failed_checks(report);
    if (outcome.failed > 0) outcome.failures = describe(report.result.checks);
    outcome.result = run.words.output.empty() ? result_path(*store_of(run), run.words.analysis, report)
                                              : run.words.output.string();
    outcome.json = report_json(*store_of(run), run.words.analysis, report);
  }

  Json json() const {
    Json runs = Json::array();
    for (size_t i = 0; i < runs_.size(); ++i) {
      const Outcome& outcome = outcomes_[i];
      Json one = outcome.finished ? outcome.json : Json{{"analysis", runs_[i].words.analysis}};
      one["store"] = runs_[i].words.store.string();
      one["computed"] = outcome.computed;
      one["cached"] = outcome.cached;
      one["finished"] = outcome.finished;
      one["waiting"] = outcome.waiting;
      if (!runs_[i].words.output.empty()) {
        one["output"] = runs_[i].words.output.string();
        one["output_kept"] = outcome.output_kept;
      }
      runs.push_back(std::move(one));
    }
    return {{"recipe", request_.recipe.string()},
            {"shard", shard_json()},
            {"imports", imported_},
            {"runs", runs}};
  }

  Json shard_json() const { return {{"index", shard_.index}, {"count", shard_.count}}; }

  std::string text() const {
    TextTable table({">run", "analysis", "store", ">computed", ">from the store", "checks", "result"});
    std::string failures;
    int64_t waiting = 0;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const Outcome& outcome = outcomes_[i];
      const std::string checks = !outcome.finished     ? "–"
                                 : outcome.checks == 0 ? "none"
                                 : outcome.failed > 0
                                     ? fmt::format("{} of {} failed", outcome.failed, outcome.checks)
                                     : fmt::format("{} passed", outcome.checks);
      table.row({fmt::format("{}", i + 1), runs_[i].words.analysis, runs_[i].words.store.string(),
                 show_count(outcome.computed), show_count(outcome.cached), checks,
                 outcome.finished      ? outcome.result
                 : outcome.waiting > 0 ? fmt::format("waits for {} cells", show_count(outcome.waiting))
                                       : "waits for a run before it"});
      waiting += outcome.finished ? 0 : 1;
      if (!outcome.failures.empty())
        failures += fmt::format("run {} ({}):\n{}\n", i + 1, runs_[i].words.analysis, outcome.failures);
    }
    std::string text = runs_.empty() ? std::string("nothing to run; all imports are done\n") : table.text();
    if (waiting > 0)
      text += fmt::format(
          "{} of {} runs wait for other shares: the share that ends last finishes them, or the batch without "
          "--shard\n",
          waiting, runs_.size());
    return text + failures;
  }

  Json dry_json(const std::vector<ImportCost>& imports, const std::vector<Estimate>& estimates) const {
    const int64_t budget = budget_of(console_);
    Json runs = Json::array(), sources = Json::array();
    for (size_t i = 0; i < imports.size(); ++i)
      sources.push_back({{"source", recipe_.imports[i].source.string()},
                         {"store", recipe_.imports[i].store.string()},
                         {"checkpoints", imports[i].checkpoints},
                         {"bytes_to_read", imports[i].bytes}});
    for (size_t i = 0; i < estimates.size(); ++i) {
      Json one = {{"analysis", runs_[i].words.analysis}, {"store", runs_[i].words.store.string()}};
      one.update(estimate_json(estimates[i], budget));
      one["steps"] = runs_[i].own_steps;
      runs.push_back(std::move(one));
    }
    return {{"recipe", request_.recipe.string()},
            {"shard", shard_json()},
            {"imports", sources},
            {"runs", runs},
            {"total", estimate_json(total(imports, estimates), budget)}};
  }

  // Sums, and the highest of the peaks: runs follow each other.
  Estimate total(const std::vector<ImportCost>& imports, const std::vector<Estimate>& estimates) const {
    Estimate sum;
    for (const ImportCost& import : imports) sum.bytes_to_read += import.bytes;
    for (const Estimate& one : estimates) {
      sum.cells_cached += one.cells_cached;
      sum.cells_to_compute += one.cells_to_compute;
      sum.passes = std::max(sum.passes, one.passes);
      sum.bytes_to_read += one.bytes_to_read;
      sum.flops += one.flops;
      sum.seconds += one.seconds;
      sum.peak_bytes = std::max(sum.peak_bytes, one.peak_bytes);
      if (one.speed.flops > 0) sum.speed = one.speed;
    }
    for (const ImportCost& import : imports)
      if (sum.speed.read_bytes > 0) sum.seconds += static_cast<double>(import.bytes) / sum.speed.read_bytes;
    return sum;
  }

  std::string dry_text(const std::vector<ImportCost>& imports, const std::vector<Estimate>& estimates) const {
    TextTable table(
        {"what", "of", ">cells", ">in the store", ">to read", ">arithmetic", ">peak memory", ">time"});
    for (size_t i = 0; i < imports.size(); ++i)
      table.row({fmt::format("import {}", i + 1), recipe_.imports[i].source.string(),
                 fmt::format("{} checkpoints", show_count(imports[i].checkpoints)), "–",
                 show_bytes(imports[i].bytes), "–", "–", "–"});
    const auto row = [&table](const std::string& what, const std::string& of, const Estimate& one) {
      table.row({what, of, show_count(one.cells_to_compute), show_count(one.cells_cached),
                 show_bytes(one.bytes_to_read), fmt::format("{} GFLOP", show_number(one.flops / 1e9)),
                 show_bytes(one.peak_bytes), show_seconds(one.seconds)});
    };
    for (size_t i = 0; i < estimates.size(); ++i)
      row(fmt::format("run {}", i + 1), runs_[i].words.analysis, estimates[i]);
    row("all", shard_.count == 1 ? "" : fmt::format("share {} of {}", shard_.index, shard_.count),
        total(imports, estimates));
    const int64_t budget = budget_of(console_);
    return table.text() +
           (budget > 0 ? fmt::format("\nEach run keeps within --max-memory {}.", show_bytes(budget))
                       : std::string("\nNo --max-memory was given.")) +
           "\nNothing was imported, computed or written (--dry-run).";
  }

  const Request& request_;
  Console& console_;
  Shard shard_;
  BatchRecipe recipe_;
  SeriesByStore series_;
  std::vector<BatchRun> runs_;
  std::vector<Outcome> outcomes_;
  Json imported_ = Json::array();
  int64_t cells_ = 0, done_ = 0;
};

const char* const recipe_help =
    "A recipe (paths are relative to it):\n"
    "  store = \"pythia.varve\"\n"
    "  [[import]]\n"
    "  source = \"runs/pythia\"              # steps, branch, map, link, compress as for varve import\n"
    "  [[run]]\n"
    "  analysis = \"head-detectors\"         # store, steps, branch, compute as for varve run\n"
    "  probes = \"repeat-random:prompts=8\"  # or text, text_file, tokens, task\n"
    "  set = { threshold = 0.4 }\n"
    "  output = \"heads.h5\"\n"
    "  [[run]]\n"
    "  analysis = \"metric-correlation\"\n"
    "  with = { metric = \"heads.h5:induction\", scores = \"scores.csv\" }\n";

}  // namespace

void add_batch(VerbCatalog& catalog) {
  catalog.add({"batch", "do what a recipe lists: imports, then analyses",
               "varve batch night.toml --dry-run --max-memory 8G", [](CLI::App& command) {
                 auto request = std::make_shared<Request>();
                 command.add_option("RECIPE", request->recipe, "the recipe, a .toml file")->required();
                 command.add_flag("--dry-run", request->dry,
                                  "only say what it would read, compute, hold and take");
                 command.add_flag("--resume", request->resume,
                                  "after an interruption: outputs that hold their result already are left as "
                                  "they are (cells are taken from the store in any case)");
                 command
                     .add_option("--shard", request->shard,
                                 "compute share I of N only, as in 2/8; run all N at once or one by one")
                     ->type_name("I/N");
                 command.footer([] { return std::string(recipe_help); });
                 return [request](Console& console) {
                   require_exists(request->recipe);
                   Batch batch(*request, console);
                   return request->dry ? batch.dry_run() : batch.run();
                 };
               }});
}

}  // namespace varve
