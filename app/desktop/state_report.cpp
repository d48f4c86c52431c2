// What is shown, as JSON in a file after every change: tests assert on it instead of guessing from pixels.
#include <QApplication>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "app/desktop/main_window.h"
#include "app/desktop/watch.h"
#include "app/session/command_line.h"

namespace varve {

namespace {

// Larger grids are not reported: the file is written after every frame.
constexpr int64_t most_places = 600;
// A moment for what belongs together to be written as one; then long enough for a frame to pass.
constexpr int soon_millis = 4, again_millis = 25;
constexpr int idle_millis = 100;  // what no part of the window tells of is seen all the same

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
                         {"zoom_y", tile.canvas().pane().zoom_y()},
                         {"cell_mode", tile.canvas().pane().in_cell_mode()},
                         {"tip", tile.canvas().pane().tip_text()},
                         {"measures", tile.canvas().pane().measures()},
                         {"tile", rectangle(tile, QRectF(tile.rect()))},
                         {"bar", rectangle(tile.header_bar(), QRectF(tile.header_bar().rect()))},
                         {"canvas", rectangle(tile.canvas(), QRectF(tile.canvas().rect()))}};
  for (const auto& [text, box] : tile.canvas().pane().names())
    json["line_names"].push_back(
        {{"text", text}, {"box", rectangle(tile.canvas(), QRectF(box.x, box.y, box.w, box.h))}});
  json["title_shown"] = tile.title_shown();
  json["words_shown"] = tile.words_shown();
  for (const QObject* part : tile.header_bar().children())
    if (const auto* widget = qobject_cast<const QWidget*>(part); widget && widget->isVisible())
      json["bar_parts"].push_back(rectangle(*widget, QRectF(widget->rect())));
  for (const QWidget* control : tile.findChildren<QWidget*>())
    if (const std::string name = control->objectName().toStdString();
        name.starts_with("option_") && control->isVisible())
      json["controls"][name.substr(7)] = rectangle(*control, QRectF(control->rect()));
  if (tile.canvas().frame().shows_times()) json["frame_millis"] = tile.canvas().frame().times().median();
  return json;
}

nlohmann::json inspector_of(const InspectorContent& content) {
  if (content.mark) {
    nlohmann::json mark = {{"heading", content.mark->heading}, {"under", content.mark->under}};
    for (const Fact& fact : content.mark->numbers) mark["numbers"][fact.name] = fact.value;
    if (content.mark->course) mark["steps_over_training"] = content.mark->course->steps;
    return mark;
  }
  nlohmann::json inspector = {{"heading", content.facts ? content.facts->heading : content.heading}};
  if (!content.facts) return inspector;
  for (const TopToken& token : content.facts->top)
    inspector["top"].push_back({{"text", token.text}, {"id", token.id}, {"probability", token.probability}});
  for (const Fact& fact : content.facts->numbers) inspector["numbers"][fact.name] = fact.value;
  for (const Fact& fact : content.facts->origin) inspector["origin"][fact.name] = fact.value;
  if (content.over) inspector["steps_over_training"] = content.over->steps;
  return inspector;
}

}  // namespace

void MainWindow::write_state() {
  if (options_.state.empty() || !session_) return;
  if (!state_writer_) {
    state_writer_ = std::make_unique<FileWriter>(options_.state);
    state_timer_.setSingleShot(true);
    connect(&state_timer_, &QTimer::timeout, this, [this] { write_state_now(); });
  }
  state_timer_.start(soon_millis);
}

// Whether a person who reads the state now may press what it names: no layout, picture or answer is under
// way, and nothing has moved since the last look.
bool MainWindow::stands_still(const std::string& places) {
  std::string where = places;
  for (const QWidget* part : findChildren<QWidget*>())
    if (part->isVisible()) {
      const QRect box(part->mapToGlobal(QPoint(0, 0)), part->size());
      where += fmt::format(" {} {} {} {}", box.x(), box.y(), box.width(), box.height());
    }
  const bool stood = where == stood_;
  stood_ = std::move(where);
  if (!stood || wake_pending_ || session_->errands().busy()) return false;
  const std::vector<ViewTile*> tiles = views_->shown();
  return std::all_of(tiles.begin(), tiles.end(), [](ViewTile* tile) { return tile->canvas().is_current(); });
}

void MainWindow::write_state_now() {
  QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest);
  nlohmann::json state;
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
  std::string places;
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
        places += state["view"]["places"].dump();
      } else if (name == "heat-map" && !state.contains("map")) {
        state["map"] = json;
        state["map"]["places"] = places_of(*tile, "step", "layer");
        places += state["map"]["places"].dump();
      } else if (name == "lines" && !state.contains("curves")) {
        state["curves"] = json;
      }
      places += tile->empty_text() + tile->header_text();
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
  if (flows_) {
    state["flows"] = flows_->report();
    if (state["flows"].contains("results")) places += state["flows"]["results"]["places"].dump();
  }
  if (palette_->isVisible())
    state["palette"] = {{"typed", palette_->typed()}, {"found", palette_->shown_words()}};
  // What takes the keys before the window does.
  for (const QWidget* above : {QApplication::activePopupWidget(), QApplication::activeModalWidget()})
    if (above)
      state["above"].push_back(std::string(above->metaObject()->className()) + " " +
                               above->windowTitle().toStdString());
  if (const QWidget* focused = QApplication::focusWidget())
    state["focus"] = {{"name", focused->accessibleName().toStdString()},
                      {"said", focused->accessibleDescription().toStdString()}};
  const bool settled = stands_still(places);
  state["settled"] = settled;
  state_writer_->write(state.dump(1));
  state_timer_.start(settled ? idle_millis : again_millis);
}

}  // namespace varve
