// What is shown, as JSON in a file after every change: tests assert on it instead of guessing from pixels.
#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "app/desktop/main_window.h"
#include "app/session/command_line.h"

namespace varve {

namespace {

// Larger grids are not reported: the file is written after every frame.
constexpr int64_t most_places = 600;

nlohmann::json rectangle(const QWidget& widget, const QRectF& inside) {
  const QPointF corner = widget.mapToGlobal(inside.topLeft());
  return {corner.x(), corner.y(), inside.width(), inside.height()};
}

nlohmann::json places_of(ViewHost& host) {
  nlohmann::json places = nlohmann::json::object();
  const PaneContent& content = host.content();
  if (!content.data || !content.data->has_axis("layer") || !content.data->has_axis("pos")) return places;
  const int64_t layers = content.data->extent("layer"), positions = content.data->extent("pos");
  if (layers * positions > most_places) return places;
  for (int64_t layer = 0; layer < layers; ++layer)
    for (int64_t pos = 0; pos < positions; ++pos)
      if (const auto box = host.canvas().pane().place_of({.at = {{"layer", layer}, {"pos", pos}}}))
        places[std::to_string(layer) + "," + std::to_string(pos)] =
            rectangle(host.canvas(), QRectF(box->x, box->y, box->w, box->h));
  return places;
}

// Middles of the cells of the map over training: where to click for a step and a layer.
nlohmann::json map_of(ViewCanvas& canvas) {
  nlohmann::json map = nlohmann::json::object();
  const PaneContent& content = canvas.content();
  if (!canvas.isVisible() || !content.data) return map;
  map["header"] = canvas.pane().header();
  const int64_t steps = content.data->extent("step"), layers = content.data->extent("layer");
  if (steps * layers > most_places) return map;
  const Array* ticks = content.data->coord("step");
  for (int64_t step = 0; step < steps && ticks; ++step)
    for (int64_t layer = 0; layer < layers; ++layer)
      if (const auto box = canvas.pane().place_of({.at = {{"step", step}, {"layer", layer}}}))
        map["places"][ticks->text(step) + "," + std::to_string(layer)] =
            rectangle(canvas, QRectF(box->x, box->y, box->w, box->h));
  return map;
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

}  // namespace

void MainWindow::write_state() {
  if (options_.state.empty() || !session_) return;
  nlohmann::json state;
  state["title"] = windowTitle().toStdString();
  state["theme"] = desk_.theme->is_dark ? "dark" : "light";
  state["open"] = session_->opened() != nullptr;
  state["open_error"] = session_->open_error();
  state["notice"] = notice_->words();
  state["undo"] = session_->would_undo();
  state["redo"] = session_->would_redo();
  state["status"] = status_selection_->text().toStdString();
  state["painted"] = view_->canvas().painted_frames();
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
    for (const Stop& stop : session_->opened()->stops) state["steps"].push_back(stop.step);
    state["step"] = session_->stop()->step;
    state["playing"] = session_->playing();
    state["selection"] = session_->choice().selection.at;
    state["options"] = view_->content().options;
    state["prompt"] = {{"text", session_->typed().text},
                       {"ids", session_->typed().ids},
                       {"pieces", session_->typed().pieces},
                       {"problem", session_->typed().problem}};
    const Shown shown = session_->shown();
    state["shown"] = {{"step", shown.step}, {"key", shown.key}};
    const Run* run = session_->current_run();
    state["cells"] = run ? run->cells.size() : 0;
    state["run_complete"] = run && run->complete;
    state["view"] = {{"name", view_->view() ? view_->view()->name : ""},
                     {"header", view_->header_text()},
                     {"empty", view_->empty_text()},
                     {"zoom", view_->canvas().pane().zoom()},
                     {"cell_mode", view_->canvas().pane().in_cell_mode()},
                     {"canvas", rectangle(view_->canvas(), QRectF(view_->canvas().rect()))},
                     {"places", places_of(*view_)}};
    if (view_->view()) state["command_line"] = command_line_of(*session_, view_->view()->name);
    state["inspector"] = inspector_of(inspector_->content());
    state["inspector"]["visible"] = inspector_dock_->isVisible();
    if (fold_bar_->isVisible()) state["inspector"]["tab"] = rectangle(*fold_tab_, QRectF(fold_tab_->rect()));
    state["map"] = map_of(views_->map());
    state["curves"] = views_->curves().pane().header();
  }
  const std::string text = state.dump(1);
  guarded([&] { write_file_atomically(options_.state, text); });
}

}  // namespace varve
