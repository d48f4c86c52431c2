// Wiring of the docks at the left and of the tour.
#include "app/desktop/flow_docks.h"

#include <algorithm>

#include "analysis/core/error.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/answer.h"

namespace varve {

namespace {

constexpr int left_width = 248, least_left = 220, form_height = 520, narrow = 1100, look_millis = 200;

nlohmann::json box_of(const QRect& box) { return {box.x(), box.y(), box.width(), box.height()}; }

}  // namespace

FlowDocks::FlowDocks(Desk& desk, QMainWindow& window, StartPage& start, JobsDock& jobs,
                     const std::filesystem::path& folder, Wishes wishes)
    : QObject(&window), desk_(desk), window_(window), start_(start), jobs_(jobs), wishes_(std::move(wishes)) {
  results_ = new ResultsDock(desk, &window);
  form_ = new RunFormDock(desk, folder / "recent_runs.json", &window);
  notes_ = new NotesDock(desk, &window);
  results_place_ = add_dock("results_dock", tr("Series and results"), results_);
  form_place_ = add_dock("run_dock", tr("Run"), form_);
  notes_place_ = add_dock("notes_dock", tr("Notes"), notes_);
  wanted_ = {{"results", true}, {"run", false}, {"notes", false}};
  window.setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
  strip_bar_ = new QToolBar(tr("Tour"), &window);
  strip_bar_->setObjectName("tour_bar");
  strip_bar_->setMovable(false);
  strip_bar_->setContextMenuPolicy(Qt::PreventContextMenu);
  strip_bar_->toggleViewAction()->setVisible(false);
  strip_bar_->addWidget(strip_ = new TourStrip(desk, strip_bar_));
  strip_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  window.addToolBar(Qt::BottomToolBarArea, strip_bar_);
  strip_bar_->hide();
  start.remember_in(folder / "recent_series.json");
  strip_->remember_in(folder / "tour");
  start.show_tour(strip_->tour());
  look_timer_.setInterval(look_millis);
  connect(&look_timer_, &QTimer::timeout, this, [this] { look(); });

  connect(results_, &ResultsDock::close_asked, this, [this] { toggle("results"); });
  form_->results = [this] { return results_->results(); };
  connect(form_, &RunFormDock::close_asked, this, [this] { toggle("run"); });
  connect(notes_, &NotesDock::close_asked, this, [this] { toggle("notes"); });
  connect(results_, &ResultsDock::run_asked, this,
          [this](const std::string& analysis) { open_form(analysis); });
  connect(results_, &ResultsDock::note_asked, this, [this](int index) {
    wanted_["notes"] = true;
    notes_->go_to(index);
    refresh();
  });
  connect(notes_, &NotesDock::changed, this, [this] {
    results_->show_notes(notes_->notes());
    desk_.acted();
  });
  connect(&jobs, &JobsDock::again_asked, this, [this](const std::string& title) {
    const std::string analysis = title.substr(0, title.find(" · "));
    if (analyses().find(analysis)) open_form(analysis);
  });
  connect(&start, &StartPage::find_asked, this,
          [this](const QString& path) { wishes_.find(path.toStdString()); });
  connect(&start, &StartPage::question_asked, this,
          [this](int question, const QString& path) { ask(question, path.toStdString()); });
  connect(&start, &StartPage::tour_asked, this, [this] { begin_tour(); });
  connect(strip_, &TourStrip::moved, this, [this] {
    start_.show_tour(strip_->tour());
    strip_bar_->setVisible(strip_->tour().running());
    strip_->tour().running() ? look_timer_.start() : look_timer_.stop();
    desk_.acted();
  });
}

QDockWidget* FlowDocks::add_dock(const char* name, const QString& title, QWidget* inside) {
  auto* dock = new QDockWidget(title, &window_);
  dock->setObjectName(name);
  dock->setFeatures(QDockWidget::NoDockWidgetFeatures);
  dock->setTitleBarWidget(new QWidget(dock));
  inside->setMinimumWidth(least_left);
  dock->setWidget(inside);
  dock->hide();
  window_.addDockWidget(Qt::LeftDockWidgetArea, dock);
  return dock;
}

void FlowDocks::take_in_opened() {
  seen_ = desk_.session->opened();
  results_told_ = -1;
  if (!seen_) return;
  start_.note_opened(*seen_, -1);
  window_.resizeDocks({results_place_}, {left_width}, Qt::Horizontal);
  if (question_ == 0) return;
  const int question = std::exchange(question_, 0);
  if (question == 6)
    wishes_.verify();
  else
    wishes_.use_layout(question);
}

void FlowDocks::ask(int question, const std::string& path) {
  question_ = question;
  if (path.empty())
    wishes_.open_demo();
  else
    wishes_.open(path);
}

void FlowDocks::refresh() {
  if (desk_.session->opened() != seen_) take_in_opened();
  const bool is_open = seen_ != nullptr;
  const bool is_narrow = window_.width() < narrow;
  notes_->refresh();
  results_->refresh();
  if (form_place_->isVisible()) form_->refresh();
  results_place_->setVisible(is_open && wanted_["results"] && !is_narrow);
  form_place_->setVisible(is_open && wanted_["run"]);
  notes_place_->setVisible(is_open && wanted_["notes"]);
  const auto results = static_cast<int64_t>(results_->results().size());
  if (is_open && results != results_told_) {
    results_told_ = results;
    start_.note_opened(*seen_, results);
  }
  look();  // every step that is visited counts, however quickly
}

void FlowDocks::open_form(const std::string& analysis) {
  wanted_["run"] = true;
  if (!analysis.empty()) form_->open_with(analysis);
  refresh();
  form_->refresh();
  window_.resizeDocks({form_place_}, {form_height}, Qt::Vertical);
  form_->take_focus();
}

void FlowDocks::open_form(const RunForm& form) {
  form_->open_with(form);
  open_form(std::string());
}

void FlowDocks::run_again() {
  if (form_->recent().empty()) fail("Nothing was run from the form yet. Analyse, Run opens it.");
  form_->run_again();
}

void FlowDocks::note_here() {
  wanted_["notes"] = true;
  refresh();
  notes_->add_here();
}

void FlowDocks::toggle(const std::string& dock) {
  wanted_[dock] = !wanted_[dock];
  refresh();
  if (dock == "run" && wanted_[dock]) form_->take_focus();
  desk_.acted();
}

void FlowDocks::kept() {
  ++kept_;
  look();
}

TourSight FlowDocks::sight() const {
  TourSight sight;
  const Session& session = *desk_.session;
  sight.is_open = session.opened() != nullptr;
  sight.kept = kept_;
  if (!sight.is_open) return sight;
  const Choice& choice = session.choice();
  sight.step = choice.step;
  sight.reads_cell = wishes_.reads_cell();
  sight.selected = choice.selection.at;
  sight.top_layer = session.opened()->spec.layers;
  sight.has_pin = choice.pin.has_value();
  sight.is_at_last = choice.step == session.stops().back().step;
  for (const auto& [id, run] : session.runs())
    if (!run.cells.empty()) sight.cells_of.insert(id);
  if (const Run* run = session.run_of("logit-lens"); run && choice.selection.index("pos")) {
    std::vector<std::pair<int64_t, const Dataset*>> cells;
    for (const auto& [step, cell] : run->cells) cells.emplace_back(step, cell.data.get());
    const auto answer = answer_at(cells, choice.step, choice.selection.index("prompt").value_or(0),
                                  *choice.selection.index("pos"));
    if (answer) sight.answer = answer->sentence;
  }
  return sight;
}

void FlowDocks::look() {
  if (!strip_->tour().running()) return;
  strip_->look(sight(), wishes_.place_of);
}

nlohmann::json FlowDocks::report() const {
  nlohmann::json report;
  if (start_.isVisible()) {
    nlohmann::json& start = report["start"];
    for (const auto& [name, box] : start_.places()) start["places"][name] = box_of(box);
    for (const RecentSeries& series : start_.recent())
      start["recent"].push_back({{"path", series.path},
                                 {"name", series.name},
                                 {"pinned", series.pinned},
                                 {"steps", series.steps()},
                                 {"results", series.results},
                                 {"gone", start_.is_gone(series.path)}});
    for (const HubModel& model : start_.hub())
      start["hub"].push_back(
          {{"name", model.name}, {"problem", model.problem}, {"revisions", model.revisions}});
  }
  report["tour"] = {
      {"words", strip_->words()}, {"step", strip_->tour().step()}, {"done", strip_->tour().done()}};
  report["card"] = jobs_.card_words();
  for (const auto& job : desk_.session->jobs().all()) {
    const JobWords words = job_words(*desk_.session, *job);
    nlohmann::json row = {{"name", words.name}, {"what", words.what},     {"words", words.words},
                          {"time", words.time}, {"cached", words.cached}, {"reached", words.reached}};
    if (const QRect button = jobs_.button_place(job.get()); !button.isEmpty()) row["button"] = box_of(button);
    report["jobs"].push_back(row);
  }
  if (results_place_->isVisible()) {
    nlohmann::json& results = report["results"];
    for (const auto& [id, box] : results_->list().places())
      results["places"][id] = box_of({results_->list().mapToGlobal(box.topLeft()), box.size()});
    for (const StoredRun& run : results_->results())
      results["runs"].push_back({{"analysis", run.analysis},
                                 {"cells", run.cells.size()},
                                 {"text", run.text},
                                 {"settings", settings_words(run)},
                                 {"badge", badge_words(run.verdict)}});
    results["details"] = results_->details();
    results["removed"] = results_->removed();
    for (const char* name : {"show", "why", "remove", "undo"})
      if (const QRect box = results_->place_of(name); !box.isEmpty()) results["buttons"][name] = box_of(box);
  }
  if (form_place_->isVisible()) {
    nlohmann::json& form = report["form"];
    form = {{"analysis", form_->form().analysis},
            {"off", form_->off()},
            {"cost", form_->cost()},
            {"problems", form_->problems()},
            {"recent", form_->recent().size()},
            {"settings", form_->form().settings},
            {"inputs", form_->form().inputs}};
    std::vector<std::string> fields{"run",       "copy",   "prompt",   "steps",
                                    "precision", "memory", "analysis", "recent"};
    for (const SettingInfo& info : analyses().get(form_->form().analysis).settings)
      fields.push_back(setting_field(info));
    for (const InputInfo& input : analyses().get(form_->form().analysis).inputs)
      fields.push_back(input_field(input));
    for (const std::string& field : fields)
      if (const QRect box = form_->place_of(field); !box.isEmpty()) form["places"][field] = box_of(box);
  }
  if (notes_place_->isVisible()) {
    report["notes"] = {{"current", notes_->current()}, {"text", box_of(notes_->text_place())}};
    for (const Note& note : notes_->notes()) report["notes"]["all"].push_back(note.title());
  }
  return report;
}

}  // namespace varve
