// Menus: every action of the window, with its key.
#include <QApplication>
#include <QMenuBar>
#include <QMessageBox>
#include <QWhatsThis>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/probes.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/layouts.h"
#include "loaders/tasks.h"

namespace varve {

namespace {

constexpr int slow_millis = 480, usual_millis = 160, fast_millis = 60, longest_entry = 90;

}  // namespace

QAction* MainWindow::add_action(QMenu* menu, const QString& text, const QKeySequence& key,
                                std::function<void()> what) {
  QAction* action = menu->addAction(text);
  connect(action, &QAction::triggered, this, [this, what = std::move(what)] {
    guarded(what);
    refresh();
  });
  // A menu within a menu gives its own words too: "Layouts Lens" tells more than "Lens".
  auto* above = qobject_cast<QMenu*>(menu->parent());
  actions_.add(
      above ? plain_words(above->title()) + " " + plain_words(menu->title()) : plain_words(menu->title()),
      action, key);
  return action;
}

void MainWindow::build_menus() {
  build_file_menu();
  build_edit_menu();
  build_series_menu();
  build_analyse_menu();
  build_select_menu();
  build_window_menu();
  build_help_menu();
}

void MainWindow::build_file_menu() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  add_action(file, tr("Open folder …"), QKeySequence::Open, [this] { open_folder(tr("Open folder")); });
  add_action(file, tr("Open store …"), {}, [this] { open_folder(tr("Open store")); });
  add_action(file, tr("Open the demo series"), {}, [this] { open_demo(); });
  recent_menu_ = file->addMenu(tr("Recent"));
  add_action(file, tr("Import as store …"), Qt::CTRL | Qt::Key_I, [this] { import_as(); });
  close_ = add_action(file, tr("Close series"), QKeySequence::Close, [this] { close_series(); });
  file->addSeparator();
  add_action(file, tr("Save session"), QKeySequence::Save, [this] { save_session(); });
  export_picture_ = add_action(file, tr("Export picture …"), Qt::Key_E, [this] { export_picture(); });
  export_numbers_ =
      add_action(file, tr("Export data …"), Qt::SHIFT | Qt::Key_E, [this] { export_numbers(); });
  copy_command_ = add_action(file, tr("Copy as command line"), Qt::CTRL | Qt::SHIFT | Qt::Key_C,
                             [this] { copy_command_line(); });
  copy_python_ = add_action(file, tr("Copy as Python"), {}, [this] { copy_python(); });
  report_ = add_action(file, tr("Write report …"), {}, [this] { write_report(); });
  file->addSeparator();
  add_action(file, tr("Quit"), QKeySequence::Quit, [this] { close(); });
}

void MainWindow::build_edit_menu() {
  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  undo_ = add_action(edit, tr("Undo"), QKeySequence::Undo, [this] { session_->undo(); });
  redo_ = add_action(edit, tr("Redo"), Qt::CTRL | Qt::SHIFT | Qt::Key_Z, [this] { session_->redo(); });
  edit->addSeparator();
  copy_value_ = add_action(edit, tr("Copy value"), QKeySequence::Copy, [this] { copy_value(); });
  copy_table_ = add_action(edit, tr("Copy table"), Qt::CTRL | Qt::ALT | Qt::Key_C, [this] { copy_table(); });
  edit->addSeparator();
  add_action(edit, tr("Command palette"), Qt::CTRL | Qt::Key_K, [this] { open_palette(); });
  add_action(edit, tr("Find"), QKeySequence::Find, [this] { open_palette(QStringLiteral(":")); });
  add_action(edit, tr("Preferences …"), Qt::CTRL | Qt::Key_Comma, [this] { show_preferences(); });
}

void MainWindow::build_series_menu() {
  QMenu* series = menuBar()->addMenu(tr("&Series"));
  add_action(series, tr("Next step"), Qt::Key_Right, [this] { session_->move(1); });
  add_action(series, tr("Previous step"), Qt::Key_Left, [this] { session_->move(-1); });
  add_action(series, tr("Ten steps on"), Qt::SHIFT | Qt::Key_Right, [this] { session_->move(10); });
  add_action(series, tr("Ten steps back"), Qt::SHIFT | Qt::Key_Left, [this] { session_->move(-10); });
  add_action(series, tr("First step"), Qt::Key_Home, [this] { session_->move(-1'000'000); });
  add_action(series, tr("Last step"), Qt::Key_End, [this] { session_->move(1'000'000); });
  add_action(series, tr("Go to step …"), Qt::CTRL | Qt::Key_G,
             [this] { open_palette(QStringLiteral("step ")); });
  add_action(series, tr("Play or pause"), Qt::Key_Space, [this] { session_->play(!session_->playing()); });
  QMenu* speed = series->addMenu(tr("Speed"));
  for (const auto& [words, millis] :
       {std::pair(tr("Slow"), slow_millis), {tr("Usual"), usual_millis}, {tr("Fast"), fast_millis}})
    add_action(speed, words, {}, [this, millis = millis] { play_timer_.setInterval(millis); });
  series->addSeparator();
  add_action(series, tr("Pin A"), Qt::Key_A, [this] { session_->pin(); });
  add_action(series, tr("Swap A and now"), Qt::Key_X, [this] { session_->swap_pin(); });
  add_action(series, tr("Difference to A in the view"), Qt::Key_D, [this] {
    using Against = OpenView::Against;
    if (!session_->choice().pin) fail("No step is pinned to compare with. A pins the step you look at.");
    session_->change_view(session_->bench().active, "compare with A", [](OpenView& view) {
      view.against = view.against == Against::difference ? Against::now : Against::difference;
    });
  });
  series->addSeparator();
  branches_menu_ = series->addMenu(tr("Branches"));
  add_action(series, tr("Next series"), Qt::CTRL | Qt::Key_Tab, [this] { next_series(); });
  audit_ = add_action(series, tr("Audit"), {}, [this] { show_audit(); });
  verify_ = add_action(series, tr("Verify the store"), {}, [this] { verify_store(); });
  add_action(series, tr("Checkpoint facts"), {}, [this] {
    session_->clear_selection();
    if (inspector_dock_->isHidden()) fold_tab_->toggle();
  });
}

void MainWindow::build_analyse_menu() {
  QMenu* analyse = menuBar()->addMenu(tr("&Analyse"));
  add_action(analyse, tr("Run form"), Qt::CTRL | Qt::Key_Return,
             [this] { flows_->open_form(std::string()); });
  add_action(analyse, tr("Run logit lens on the prompt"), {}, [this] { session_->run("logit-lens"); });
  add_action(analyse, tr("Run again"), Qt::CTRL | Qt::SHIFT | Qt::Key_Return,
             [this] { flows_->run_again(); });
  QMenu* all = analyse->addMenu(tr("Run"));
  for (const Analysis& analysis : analyses().items()) {
    QAction* action =
        add_action(all, qtext(analysis.name), {}, [this, name = analysis.name] { flows_->open_form(name); });
    action->setToolTip(qtext(analysis.summary));
  }
  all->setToolTipsVisible(true);
  settings_menu_ = analyse->addMenu(tr("Recent settings"));
  add_action(analyse, tr("Queue"), {}, [this] { show_queue(); });
  add_action(analyse, tr("Stop the jobs"), Qt::CTRL | Qt::Key_Period, [this] { session_->stop_jobs(); });
  add_action(analyse, tr("Forget finished jobs"), {}, [this] { session_->forget_finished(); });
  analyse->addSeparator();
  add_action(analyse, tr("Prompt …"), Qt::CTRL | Qt::Key_P, [this] { ask_prompt(); });
  QMenu* packs = analyse->addMenu(tr("Probe packs"));
  for (const std::string& name : pack_names())
    add_action(packs, qtext(name), {}, [this, name] {
      if (!session_->opened()) fail("Prompts are made for a series, and none is open.");
      session_->type("pack: " + name + ":prompts=8,period=24,seed=0");
      ask_prompt();
    });
  QMenu* tasks = analyse->addMenu(tr("Tasks"));
  for (const std::string& name : task_makers())
    add_action(tasks, qtext(name), {}, [this, name] {
      if (!session_->opened()) fail("Pairs of prompts are made for a series, and none is open.");
      session_->type("task: " + name + ":pairs=32,seed=0");
      ask_prompt();
    });
  add_action(analyse, tr("Add scores …"), {}, [this] { add_scores(); });
}

void MainWindow::build_select_menu() {
  QMenu* select = menuBar()->addMenu(tr("Se&lect"));
  add_action(select, tr("All heads of the layer"), Qt::CTRL | Qt::Key_A, [this] { select_heads(); });
  add_action(select, tr("Heads above floor"), {}, [this] { select_heads_above_floor(); });
  add_action(select, tr("Save as set …"), {}, [this] { save_set(); });
  sets_menu_ = select->addMenu(tr("Sets"));
  add_action(select, tr("Brush from A to now"), Qt::Key_B, [this] {
    if (!session_->choice().pin) fail("A brush needs two ends. A pins the one, then go to the other.");
    session_->brush(std::pair(*session_->choice().pin, session_->choice().step));
  });
  add_action(select, tr("Clear selection"), Qt::CTRL | Qt::SHIFT | Qt::Key_A,
             [this] { session_->clear_selection(); });
  select->addSeparator();
  back_ = add_action(select, tr("Back"), Qt::CTRL | Qt::Key_BracketLeft, [this] { session_->go_back(); });
  forward_ =
      add_action(select, tr("Forward"), Qt::CTRL | Qt::Key_BracketRight, [this] { session_->go_forward(); });
}

void MainWindow::build_window_menu() {
  QMenu* window = menuBar()->addMenu(tr("&Window"));
  QMenu* kinds = window->addMenu(tr("New view"));
  kinds->setToolTipsVisible(true);
  for (const View& view : views().items()) {
    QAction* action = add_action(kinds, qtext(view_title(view.name)), {},
                                 [this, name = view.name] { open_new_view(name); });
    action->setToolTip(qtext(view.summary));
  }
  show_as_menu_ = window->addMenu(tr("Show result as"));
  QMenu* layouts = window->addMenu(tr("Layouts"));
  layouts->setToolTipsVisible(true);
  for (const LayoutInfo& layout : ready_layouts()) {
    QAction* action = add_action(layouts, qtext(layout.name), Qt::Key_0 + layout.number,
                                 [this, number = layout.number] { use_layout(number); });
    action->setToolTip(qtext(layout.summary));
  }
  for (int number = 6; number <= 9; ++number)
    add_action(layouts, tr("My layout %1").arg(number), Qt::Key_0 + number,
               [this, number] { use_layout(number); });
  QMenu* save = window->addMenu(tr("Save layout"));
  for (int number = 6; number <= 9; ++number)
    add_action(save, tr("As my layout %1").arg(number),
               QKeyCombination(Qt::CTRL, Qt::Key(Qt::Key_0 + number)),
               [this, number] { save_layout(number); });
  window->addSeparator();
  add_action(window, tr("Close the view"), Qt::CTRL | Qt::SHIFT | Qt::Key_W,
             [this] { session_->close_view(session_->bench().active); });
  add_action(window, tr("Fill the middle with the view"), Qt::Key_F12,
             [this] { session_->fill_with(session_->bench().active); });
  add_action(window, tr("Unlink the view from the step"), Qt::Key_U, [this] { unlink_view(); });
  add_action(window, tr("Log or linear steps"), Qt::Key_L,
             [this] { toggle_option("steps", "log", "linear", "axis of steps to space anew"); });
  add_action(window, tr("Grid lines"), Qt::Key_G,
             [this] { toggle_option("grid", "true", "false", "lines of a grid"); });
  add_action(window, tr("Fit the view"), Qt::Key_R, [this] {
    if (ViewTile* view = views_->active()) {
      view->canvas().pane().fit();
      view->canvas().update();
    }
  });
  add_action(window, tr("Measure from the mark"), Qt::Key_M, [this] { measure(); });
  add_action(window, tr("Next part of the window"), Qt::Key_F6, [this] { next_part(1); });
  add_action(window, tr("Previous part of the window"), Qt::SHIFT | Qt::Key_F6, [this] { next_part(-1); });
  window->addSeparator();
  add_action(window, tr("Series and results"), {}, [this] { flows_->toggle("results"); });
  add_action(window, tr("Run form beside the results"), {}, [this] { flows_->toggle("run"); });
  add_action(window, tr("Notes"), {}, [this] { flows_->toggle("notes"); });
  add_action(window, tr("Note here"), Qt::Key_N, [this] { flows_->note_here(); });
  add_action(window, tr("Inspector"), Qt::Key_I, [this] { fold_tab_->toggle(); });
  add_action(window, tr("Full screen"), Qt::Key_F11,
             [this] { isFullScreen() ? showNormal() : showFullScreen(); });
  add_action(window, tr("Frame times in the views"), Qt::CTRL | Qt::SHIFT | Qt::Key_F,
             [this] { views_->show_times(!views_->shows_times()); });
  add_action(window, tr("Light or dark"), Qt::CTRL | Qt::SHIFT | Qt::Key_T,
             [this] { set_theme(desk_.theme->is_dark ? Theme::light() : Theme::dark()); });
}

void MainWindow::build_help_menu() {
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  add_action(help, tr("Tour"), {}, [this] { flows_->begin_tour(); });
  add_action(help, tr("Keys"), Qt::Key_Question, [this] { show_keys(); });
  add_action(help, tr("What is this"), QKeySequence::WhatsThis, [] { QWhatsThis::enterWhatsThisMode(); });
  add_action(help, tr("Doctor"), {}, [this] { run_doctor(); });
  add_action(help, tr("About Varve"), {}, [this] {
    QMessageBox::about(
        this, tr("About Varve"),
        tr("Varve %1\nTraining leaves layers, one per checkpoint.\nNothing here uses a network.")
            .arg(QStringLiteral(VARVE_VERSION)));
  });
}

// Menus whose entries come and go with what is open.
void MainWindow::refresh_menus() {
  const auto fill = [this](QMenu* menu, const std::vector<std::pair<QString, std::function<void()>>>& entries,
                           const QString& chosen) {
    QStringList words;
    for (const auto& [text, what] : entries) words << text;
    const QString known = words.join('\n') + '\n' + chosen;
    if (menu->property("known").toString() == known && !menu->isEmpty()) return;
    menu->setProperty("known", known);
    menu->clear();
    menu->setEnabled(!entries.empty());
    for (const auto& [text, what] : entries) {
      QAction* action = menu->addAction(text);
      action->setCheckable(text == chosen);
      action->setChecked(text == chosen);
      connect(action, &QAction::triggered, this, [this, what = what] {
        guarded(what);
        refresh();
      });
    }
  };
  std::vector<std::pair<QString, std::function<void()>>> entries;
  for (const std::string& path : remembered_.recent)
    entries.emplace_back(qtext(path), [this, path] { open(path); });
  fill(recent_menu_, entries, {});
  entries.clear();
  for (const RunForm& form : flows_->recent())
    if (session_->opened() && analyses().find(form.analysis))
      entries.emplace_back(qtext(form.analysis + " · " + form_words(form)).left(longest_entry),
                           [this, form] { flows_->open_form(form); });
  fill(settings_menu_, entries, {});
  entries.clear();
  QString now;
  if (session_->opened()) {
    for (const std::string& branch : session_->opened()->branches)
      entries.emplace_back(qtext(branch), [this, branch] { session_->set_branch(branch); });
    now = qtext(session_->choice().branch);
  }
  fill(branches_menu_, entries, now);
  entries.clear();
  for (const NamedSet& set : session_->choice().sets)
    entries.emplace_back(qtext(set.name), [this, set] { session_->choose_set(set); });
  fill(sets_menu_, entries, qtext(session_->choice().set.name));
  entries.clear();
  ViewTile* const active = views_->active();
  now.clear();
  if (active && active->content().data) {
    for (const View& view : views().items())
      if (view.fit(*active->content().data) > 0)
        entries.emplace_back(qtext(view_title(view.name)),
                             [this, id = active->id(), name = view.name] { show_as(id, name); });
    if (active->content().view) now = qtext(view_title(active->content().view->name));
  }
  fill(show_as_menu_, entries, now);
}

}  // namespace varve
