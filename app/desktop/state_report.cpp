// What is shown, as JSON in a file after every change: tests assert on it instead of guessing from pixels.
#include <QApplication>
#include <QLayout>
#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "app/desktop/main_window.h"
#include "app/desktop/watch.h"
#include "app/session/command_line.h"

namespace varve {

namespace {

// Larger grids are not reported: the file is written after every frame.
constexpr int64_t most_places = 600;

nlohmann::json rectangle(const QWidget& widget, const QRectF& inside) {
  const QPointF corner = widget.mapToGlobal(inside.topLeft());
  return {corner.x(), corner.y(), inside.width(), inside.height()};
}

// Where every mark of a grid lies, "row,column" by what the two axes count: steps by their number.
nlohmann::json places_of(ViewTile& tile, const char* first, const char* second) {
  nlohmann::json places = nlohmann::json::object();
  const ViewContent& content = tile.content();
  if (!tile.isVisible() || !content.view || !content.data->has_axis(first) || !content.data->has_axis(second))
    return places;
  const int64_t rows = content.data->extent(first), columns = content.data->extent(second);
  if (rows * columns > most_places) return places;
  const Array* ticks = std::string(first) == "step" ? content.data->coord(first) : nullptr;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      if (const auto box = tile.canvas().pane().place_of({.at = {{first, row}, {second, column}}}))
        places[(ticks ? ticks->text(row) : std::to_string(row)) + "," + std::to_string(column)] =
            rectangle(tile.canvas(), QRectF(box->x, box->y, box->w, box->h));
  return places;
}

nlohmann::json view_of(ViewTile& tile, const OpenView& view) {
  const ViewContent& content = tile.content();
  nlohmann::json json = {{"id", view.id},
                         {"name", content.view ? content.view->name : ""},
                         {"title", tile.title()},
                         {"header", tile.header_text()},
                         {"empty", tile.empty_text()},
                         {"seen", tile.isVisible()},
                         {"options", content.options},
                         {"selection", content.selection.at},
                         {"zoom", tile.canvas().pane().zoom()},
                         {"cell_mode", tile.canvas().pane().in_cell_mode()},
                         {"tile", rectangle(tile, QRectF(tile.rect()))},
                         {"bar", rectangle(tile.header_bar(), QRectF(tile.header_bar().rect()))},
                         {"canvas", rectangle(tile.canvas(), QRectF(tile.canvas().rect()))}};
  return json;
}

nlohmann::json inspector_of(const InspectorContent& content) {
  nlohmann::json inspector = {{"heading", content.facts ? content.facts->heading : content.heading}};
  if (!content.facts) return inspector;
  for (const TopToken& token : content.facts->top)
    inspector["top"].push_back({{"text", token.text}, {"id", token.id}, {"probability", token.probability}});
  for (const Fact& fact : content.facts->numbers) inspector["numbers"][fact.name] = fact.value;
  for (const Fact& fact : content.facts->origin) inspector["origin"][fact.name] = fact.value;
  if (content.over) inspector["steps_over_training"] = content.over->steps;
  return inspector;
}

// Whether what is painted lies where the layout wants it by now: a canvas was painted since it got its size.
bool is_settled(ViewTile& tile) {
  if (tile.layout()) tile.layout()->activate();
  ViewCanvas& canvas = tile.canvas();
  if (!canvas.isVisible()) return true;
  const auto frames = static_cast<qlonglong>(canvas.painted_frames());
  if (canvas.property("seen_size").toSize() != canvas.size()) {
    canvas.setProperty("seen_size", canvas.size());
    canvas.setProperty("seen_at", frames);
  }
  return frames > canvas.property("seen_at").toLongLong();
}

}  // namespace

void MainWindow::write_state() {
  if (options_.state.empty() || !session_) return;
  nlohmann::json state;
  if (workbench_->layout()) workbench_->layout()->activate();
  bool settled = true;
  for (ViewTile* tile : views_->shown()) settled = is_settled(*tile) && settled;
  state["settled"] = settled;
  state["prompt_shown"] = prompt_->isVisible();
  state["title"] = windowTitle().toStdString();
  state["theme"] = desk_.theme->is_dark ? "dark" : "light";
  state["open"] = session_->opened() != nullptr;
  state["open_error"] = session_->open_error();
  state["notice"] = notice_->words();
  state["undo"] = session_->would_undo();
  state["redo"] = session_->would_redo();
  state["status"] = status_plain_;
  int64_t painted = 0;
  for (const auto& job : session_->jobs().all())
    state["jobs"].push_back({{"title", job->title()},
                             {"finished", job->finished()},
                             {"stopped", job->state() == Job::State::stopped},
                             {"fraction", job->progress()->fraction()},
                             {"doing", job->progress()->doing()},
                             {"failed", job->state() == Job::State::failed},
                             {"error", job->error()}});
  if (session_->opened()) {
    state["series"] = session_->opened()->name();
    state["store"] = session_->opened()->store->folder().string();
    for (const Stop& stop : session_->stops()) state["steps"].push_back(stop.step);
    state["step"] = session_->stop()->step;
    state["playing"] = session_->playing();
    state["selection"] = session_->choice().selection.at;
    state["branch"] = session_->choice().branch;
    state["set"] = session_->choice().set.members;
    if (session_->choice().brush) state["brush"] = *session_->choice().brush;
    for (const RailEvent& event : rail_->events())
      state["events"].push_back({{"step", event.step}, {"label", event.label}});
    state["rail"] = rectangle(*rail_->axis(), QRectF(rail_->axis()->rect()));
    if (session_->choice().pin) state["pin"] = *session_->choice().pin;
    state["prompt"] = {{"text", session_->typed().text},
                       {"ids", session_->typed().ids},
                       {"pieces", session_->typed().pieces},
                       {"problem", session_->typed().problem}};
    const Shown shown = session_->shown();
    state["shown"] = {{"step", shown.step}, {"key", shown.key}};
    const Run* run = session_->current_run();
    state["cells"] = run ? run->cells.size() : 0;
    state["run_complete"] = run && run->complete;
    state["active"] = session_->bench().active;
    for (const OpenView& view : session_->bench().views) {
      ViewTile* const tile = views_->tile(view.id);
      if (!tile) continue;
      nlohmann::json json = view_of(*tile, view);
      painted += tile->canvas().painted_frames();
      if (view.id == session_->bench().active)
        state["command_line"] = command_line_of(*session_, view, tile->content());
      // The lens table and the first map over training, by names of their own.
      const std::string name = json["name"];
      if (view.result.which == ResultRef::Which::cell && !state.contains("view") &&
          (name == "lens-table" || tile->content().view == nullptr)) {
        state["view"] = json;
        state["view"]["places"] = places_of(*tile, "layer", "pos");
        state["options"] = tile->content().options;
      } else if (name == "heat-map" && !state.contains("map")) {
        state["map"] = json;
        state["map"]["places"] = places_of(*tile, "step", "layer");
      } else if (name == "lines" && !state.contains("curves")) {
        state["curves"] = json;
      }
      state["views"].push_back(std::move(json));
    }
    state["painted"] = painted;
    for (QTabBar* bar : views_->tab_bars()) state["tabs"].push_back(rectangle(*bar, QRectF(bar->rect())));
    state["inspector"] = inspector_of(inspector_->content());
    state["inspector"]["visible"] = inspector_dock_->isVisible();
    if (fold_bar_->isVisible()) state["inspector"]["tab"] = rectangle(*fold_tab_, QRectF(fold_tab_->rect()));
  }
  if (const auto* watched = qobject_cast<const WatchedApplication*>(QApplication::instance()))
    state["held_up"] = {{"millis", watched->held_up().longest_millis},
                        {"by", watched->held_up().by},
                        {"paint_millis", watched->held_up().longest_paint_millis}};
  state["sessions"] = sessions_.size();
  if (flows_) state["flows"] = flows_->report();
  if (palette_->isVisible())
    state["palette"] = {{"typed", palette_->typed()}, {"found", palette_->shown_words()}};
  if (const QWidget* focused = QApplication::focusWidget())
    state["focus"] = {{"name", focused->accessibleName().toStdString()},
                      {"said", focused->accessibleDescription().toStdString()}};
  const std::string text = state.dump(1);
  guarded([&] { write_file_atomically(options_.state, text); });
}

}  // namespace varve
