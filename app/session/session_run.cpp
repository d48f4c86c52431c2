// Prompts and runs of the session: what is asked of an analysis, and the cells that come back.
#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/results.h"
#include "app/session/run_inputs.h"
#include "app/session/session.h"

namespace varve {

namespace {

RunRequest request_of(const std::string& analysis, const Asked& asked, const Prompt& prompt) {
  RunRequest request;
  request.analysis = analysis;
  request.settings = asked.settings;
  request.branch = asked.branch;
  request.steps = asked.steps;
  request.compute = asked.compute.empty() ? Compute::f32 : compute_from(asked.compute);
  request.probes = prompt.probes;
  for (const auto& [name, where] : asked.inputs) request.inputs.emplace(name, Dataset());
  return request;
}

Asked asked_of(const RunRequest& request, const std::string& text, const SettingValues& inputs) {
  return {.text = text,
          .settings = request.settings,
          .branch = request.branch,
          .compute = request.compute == Compute::f32 ? "" : name_of(request.compute),
          .steps = request.steps,
          .inputs = inputs};
}

// The cells that the store holds already, without computing any: step -> key.
std::map<int64_t, std::string> stored_cells(const RunStore& store, const RunRequest& request, Task& task) {
  const Analysis& analysis = analyses().get(request.analysis);
  const SettingValues normal = normalise(analysis.settings, request.settings, analysis.name);
  std::map<int64_t, std::string> cells;
  int64_t read = 0;
  const auto count = static_cast<int64_t>(store.series().checkpoints.size());
  for (const CheckpointRecord& checkpoint : store.series().checkpoints) {
    task.step(read++, count);
    if (checkpoint.branch != request.branch) continue;
    if (!request.steps.empty() &&
        std::find(request.steps.begin(), request.steps.end(), checkpoint.step) == request.steps.end())
      continue;
    const std::string key = key_of(key_parts(analysis, normal, checkpoint, request.probes, request.compute));
    if (store.has_result(request.analysis, key)) cells[checkpoint.step] = key;
  }
  return cells;
}

std::shared_ptr<const Dataset> read_cell(const RunStore& store, const std::string& analysis,
                                         const std::string& key) {
  std::optional<Dataset> found = store.result(analysis, key);
  return found ? std::make_shared<const Dataset>(std::move(*found)) : nullptr;
}

}  // namespace

// Steps are no part of it: the same question at more steps adds cells to the same run.
std::string Session::run_id(const std::string& analysis, const Asked& asked) const {
  std::string id = analysis + "\n" + asked.branch + "\n" + asked.compute + "\n" + asked.text;
  for (const auto& [name, value] : asked.settings) id += "\n" + name + "=" + value;
  for (const auto& [name, where] : asked.inputs) id += "\nwith " + name + "=" + where;
  return id;
}

void Session::type(const std::string& text) {
  if (text == typed_.text) return;
  if (opened_) {
    typed_ = read_prompt(text, *opened_);
  } else {
    typed_ = {};
    typed_.text = text;
  }
  touch();
}

std::string Session::why_not_run(const std::string& analysis) const {
  if (!opened_) return "Run is off: no series is open.";
  const Analysis* known = analyses().find(analysis);
  if (!known) return "Run is off: there is no analysis " + analysis + ".";
  if (!known->needs_probes) return "";
  if (!typed_.problem.empty()) return "Run is off: " + typed_.problem;
  if (typed_.ids.empty()) return "Run is off: the prompt is empty.";
  return "";
}

void Session::run(const std::string& analysis, const SettingValues& settings) {
  if (!why_not_run(analysis).empty()) return;
  RunRequest request;
  request.analysis = analysis;
  request.settings = settings;
  request.max_memory = max_memory_;
  request.branch = choice().branch;
  const bool needs_prompt = analyses().get(analysis).needs_probes;
  if (needs_prompt) request.probes = typed_.probes;
  const std::string text = needs_prompt ? typed_.text : "";
  const Asked asked = asked_of(request, text, {});
  ask(request, asked);
  // A newer prompt takes the place of an older one that still runs.
  submit("run " + analysis, request, asked);
}

void Session::start(const RunRequest& request, const std::string& text, const SettingValues& inputs) {
  if (!opened_) return;
  const Asked asked = asked_of(request, text, inputs);
  ask(request, asked);
  submit("", request, asked);
}

void Session::ask(const RunRequest& request, const Asked& asked) {
  Choice next = choice();
  next.analysis = request.analysis;
  next.asked[request.analysis] = asked;
  if (!request.probes.prompts.empty()) {
    const auto longest = static_cast<int64_t>(request.probes.prompts.front().size());
    if (const auto pos = next.selection.index("pos"); pos && *pos >= longest) next.selection.at.erase("pos");
  }
  const Analysis& analysis = analyses().get(request.analysis);
  show_somewhere(next.bench, analysis, makes_cells(analysis, request.inputs));
  change(next, "run " + request.analysis);
}

void Session::submit(const std::string& tag, const RunRequest& asked_for, const Asked& asked) {
  const std::string id = run_id(asked_for.analysis, asked);
  Run& run = runs_[id];
  if (run.running() && !run.complete) return;  // all its cells may be in a moment before its job ends
  run.request = asked_for;
  run.text = asked.text;
  run.inputs = asked.inputs;
  run.complete = run.is_recalled = false;
  run.asked = asked_for.steps;
  if (run.asked.empty())
    for (const Stop& stop : opened_->stops_of(asked_for.branch)) run.asked.push_back(stop.step);
  run.arrived = 0;
  run.there = -1;
  const std::shared_ptr<RunStore> store = opened_->store;
  const int64_t here = stop()->step;
  const bool is_here = std::find(run.asked.begin(), run.asked.end(), here) != run.asked.end();
  const bool has_cells = makes_cells(analyses().get(asked_for.analysis), asked_for.inputs);
  const std::string title = !has_cells ? asked_for.analysis + " · of what others made"
                                       : asked_for.analysis + " · " + std::to_string(run.asked.size()) +
                                             (run.asked.size() == 1 ? " checkpoint" : " checkpoints");
  run.job = jobs_.submit(tag, title, [=, this](Task& task) {
    RunRequest request = asked_for;
    request.inputs = read_inputs(asked.inputs);
    const CellDone cell_done = [&](int64_t step, const std::string& key) {
      if (auto data = read_cell(*store, request.analysis, key))
        hand([id, step, key, data](Session& session) {
          session.take_cell(id, step, {.key = key, .data = data});
        });
    };
    Task look = task.part(0, 0.01);
    const int64_t there = has_cells ? static_cast<int64_t>(stored_cells(*store, request, look).size()) : 0;
    hand([id, there](Session& session) {
      if (const auto known = session.runs_.find(id); known != session.runs_.end())
        known->second.there = there;
    });
    // The step that is looked at comes first; the pass over all of them then finds it in the store.
    RunReport now;
    if (is_here && has_cells) {
      RunRequest first = request;
      first.steps = {here};
      Task first_part = task.part(0.01, 0.05);
      now = run_analysis(store, first, first_part, cell_done);
    }
    Task rest = task.part(0.05, 1);
    auto report = std::make_shared<RunReport>(run_analysis(store, request, rest, cell_done));
    for (const std::string& note : report->notes) task.note(note);
    hand([id, report, before = now.computed](Session& session) {
      session.take_report(id, std::move(*report), before);
    });
  });
  touch();
}

void Session::take_cell(const std::string& id, int64_t step, CellResult cell) {
  const auto known = runs_.find(id);
  if (known == runs_.end()) return;  // another series was opened meanwhile
  Run& run = known->second;
  const bool is_new = !run.cells.contains(step);
  run.cells[step] = std::move(cell);
  if (is_new || run.arrived < static_cast<int64_t>(run.asked.size())) run.arrived += 1;
  run.arrived = std::min(run.arrived, static_cast<int64_t>(run.asked.size()));
  touch();
}

void Session::take_series(const std::string& id, const std::string& key,
                          std::shared_ptr<const Dataset> data) {
  const auto known = runs_.find(id);
  if (known == runs_.end()) return;
  known->second.series = std::move(data);
  known->second.series_key = key;
  touch();
}

void Session::take_report(const std::string& id, RunReport report, int64_t computed_before) {
  const auto known = runs_.find(id);
  if (known == runs_.end()) return;
  Run& run = known->second;
  run.computed = report.computed + computed_before;
  run.cached = report.cached - computed_before;
  run.series = std::make_shared<const Dataset>(std::move(report.result));
  run.series_key = report.reduce_key;
  run.arrived = static_cast<int64_t>(run.asked.size());
  run.complete = true;
  touch();
}

// What comes back with a session is read, never computed anew: what is missing waits for the person.
void Session::recall(const std::string& analysis, const Asked& asked, const StoredRun* known) {
  const Analysis& shelf = analyses().get(analysis);
  const bool has_cells = makes_cells(shelf, request_of(analysis, asked, {}).inputs);
  const bool needs_prompt = shelf.needs_probes && has_cells;
  const Prompt prompt = needs_prompt ? read_prompt(asked.text, *opened_) : Prompt{};
  if (needs_prompt && !prompt.runnable() && !known) return;
  const RunRequest request = request_of(analysis, asked, prompt);
  const std::string id = run_id(analysis, asked);
  Run& run = runs_[id];
  run.request = request;
  run.text = asked.text;
  run.inputs = asked.inputs;
  run.is_recalled = true;
  const auto wanted = asked.steps.empty() ? opened_->stops_of(asked.branch).size() : asked.steps.size();
  const std::shared_ptr<RunStore> store = opened_->store;
  const auto by_key = known ? known->cells : std::map<int64_t, std::string>();
  const std::string series = known ? known->series_key : "";
  run.job = jobs_.submit("", "read " + analysis, [=, this](Task& task) {
    Task look = task.part(0, 0.1);
    std::map<int64_t, std::string> cells;
    if (has_cells) cells = stored_cells(*store, request, look);
    const bool is_asked_again = !cells.empty() || (by_key.empty() && series.empty());
    if (!is_asked_again) cells = by_key;
    Task reading = task.part(0.1, 0.6);
    int64_t done = 0;
    for (const auto& [step, key] : cells) {
      if (auto data = read_cell(*store, request.analysis, key))
        hand([id, step = step, key = key, data](Session& session) {
          session.take_cell(id, step, {.key = key, .data = data});
        });
      reading.step(++done, static_cast<int64_t>(cells.size()));
    }
    if (!is_asked_again && !series.empty())
      if (std::optional<Dataset> made = store->result(analysis + ".series", series))
        hand([id, series, data = std::make_shared<const Dataset>(std::move(*made))](Session& session) {
          session.take_series(id, series, data);
        });
    if (!is_asked_again || (has_cells && cells.size() < wanted)) return;
    // All cells are there: only what is made of them may have to be made again.
    Task rest = task.part(0.6, 1);
    RunRequest whole = request;
    whole.inputs = read_inputs(asked.inputs);
    auto report = std::make_shared<RunReport>(run_analysis(store, whole, rest));
    hand([id, report](Session& session) { session.take_report(id, std::move(*report), 0); });
  });
  touch();
}

void Session::recall_runs() {
  for (const auto& [analysis, asked] : choice().asked)
    if (analyses().find(analysis) && !runs_.contains(run_id(analysis, asked))) recall(analysis, asked);
}

const Run* Session::run_of(const std::string& analysis) const {
  const auto asked = choice().asked.find(analysis);
  if (asked == choice().asked.end()) return nullptr;
  const auto found = runs_.find(run_id(analysis, asked->second));
  return found == runs_.end() ? nullptr : &found->second;
}

const Run* Session::current_run() const { return run_of(choice().analysis); }

Shown Session::shown_at(const Run* run, int64_t step) const {
  if (!run || run->cells.empty()) return {};
  auto cell = run->cells.upper_bound(step);
  if (cell != run->cells.begin()) --cell;
  return {.step = cell->first, .key = cell->second.key, .data = cell->second.data};
}

Shown Session::shown() const { return shown_at(current_run(), choice().step); }

std::shared_ptr<const Dataset> Session::stored(const std::string& analysis, const std::string& key) {
  if (!opened_) return nullptr;
  if (const auto known = stored_.find(key); known != stored_.end()) {
    known->second.asked = ++times_asked_;
    return known->second.data;
  }
  stored_[key].asked = ++times_asked_;
  const auto store = opened_->store;
  jobs_.submit("", "read " + analysis + " " + key.substr(0, 8), [this, store, analysis, key](Task&) {
    StoredResult read;
    // A damaged result is said where it would be drawn; the job itself has nothing more to tell.
    try {
      std::optional<Dataset> data = store->result(analysis, key);
      if (!data) data = store->result(analysis + ".series", key);  // what was reduced lies beside the cells
      if (data) {
        for (const auto& [name, array] : data->arrays()) read.bytes += array.bytes();
        read.data = std::make_shared<const Dataset>(std::move(*data));
      } else {
        read.problem = "The store no longer holds " + analysis + " " + key.substr(0, 8) + ".";
      }
    } catch (const Error& error) {
      read.problem = error.what();
    }
    hand([store, key, read](Session& session) {
      if (!session.opened_ || session.opened_->store != store) return;
      StoredResult& kept = session.stored_[key];
      const uint64_t asked = kept.asked;
      kept = read;
      kept.asked = asked;
      keep_within(session.stored_, stored_results_bytes);
      session.touch();
    });
  });
  return nullptr;
}

std::string Session::stored_problem(const std::string& key) const {
  const auto known = stored_.find(key);
  return known == stored_.end() ? "" : known->second.problem;
}

}  // namespace varve
