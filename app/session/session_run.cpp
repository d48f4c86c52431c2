// Prompts and runs of the session: what is asked of an analysis, and the cells that come back.
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/session.h"

namespace varve {

namespace {

RunRequest request_of(const Choice& choice, const Prompt& prompt, const std::string& branch) {
  RunRequest request;
  request.analysis = choice.analysis;
  request.settings = choice.settings;
  request.branch = branch;
  request.probes = {.prompts = {prompt.ids}, .name = "text"};
  return request;
}

}  // namespace

std::string Session::run_id(const Choice& choice) const {
  std::string id = choice.analysis + "\n" + choice.text;
  for (const auto& [name, value] : choice.settings) id += "\n" + name + "=" + value;
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

std::string Session::why_not_run() const {
  if (!opened_) return "Run is off: no series is open.";
  if (!typed_.problem.empty()) return "Run is off: " + typed_.problem;
  if (typed_.ids.empty()) return "Run is off: the prompt is empty.";
  return "";
}

void Session::run(const std::string& analysis) {
  if (!why_not_run().empty()) return;
  Choice next = choice();
  next.analysis = analysis;
  next.text = typed_.text;
  const auto longest = static_cast<int64_t>(typed_.ids.size());
  if (const auto pos = next.selection.index("pos"); pos && *pos >= longest) next.selection.at.erase("pos");
  change(next, "run " + analysis);

  const std::string id = run_id(choice());
  Run& run = runs_[id];
  if (run.running() && !run.complete) return;  // all its cells may be in a moment before its job ends
  run.request = request_of(choice(), typed_, opened_->branch);
  run.complete = false;
  const std::shared_ptr<RunStore> store = opened_->store;
  const RunRequest all = run.request;
  const int64_t here = stop()->step;
  const auto stops = static_cast<int64_t>(opened_->stops.size());
  run.job = jobs_.submit("run", analysis + " · " + std::to_string(stops) + " checkpoints",
                         [this, id, store, all, here](Task& task) {
                           const CellDone cell_done = [this, &id, &store, &all](int64_t step,
                                                                                const std::string& key) {
                             std::optional<Dataset> found = store->result(all.analysis, key);
                             if (!found) return;
                             auto data = std::make_shared<const Dataset>(std::move(*found));
                             hand([id, step, key, data](Session& session) {
                               const auto known = session.runs_.find(id);
                               if (known == session.runs_.end())
                                 return;  // another series was opened meanwhile
                               known->second.cells[step] = {.key = key, .data = data};
                               session.touch();
                             });
                           };
                           // The step that is looked at comes first; the pass over all of them then finds it
                           // in the store.
                           RunRequest first = all;
                           first.steps = {here};
                           Task first_part = task.part(0, 0.05);
                           const RunReport now = run_analysis(store, first, first_part, cell_done);
                           Task rest = task.part(0.05, 1);
                           const RunReport report = run_analysis(store, all, rest, cell_done);
                           for (const std::string& note : report.notes) task.note(note);
                           const int64_t computed = report.computed + now.computed;
                           const int64_t cached = report.cached - now.computed;
                           hand([id, computed, cached](Session& session) {
                             const auto known = session.runs_.find(id);
                             if (known == session.runs_.end()) return;
                             known->second.computed = computed;
                             known->second.cached = cached;
                             known->second.complete = true;
                             session.touch();
                           });
                         });
  touch();
}

const Run* Session::current_run() const {
  const auto found = runs_.find(run_id(choice()));
  return found == runs_.end() ? nullptr : &found->second;
}

Shown Session::shown() const {
  const Run* run = current_run();
  if (!run || run->cells.empty()) return {};
  auto cell = run->cells.upper_bound(choice().step);
  if (cell != run->cells.begin()) --cell;
  return {.step = cell->first, .key = cell->second.key, .data = cell->second.data};
}

}  // namespace varve
