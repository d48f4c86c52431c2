// What the larger actions do: palette, sheet of keys, preferences, sets, programs that are run beside.
#include <QApplication>
#include <QDialogButtonBox>
#include <QInputDialog>
#include <QPlainTextEdit>
#include <QProcess>
#include <QVBoxLayout>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/file_dialog.h"
#include "app/desktop/keys_dialog.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/preferences_dialog.h"
#include "app/session/heads_above.h"
#include "app/session/layouts.h"
#include "app/session/recent_series.h"
#include "viz/pick.h"

namespace varve {

namespace {
constexpr size_t most_recent_acts = 40;

// However long it is, it scrolls.
void show_text(QWidget* parent, const QString& title, const QString& text) {
  QDialog dialog(parent);
  dialog.setWindowTitle(title);
  dialog.resize(760, 480);
  auto* column = new QVBoxLayout(&dialog);
  auto* words = new QPlainTextEdit(text, &dialog);
  words->setReadOnly(true);
  words->setLineWrapMode(QPlainTextEdit::NoWrap);
  words->setFont(QFont(QStringLiteral("DejaVu Sans Mono"), 8));
  words->setAccessibleName(title);
  column->addWidget(words);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, &dialog);
  QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
  column->addWidget(buttons);
  dialog.exec();
}
}  // namespace

std::vector<PaletteEntry> MainWindow::palette_entries() {
  std::vector<PaletteEntry> entries = actions_.entries();
  const auto add = [&entries](const std::string& kind, const std::string& words, const std::string& id) {
    entries.push_back({.kind = kind, .words = words, .key = "", .id = id, .why_off = ""});
  };
  for (const View& view : views().items())
    add("view", view_title(view.name) + " · " + view.summary, "view " + view.name);
  for (const Analysis& analysis : analyses().items()) {
    add("analysis", analysis.name + " · " + analysis.summary, "analysis " + analysis.name);
    entries.back().why_off = session_->why_not_run(analysis.name);
  }
  if (!session_->opened()) return entries;
  for (const auto& [id, run] : session_->runs())
    if (!run.cells.empty())
      add("result", run.request.analysis + " · " + run.text, "result " + run.request.analysis + " " + id);
  ViewTile* const active = views_->active();
  if (active && active->content().view)
    for (const SettingInfo& info : active->content().view->options) {
      const std::vector<std::string> choices =
          info.kind == SettingKind::boolean ? std::vector<std::string>{"true", "false"} : info.choices;
      for (const std::string& choice : choices)
        add("setting", info.name + ": " + choice, "setting " + info.name + "=" + choice);
    }
  for (const RailEvent& event : rail_->events()) {
    add("event", event.label + " · step " + show_count(event.step), "step " + std::to_string(event.step));
  }
  for (const NamedSet& set : session_->choice().sets) add("set", set.name, "set " + set.name);
  for (const std::string& branch : session_->opened()->branches)
    add("go to", "branch " + branch, "branch " + branch);
  return entries;
}

void MainWindow::open_palette(const QString& typed) {
  palette_->open(palette_entries(), remembered_.palette, typed);
}

void MainWindow::do_entry(const std::string& id, bool in_new_view) {
  std::erase(remembered_.palette, id);
  remembered_.palette.insert(remembered_.palette.begin(), id);
  if (remembered_.palette.size() > most_recent_acts) remembered_.palette.resize(most_recent_acts);
  const size_t space = id.find(' ');
  const std::string kind = id.substr(0, space), rest = id.substr(space + 1);
  guarded([&] {
    if (kind == "action") {
      if (QAction* action = actions_.find(rest)) action->trigger();
    } else if (kind == "view") {
      const OpenView* active = session_->active_view();
      if (in_new_view || !active)
        open_new_view(rest);
      else
        show_as(active->id, rest);
    } else if (kind == "analysis") {
      session_->run(rest);
      if (in_new_view) {
        OpenView view;
        view.result.analysis = rest;
        session_->open_view(view);
      }
    } else if (kind == "result") {
      OpenView view;
      view.result.analysis = rest.substr(0, rest.find(' '));
      session_->open_view(view);
    } else if (kind == "setting") {
      const size_t equals = rest.find('=');
      session_->set_view_option(session_->bench().active, rest.substr(0, equals), rest.substr(equals + 1));
    } else if (kind == "step") {
      session_->go_to_step(std::stoll(rest));
    } else if (kind == "branch") {
      session_->set_branch(rest);
    } else if (kind == "set") {
      for (const NamedSet& set : session_->choice().sets)
        if (set.name == rest) {
          session_->choose_set(set);
          break;
        }
    }
  });
  refresh();
}

void MainWindow::open_new_view(const std::string& name) {
  if (!session_->opened()) fail("A view shows a result of a series, and none is open.");
  OpenView view;
  if (const OpenView* active = session_->active_view()) view.result = active->result;
  view.view = name;
  session_->open_view(std::move(view));
}

void MainWindow::show_as(int64_t id, const std::string& name) {
  ViewTile* const tile = views_->tile(id);
  if (!tile || !tile->content().data) return;
  if (!(views().get(name).fit(*tile->content().data) > 0))
    fail("View {} cannot show {}. Window, Show result as lists those that can.", name, tile->content().title);
  session_->change_view(id, "show as " + name, [&name](OpenView& changed) {
    changed.view = name;
    changed.options.clear();
    changed.title.clear();
  });
}

void MainWindow::unlink_view() {
  session_->change_view(session_->bench().active, "unlink the view", [this](OpenView& view) {
    view.own_step = view.own_step ? std::nullopt : std::optional<int64_t>(session_->choice().step);
  });
}

void MainWindow::toggle_option(const std::string& name, const std::string& first, const std::string& second,
                               const std::string& lacks) {
  ViewTile* const active = views_->active();
  if (!active || !active->content().view) return;
  const auto now = active->content().options.find(name);
  if (now == active->content().options.end()) fail("{} has no {}.", active->content().title, lacks);
  session_->set_view_option(active->id(), name, now->second == first ? second : first);
}

void MainWindow::measure() {
  ViewTile* const view = views_->active();
  if (!view) fail("There is no view to measure in.");
  if (!view->canvas().pane().measure(view->content().selection))
    fail("Nothing to measure from: no mark with a number is under the pointer, and none is selected.");
  view->canvas().update();
}

void MainWindow::select_heads() {
  if (!session_->opened()) return;
  const auto layer = session_->choice().selection.index("layer");
  if (!layer) fail("No layer is selected. Click one in a view, or go to one: Ctrl+K, then layer 3.");
  NamedSet set{.name = "", .axis = "head", .members = {}};
  for (int64_t head = 0; head < session_->opened()->spec.heads; ++head)
    set.members.push_back({{"layer", *layer}, {"head", head}});
  session_->choose_set(std::move(set));
}

void MainWindow::select_heads_above_floor() {
  ViewTile* const active = views_->active();
  if (!active || !active->content().view) fail("There is no view with scores of heads.");
  const ViewContent& content = active->content();
  const auto option = [&content](const char* name) {
    const auto given = content.options.find(name);
    return given == content.options.end() ? std::string() : given->second;
  };
  const Dataset& shown = *content.data;
  // The view's own array where it is one of heads, else the first that is.
  const std::string array = shown.has(option("array")) ? option("array") : "";
  session_->choose_set(
      heads_above_floor(shown, array, parse_places(option("at"), shown, "this view"), content.selection));
}

// A table of scores and what the view shows: how do they go together.
void MainWindow::add_scores() {
  if (!session_->opened()) fail("Scores are set beside a series, and none is open.");
  const QString file = ask_file_to_read(this, tr("Scores by checkpoint: .csv, .json or .jsonl"));
  if (file.isEmpty()) return;
  RunForm form{.analysis = "metric-correlation"};
  form.inputs["scores"] = file.toStdString();
  const ViewTile* const active = views_->active();
  if (active && !active->content().key.empty())
    form.inputs["metric"] = session_->opened()->store->folder().string() + ":" + active->content().key;
  flows_->open_form(form);
}

void MainWindow::save_set() {
  if (session_->choice().set.members.empty()) fail("Nothing is in the set. Ctrl+click adds to it.");
  const QString name = QInputDialog::getText(this, tr("Save as set"), tr("Its name"));
  session_->save_set(name.trimmed().toStdString());
}

void MainWindow::show_keys() {
  KeysDialog dialog(actions_, KeysDialog::Kind::sheet, this);
  dialog.exec();
}

void MainWindow::take_preferences() {
  desk_.drag_zooms = remembered_.other["drag"] == "zooms";
  for (const auto& session : sessions_) session->limit_memory(memory_in(remembered_.other["memory"]));
}

void MainWindow::show_preferences() {
  const auto number = [this](const char* name) {
    const auto known = remembered_.other.find(name);
    return known == remembered_.other.end() ? 0.0 : qtext(known->second).toDouble();
  };
  PreferencesDialog dialog({.is_dark = desk_.theme->is_dark,
                            .font_points = number("font_points"),
                            .threads = static_cast<int>(number("threads")),
                            .drag_zooms = desk_.drag_zooms,
                            .memory = qtext(remembered_.other["memory"])},
                           this);
  connect(&dialog, &PreferencesDialog::keys_asked, this, [this, &dialog] {
    KeysDialog keys(actions_, KeysDialog::Kind::rebind, &dialog);
    keys.exec();
    remembered_.keys = actions_.rebound();
  });
  if (dialog.exec() != QDialog::Accepted) return;
  const Preferences chosen = dialog.chosen();
  memory_in(chosen.memory.toStdString());  // for its error, before anything is kept
  remembered_.other["font_points"] = QString::number(chosen.font_points).toStdString();
  remembered_.other["threads"] = std::to_string(chosen.threads);
  remembered_.other["drag"] = chosen.drag_zooms ? "zooms" : "moves";
  remembered_.other["memory"] = chosen.memory.toStdString();
  take_preferences();
  if (chosen.is_dark != desk_.theme->is_dark) set_theme(chosen.is_dark ? Theme::dark() : Theme::light());
}

void MainWindow::run_beside(const QStringList& words, const QString& title, bool shows_words,
                            const QString& first) {
  auto* process = new QProcess(this);
  process->setProcessChannelMode(QProcess::MergedChannels);
  connect(process, &QProcess::errorOccurred, this, [this, title, process] {
    notice_->say(title,
                 tr("The program varve beside this one could not be run: %1").arg(process->errorString()));
    process->deleteLater();
  });
  connect(process, &QProcess::finished, this, [this, process, title, shows_words, first](int code) {
    const QString said = QString::fromUtf8(process->readAll()).trimmed();
    process->deleteLater();
    if (code != 0) {
      notice_->say(title, said);
    } else if (shows_words) {
      show_text(this, title, first.isEmpty() ? said : first + QStringLiteral("\n\n") + said);
    } else {
      written_ = said.section('\n', -1).toStdString();
      refresh();
    }
  });
  process->start(qtext((options_.program_folder / "varve").string()), words);
}

void MainWindow::run_doctor() { run_beside({QStringLiteral("doctor")}, tr("Doctor"), true); }

void MainWindow::write_report() {
  if (!session_->opened()) return;
  const QString folder = ask_folder(this, tr("Write the report into which folder?"));
  if (folder.isEmpty()) return;
  run_beside({QStringLiteral("report"), qtext(session_->opened()->store->folder().string()),
              QStringLiteral("-o"), folder},
             tr("Write report"), false);
}

void MainWindow::verify_store() {
  if (!session_->opened()) return;
  run_beside({QStringLiteral("verify"), qtext(session_->opened()->store->folder().string())},
             tr("Verify the store"), true);
}

// What an import found of each checkpoint: how many weights are not finite, how far they moved, their digest.
void MainWindow::show_audit() {
  if (!session_->opened()) return;
  const std::string caution = face_of(*session_->opened()).caution;
  run_beside({QStringLiteral("info"), qtext(session_->opened()->store->folder().string())}, tr("Audit"), true,
             caution.empty() ? tr("No checkpoint is a copy of another and all weights are finite.")
                             : qtext(caution));
}

void MainWindow::show_queue() {
  if (!jobs_dock_->isVisible()) fail("Nothing waits or runs. Analyse, Run form starts a run.");
  jobs_->setFocus(Qt::ShortcutFocusReason);
}

// Rail, views row by row, inspector, jobs; then again from the rail.
void MainWindow::next_part(int by) {
  std::vector<QWidget*> parts;
  if (rail_bar_->isVisible()) parts.push_back(rail_->axis());
  if (prompt_->isVisible()) parts.push_back(prompt_->field());
  for (ViewTile* tile : views_->shown()) parts.push_back(tile->focus_part());
  if (inspector_dock_->isVisible()) parts.push_back(inspector_);
  if (jobs_dock_->isVisible()) parts.push_back(jobs_);
  if (parts.empty()) return;
  const QWidget* focused = QApplication::focusWidget();
  int at = by > 0 ? -1 : 0;
  for (size_t i = 0; i < parts.size(); ++i)
    if (focused && (parts[i] == focused || parts[i]->isAncestorOf(focused))) at = static_cast<int>(i);
  const int count = static_cast<int>(parts.size());
  parts[static_cast<size_t>(((at + by) % count + count) % count)]->setFocus(Qt::ShortcutFocusReason);
}

}  // namespace varve
