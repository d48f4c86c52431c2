// From an open view to what it draws.
#include "app/session/view_content.h"

#include <algorithm>
#include <cctype>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/difference.h"
#include "app/session/results.h"
#include "viz/pick.h"

namespace varve {

namespace {

using Which = ResultRef::Which;

std::string analysis_of(const Session& session, const OpenView& view) {
  if (!view.result.analysis.empty()) return view.result.analysis;
  return session.choice().analysis.empty() ? "logit-lens" : session.choice().analysis;
}

// Views over training with no quantity of their own take that of the lens table.
const OpenView* leading_table(const Session& session) {
  for (const OpenView& view : session.bench().views)
    if (view.view == "lens-table" && view.result.which == Which::cell) return &view;
  return nullptr;
}

std::string option_of(const OpenView* view, const std::string& name, const std::string& otherwise) {
  if (!view) return otherwise;
  const auto found = view->options.find(name);
  return found == view->options.end() ? otherwise : found->second;
}

// Of the step axis the nearest earlier place that the data has, as everywhere.
std::optional<int64_t> place_of_step(const Dataset& data, int64_t step) {
  const Array* ticks = data.coord("step");
  if (!ticks || !data.has_axis("step") || ticks->dtype() == Dtype::text) return std::nullopt;
  std::optional<int64_t> place;
  for (int64_t i = 0; i < ticks->size(); ++i)
    if (ticks->number(i) <= static_cast<double>(step)) place = i;
  return place;
}

Selection selection_for(const Session& session, const OpenView& view, const Dataset& data) {
  Selection selection;
  for (const auto& [axis, index] : session.choice().selection.at)
    if (index >= 0 && index < places_along(data, axis)) selection.at[axis] = index;
  if (view.own_layer && data.has_axis("layer") && *view.own_layer < data.extent("layer"))
    selection.at["layer"] = *view.own_layer;
  int64_t step = view.own_step.value_or(session.choice().step);
  if (view.against == OpenView::Against::pin) step = session.choice().pin.value_or(step);
  if (const auto place = place_of_step(data, step)) selection.at["step"] = *place;
  return selection;
}

std::string with_capital(std::string words) {
  if (!words.empty()) words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
  return words;
}

// The quantity in the title's words, without what it was taken over: the view's own line says that.
std::string quantity_words(const Dataset& data, const std::string& array) {
  if (!data.has(array)) return "";
  const std::string title = data[array].title.empty() ? array : data[array].title;
  const std::string quantity = title.substr(0, title.find(", "));
  // A header is short: "probability of the true next token" is told whole beside the scale.
  constexpr size_t longest = 24;
  const std::string shorter =
      quantity.size() > longest ? quantity.substr(0, quantity.find(" of ")) : quantity;
  if (shorter.size() <= longest + 8) return shorter;
  std::string name = array;
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// What the view draws where nobody says which array: the first that it offers.
std::string drawn_array(const ViewContent& content) {
  const auto array = content.options.find("array");
  if (array == content.options.end()) return "";
  if (!array->second.empty() || !content.view->choices) return array->second;
  const auto offered = content.view->choices(*content.data, "array", content.options);
  return offered.empty() ? "" : offered.front();
}

void say_why_empty(const Session& session, const std::string& analysis, ViewContent& content) {
  const Run* run = session.run_of(analysis);
  const bool is_known = analyses().find(analysis) != nullptr;
  const std::string step = session.stop() ? show_step(session.stop()->step) : "";
  if (!is_known) {
    content.empty = "This build has no analysis " + analysis + ".";
  } else if (run && run->running()) {
    content.empty = analysis == "logit-lens" ? "Computing the lens of step " + step + " first."
                                             : "Computing " + analysis + ".";
  } else if (run && run->job && run->job->state() == Job::State::failed) {
    content.empty = "The run failed: " + run->job->error();
    content.offer = analysis;
  } else if (const std::string why = session.why_not_run(analysis); !why.empty()) {
    content.empty = analysis == "logit-lens" && session.typed().ids.empty() && session.typed().problem.empty()
                        ? "No lens yet. Type a prompt above: its tokens appear, and Run asks every layer "
                          "what comes next."
                        : why;
  } else {
    content.empty =
        analysis == "logit-lens" ? "No lens for this prompt yet." : "No " + analysis + " of this series yet.";
    content.offer = analysis;
  }
}

const View* view_for(const OpenView& view, const Dataset& data) {
  const View* chosen = view.view.empty() ? nullptr : views().find(view.view);
  return chosen && chosen->fit(data) > 0 ? chosen : best_view(data);
}

// Options that the view declares, the rest left out: another view may have been chosen since.
SettingValues options_for(const View& view, const SettingValues& given) {
  SettingValues known;
  for (const SettingInfo& info : view.options)
    if (const auto found = given.find(info.name); found != given.end()) known[info.name] = found->second;
  return normalise(view.options, known, view.name);
}

// A layout asks for the arrays that a result usually has; one made of other curves is drawn all the same.
void drop_missing_arrays(const Dataset& data, SettingValues& options) {
  const auto asked = options.find("array");
  if (asked == options.end()) return;
  for (const std::string& name : split(asked->second, ','))
    if (!name.empty() && !data.has(name)) {
      options.erase(asked);
      return;
    }
}

}  // namespace

std::string view_title(const std::string& view_name) {
  std::string title = view_name;
  std::replace(title.begin(), title.end(), '-', ' ');
  return with_capital(title == "lens table" ? "logit lens" : title);
}

void ViewContents::keep_only(const Bench& bench) {
  std::erase_if(made_, [&bench](const auto& made) { return !bench.find(made.first); });
}

namespace {

// A run of this session has something to show, or soon will.
bool is_held(const Run* run) { return run && (!run->is_recalled || run->running() || !run->cells.empty()); }

// What nobody ran here; a lens of another prompt than the one typed would be taken for its own.
const StoredRun* stored_cells_of(const Session& session, const std::string& analysis) {
  if (analysis == "logit-lens" && !session.typed().ids.empty()) return nullptr;
  return session.newest_cells(analysis);
}

// Of that step, else of the nearest earlier one: of a run of this session, or where nobody ran it here of
// what the store holds.
Shown cell_at(Session& session, const std::string& analysis, int64_t step) {
  if (const Run* run = session.run_of(analysis); is_held(run)) return session.shown_at(run, step);
  const StoredRun* newest = stored_cells_of(session, analysis);
  if (!newest) return {};
  auto cell = newest->cells.upper_bound(step);
  if (cell != newest->cells.begin()) --cell;
  return {.step = cell->first, .key = cell->second, .data = session.stored(analysis, cell->second)};
}

// Nothing is shown although there is a cell: it is being read, or cannot be.
void say_why_unread(const Session& session, const Shown& shown, ViewContent& content) {
  if (shown.data || shown.key.empty()) return;
  content.empty = session.stored_problem(shown.key);
  if (content.empty.empty()) content.empty = "Reading the result.";
}

}  // namespace

void ViewContents::fill_against(const OpenView& view, const Shown& shown, const Shown& then,
                                ViewContent& content) {
  const View* const drawn_by = view_for(view, *shown.data);
  if (!drawn_by) return;
  Made& made = made_[view.id];
  if (made.now != shown.data || made.pinned != then.data || !made.compared) {
    Compared compared = compare(*drawn_by, *shown.data, shown.step, *then.data, then.step);
    made.compared = std::make_shared<const Dataset>(std::move(compared.data));
    made.options = std::move(compared.options);
    made.now = shown.data;
    made.pinned = then.data;
  }
  content.data = made.compared;
  content.pinned_key = then.key;
  content.pinned_step = then.step;
  content.note = marks_what_is_shared(*drawn_by)
                     ? "A, step " + show_step(then.step) + ", and now, step " + show_step(shown.step)
                     : "now minus A, step " + show_step(shown.step) + " minus " + show_step(then.step);
}

void ViewContents::fill_cell(Session& session, const OpenView& view, ViewContent& content) {
  const auto& pin = session.choice().pin;
  int64_t step = view.own_step.value_or(session.choice().step);
  if (view.against == OpenView::Against::pin && pin) step = *pin;
  const Shown shown = cell_at(session, content.analysis, step);
  content.data = shown.data;
  content.key = shown.key;
  content.step = shown.step;
  say_why_unread(session, shown, content);
  if (!shown.data) return;
  if (const StoredRun* stored = stored_cells_of(session, content.analysis);
      stored && !is_held(session.run_of(content.analysis)))
    content.note = "stored, " + stored->probes;
  if (shown.step != step)
    content.note = "step " + show_step(step) + ", " +
                   (content.analysis == "logit-lens" ? "lens" : content.analysis) + " from " +
                   show_step(shown.step);
  if (const Run* run = session.run_of(content.analysis); run && run->running() && shown.step != step)
    content.computing = "computing step " + show_step(step);
  if (view.against == OpenView::Against::now) return;
  if (!pin) {
    content.note = "no step is pinned: A pins one";
    return;
  }
  if (view.against == OpenView::Against::pin) {
    content.note = "A, step " + show_step(shown.step);
    return;
  }
  const Shown then = cell_at(session, content.analysis, *pin);
  say_why_unread(session, then, content);
  content.data = nullptr;
  if (then.data) fill_against(view, shown, then, content);
}

void ViewContents::fill_series(Session& session, const OpenView& view, ViewContent& content) {
  if (view.against == OpenView::Against::now || !content.data) return;
  const auto& pin = session.choice().pin;
  const auto place = pin ? place_of_step(*content.data, *pin) : std::nullopt;
  if (!place) {
    content.note = pin ? "a result without steps has no A" : "no step is pinned: A pins one";
    return;
  }
  const auto step = static_cast<int64_t>(content.data->coord("step")->number(*place));
  const View* const drawn_by = view_for(view, *content.data);
  if (view.against == OpenView::Against::pin || !drawn_by) {
    content.note = "A, step " + show_step(step);
  } else if (marks_what_is_shared(*drawn_by)) {
    made_[view.id].options = {{"before", std::to_string(*place)}};
    content.pinned_step = step;
    content.note = "A, step " + show_step(step) + ", and now";
  } else {
    Made& made = made_[view.id];
    if (made.now != content.data || made.place != *place || !made.compared)
      made.compared = std::make_shared<const Dataset>(difference_to(*content.data, *place));
    made.now = content.data;
    made.place = *place;
    content.data = made.compared;
    content.pinned_key = content.key;
    content.pinned_step = step;
    made.options = options_of_difference(*drawn_by);
    content.note = "every step minus A, step " + show_step(step);
  }
}

void ViewContents::fill_steps(Session& session, const OpenView& view, ViewContent& content) {
  const OpenView* table = leading_table(session);
  const std::string quantity = option_of(&view, "array", option_of(table, "colour", "prob_true"));
  content.data = made_[view.id].by_step.of(session, quantity);
  if (!content.data) return;
  content.options = {{"array", quantity},
                     {"map", option_of(table, "map", "strata")},
                     {"range", option_of(table, "range", "robust")},
                     {"log", quantity.rfind("rank_", 0) == 0 ? "true" : "false"}};
}

ViewContent ViewContents::of(Session& session, const OpenView& view) {
  ViewContent content;
  content.analysis = analysis_of(session, view);
  content.title =
      view.title.empty() ? view_title(view.view.empty() ? content.analysis : view.view) : view.title;
  if (!session.opened()) return content;
  const Run* run = session.run_of(content.analysis);
  try {
    switch (view.result.which) {
      case Which::cell:
        fill_cell(session, view, content);
        break;
      case Which::steps:
        fill_steps(session, view, content);
        break;
      case Which::series:
        content.data = run ? run->series : nullptr;
        content.key = run ? run->series_key : "";
        if (!is_held(run))
          if (const StoredRun* newest = session.newest_stored(content.analysis)) {
            content.data = session.stored(content.analysis, newest->series_key);
            content.key = newest->series_key;
            const std::string settings = settings_words(*newest);
            content.note = "stored" + (settings.empty() ? "" : ", " + settings);
            content.empty = session.stored_problem(content.key);
            if (!content.data && content.empty.empty()) content.empty = "Reading the result.";
          }
        fill_series(session, view, content);
        break;
      case Which::stored:
        content.data = session.stored(content.analysis, view.result.key);
        content.key = view.result.key;
        content.empty = session.stored_problem(view.result.key);
        if (!content.data && content.empty.empty()) content.empty = "Reading the result.";
        fill_series(session, view, content);
        break;
    }
    if (!content.data) {
      if (content.empty.empty()) say_why_empty(session, content.analysis, content);
      return content;
    }
    content.view = view_for(view, *content.data);
    if (!content.view) {
      content.empty = "No view can show this result; export gives its numbers.";
      return content;
    }
    for (const auto& [name, value] : view.options) content.options[name] = value;
    if (content.pinned_step >= 0)
      for (const auto& [name, value] : made_[view.id].options) content.options[name] = value;
    drop_missing_arrays(*content.data, content.options);
    content.options = options_for(*content.view, content.options);
  } catch (const Error& error) {
    content.view = nullptr;
    content.data = nullptr;
    content.empty = error.what();
    return content;
  }
  content.selection = selection_for(session, view, *content.data);
  if (view.title.empty()) {
    content.title = view_title(content.view->name);
    const std::string quantity = quantity_words(*content.data, drawn_array(content));
    const auto axis = [&content](const char* name) {
      const auto found = content.options.find(name);
      return found == content.options.end() ? "" : found->second;
    };
    if (!quantity.empty() && content.view->name == "heat-map" && !axis("y").empty() && !axis("x").empty())
      content.title = with_capital(quantity) + " by " + axis("y") + " and " + axis("x");
    else if (!quantity.empty() && !axis("x").empty())
      content.title = with_capital(quantity) + " by " + axis("x");
  }
  if (view.own_step || view.own_layer) {
    std::string own = "unlinked";
    if (view.own_step) own += ", step " + show_step(*view.own_step);
    if (view.own_layer) own += ", layer " + std::to_string(*view.own_layer);
    content.note = content.note.empty() ? own : own + " · " + content.note;
  }
  return content;
}

std::pair<std::map<std::string, int64_t>, std::optional<int64_t>> chosen_place(
    const Dataset& data, const std::map<std::string, int64_t>& at) {
  std::map<std::string, int64_t> rest = at;
  std::optional<int64_t> step;
  const Array* ticks = data.coord("step");
  if (const auto place = rest.extract("step"); !place.empty() && ticks && place.mapped() < ticks->size())
    step = static_cast<int64_t>(ticks->number(place.mapped()));
  return {rest, step};
}

}  // namespace varve
