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
  touch();
}

const StoredRun* Session::newest_stored(const std::string& analysis) const {
  const auto known = newest_.find(analysis);
  return known == newest_.end() ? nullptr : known->second.get();
}

const StoredRun* Session::newest_cells(const std::string& analysis) const {
  const auto known = newest_cells_.find(analysis);
  return known == newest_cells_.end() ? nullptr : known->second.get();
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
  change(fitting(next), "show " + stored.analysis);
  if (!stored.text.empty()) typed_ = read_prompt(stored.text, *opened_);
  const auto known = runs_.find(run_id(stored.analysis, asked));
  if (known == runs_.end() || known->second.cells.size() < stored.cells.size())
    recall(stored.analysis, asked, &stored);
  // Where every open view is about another analysis, nothing would be seen of it.
  const auto is_of_it = [&stored](const OpenView& view) {
    return view.result.analysis.empty() || view.result.analysis == stored.analysis;
  };
  if (std::none_of(bench().views.begin(), bench().views.end(), is_of_it)) {
    OpenView view;
    view.result.analysis = stored.analysis;
    if (has_reduce(analysis)) view.result.which = ResultRef::Which::series;
    open_view(std::move(view));
  }
  touch();
}

}  // namespace varve
