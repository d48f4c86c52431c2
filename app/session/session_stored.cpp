// Showing what the store holds already.
#include <algorithm>

#include "app/session/results.h"
#include "app/session/run_form.h"
#include "app/session/session.h"

namespace varve {

void Session::know_results(const std::vector<StoredRun>& found) {
  Newest series, cells;
  for (const StoredRun& run : found) {
    if (!run.is_current) continue;
    const auto keep = [&run](std::shared_ptr<const StoredRun>& known) {
      if (!known || run.written > known->written) known = std::make_shared<const StoredRun>(run);
    };
    if (!run.series_key.empty()) keep(series[run.analysis]);
    if (!run.cells.empty()) keep(cells[run.analysis]);
  }
  newest_ = std::move(series);
  newest_cells_ = std::move(cells);
  show_stored_lens();
  touch();
}

// A series that was opened for the first time begins with the lens it holds, as if its row had been clicked;
// nobody acted, so there is nothing to undo.
void keep_within(std::map<std::string, StoredResult>& results, int64_t bytes) {
  int64_t held = 0;
  for (const auto& [key, result] : results) held += result.bytes;
  while (held > bytes) {
    auto oldest = results.end();
    for (auto at = results.begin(); at != results.end(); ++at)
      // What somebody else holds too is on screen: it would only be read again.
      if (at->second.data && at->second.data.use_count() == 1 &&
          (oldest == results.end() || at->second.asked < oldest->second.asked))
        oldest = at;
    if (oldest == results.end()) return;
    held -= oldest->second.bytes;
    results.erase(oldest);
  }
}

void Session::show_stored_lens() {
  const StoredRun* const lens = newest_cells("logit-lens");
  if (!lens || !opened_ || !choice().asked.empty() || !typed_.text.empty()) return;
  history_.amend(choice_of(*lens));
  take_prompt_and_cells(*lens);
}

Choice Session::choice_of(const StoredRun& stored) const {
  const Analysis& analysis = analyses().get(stored.analysis);
  Asked asked{.text = stored.text,
              .settings = changed_settings(analysis.settings, stored.settings),
              .branch = stored.branch,
              .compute = stored.compute == "f32" ? "" : stored.compute,
              .steps = {}};
  if (stored.cells.size() < opened_->stops_of(stored.branch).size())
    for (const auto& [step, key] : stored.cells) asked.steps.push_back(step);
  Choice next = choice();
  next.analysis = stored.analysis;
  next.branch = stored.branch;
  next.asked[stored.analysis] = asked;
  // What was selected in another prompt need not be there in this one.
  next.selection.at.erase("pos");
  next.selection.at.erase("prompt");
  return fitting(next);
}

void Session::take_prompt_and_cells(const StoredRun& stored) {
  if (!stored.text.empty()) typed_ = read_prompt(stored.text, *opened_);
  const Asked& asked = choice().asked.at(stored.analysis);
  const auto known = runs_.find(run_id(stored.analysis, asked));
  if (known == runs_.end() || known->second.cells.size() < stored.cells.size())
    recall(stored.analysis, asked, &stored);
}

const StoredRun* Session::newest_stored(const std::string& analysis) const {
  const auto known = newest_.find(analysis);
  return known == newest_.end() ? nullptr : known->second.get();
}

const StoredRun* Session::newest_cells(const std::string& analysis) const {
  const auto known = newest_cells_.find(analysis);
  return known == newest_cells_.end() ? nullptr : known->second.get();
}

void Session::show_cells(const StoredRun& stored) {
  change(choice_of(stored), "show " + stored.analysis);
  take_prompt_and_cells(stored);
  touch();
}

void Session::show_stored(const StoredRun& stored) {
  if (!opened_) return;
  if (stored.cells.empty()) {
    // Reduced over the series alone: a view of its own, the one that fits best.
    OpenView view;
    view.result = {stored.analysis, ResultRef::Which::stored, stored.series_key};
    if (!stored.series_key.empty()) open_view(std::move(view));
    return;
  }
  show_cells(stored);
  Bench next = bench();
  show_somewhere(next, analyses().get(stored.analysis), true);
  if (next != bench()) change_bench(next, "open a view");
  touch();
}

}  // namespace varve
