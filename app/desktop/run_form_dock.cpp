// The run form: what happens when a field changes, and what Run does.
#include "app/desktop/run_form_dock.h"

#include <QApplication>
#include <QClipboard>
#include <QMenu>
#include <algorithm>

#include "analysis/core/error.h"
#include "app/desktop/file_dialog.h"
#include "app/desktop/option_form.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/recent_runs.h"
#include "loaders/tasks.h"

namespace varve {

RunPlace RunFormDock::place() const {
  const Session& session = *desk_.session;
  RunPlace place{.opened = session.opened(),
                 .branch = session.choice().branch,
                 .steps = {},
                 .now = session.stop()->step,
                 .pin = session.choice().pin,
                 .max_memory = session.max_memory()};
  for (const Stop& stop : session.stops()) place.steps.push_back(stop.step);
  return place;
}

void RunFormDock::open_with(const std::string& analysis) {
  for (const RunForm& form : recent_)
    if (form.analysis == analysis) {
      RunForm again = form;
      again.text = desk_.session->typed().text;
      again.steps = RunForm::Steps::all;
      return open_with(again);
    }
  open_with(RunForm{.analysis = analysis, .text = desk_.session->typed().text});
}

void RunFormDock::open_with(const RunForm& form) {
  form_ = form;
  prompt_is_shared_ = form_.text == desk_.session->typed().text;
  build_fields();
  changed();
}

// Someone wrote into a field.
void RunFormDock::changed() {
  read();
  show_problems();
  tell_inputs();
  ask_cost();
}

void RunFormDock::read() {
  off_.clear();
  if (!desk_.session->opened()) {
    reading_ = {};
    off_ = "Run is off: no series is open.";
    return;
  }
  reading_ = read_form(form_, place());
  off_ = reading_.off();
}

void RunFormDock::ask_cost() {
  if (!desk_.session->opened() || !reading_.problems.empty()) {
    cost_lines_.clear();
    asked_for_.clear();
    cost_->setText({});
    return;
  }
  cost_lines_ = {"counting …"};
  cost_->setText(tr("counting …"));
  desk_.session->errands().ask<Estimate>(
      "cost",
      [store = desk_.session->opened()->store, request = reading_.request](Task&) {
        return estimate_run(*store, request);
      },
      [this, request = reading_.request](const Estimate& estimate) {
        cost_lines_ = varve::cost_lines(estimate, request);
        QStringList lines;
        for (const std::string& line : cost_lines_) lines += qtext(line);
        cost_->setText(lines.join('\n'));
      },
      [this](const std::string& problem) {
        // Too little memory is the one that a person can mend here.
        cost_lines_ = {problem};
        cost_->setText({});
        off_ = "Run is off: " + problem;
        show_problems();
      });
}

void RunFormDock::show_problems() {
  for (const auto& [field, label] : complaints_) {
    const auto found = std::find_if(reading_.problems.begin(), reading_.problems.end(),
                                    [&field = field](const FieldProblem& one) { return one.field == field; });
    const bool wrong = found != reading_.problems.end();
    // A prompt that was not written yet is no mistake; the line under Run says it is missing.
    const bool is_said = wrong && !(field == "prompt" && form_.text.empty());
    label->setVisible(is_said);
    label->setText(is_said ? qtext(found->words) : QString());
    restyle(controls_.at(field), "wrong", is_said);
  }
  run_->setEnabled(off_.empty());
  copy_->setEnabled(reading_.problems.empty() && desk_.session->opened());
  off_label_->setVisible(!off_.empty());
  off_label_->setText(qtext(off_));
}

void RunFormDock::refresh() {
  const bool is_open = desk_.session->opened() != nullptr;
  if (form_.analysis.empty()) open_with("logit-lens");
  if (prompt_is_shared_ && is_open && form_.text != desk_.session->typed().text) {
    form_.text = desk_.session->typed().text;
    prompt_->setText(qtext(form_.text));
  }
  // Steps, pins and what the store holds may be others now.
  if (seen_ == desk_.session->revision()) return;
  seen_ = desk_.session->revision();
  std::string now = is_open ? desk_.session->opened()->store->folder().string() : "";
  if (is_open) {
    now += form_.text + std::to_string(desk_.session->choice().pin.value_or(-1)) +
           desk_.session->choice().branch;
    if (form_.steps == RunForm::Steps::pinned) now += std::to_string(desk_.session->choice().step);
    for (const auto& [id, run] : desk_.session->runs())
      now += run.running() ? "" : std::to_string(run.cells.size());
  }
  if (now == asked_for_) return;
  changed();
  asked_for_ = now;
}

void RunFormDock::run() {
  read();
  show_problems();
  if (!off_.empty()) return;
  card_->hide();
  try {
    desk_.session->start(reading_.request, reading_.request.probes.prompts.empty() ? "" : form_.text,
                         reading_.inputs);
    keep(form_);
  } catch (const Error& error) {
    card_->show_lines(error_lines("Run " + form_.analysis, error.what()), false);
  }
  desk_.acted();
}

void RunFormDock::run_again() {
  if (recent_.empty()) return;
  open_with(recent_.front());
  run();
}

void RunFormDock::keep(const RunForm& form) {
  remember_run(recent_, form);
  desk_.session->errands().ask<bool>(
      "keep the list of recent runs",
      [memory = memory_, recent = recent_](Task&) {
        write_recent_runs(memory, recent);
        return true;
      },
      [](bool) {},
      [this](const std::string& words) {
        card_->show_lines(error_lines("Keep the list of recent runs", words), false);
      });
}

void RunFormDock::take_focus() {
  if (!controls_.empty() && prompt_->isVisible() && form_.text.empty())
    prompt_->setFocus();
  else if (run_->isEnabled())
    run_->setFocus();
  else
    analysis_->setFocus();
}

std::map<std::string, std::string> RunFormDock::problems() const {
  std::map<std::string, std::string> said;
  for (const auto& [field, label] : complaints_)
    if (!label->text().isEmpty()) said[field] = label->text().toStdString();
  return said;
}

QRect RunFormDock::place_of(const std::string& field) const {
  const QWidget* widget = nullptr;
  if (field == "run") widget = run_;
  if (field == "copy") widget = copy_;
  if (field == "analysis") widget = analysis_;
  if (field == "recent") widget = recent_menu_;
  if (const auto found = controls_.find(field); found != controls_.end()) widget = found->second;
  if (!widget || !widget->isVisible()) return {};
  return {widget->mapToGlobal(QPoint(0, 0)), widget->size()};
}

void RunFormDock::show_prompt_menu() {
  QMenu menu(this);
  const auto take = [this](const std::string& text) {
    form_.text = text;
    prompt_is_shared_ = text == desk_.session->typed().text;
    prompt_->setText(qtext(text));
    changed();
  };
  menu.addAction(tr("As above the views"), this, [this, take] { take(desk_.session->typed().text); });
  QMenu* packs = menu.addMenu(tr("A pack of made prompts"));
  for (const std::string& name : pack_names())
    packs->addAction(qtext(name), this,
                     [take, name] { take("pack: " + name + ":prompts=8,period=24,seed=0"); });
  QMenu* tasks = menu.addMenu(tr("A made task: pairs with answers"));
  for (const std::string& name : task_makers())
    tasks->addAction(qtext(name), this, [take, name] { take("task: " + name + ":pairs=32,seed=0"); });
  menu.addAction(tr("A task from a file …"), this, [this, take] {
    const QString file = ask_file_to_read(this, tr("A task: .toml, .jsonl or .csv"));
    if (!file.isEmpty()) take("task: " + file.toStdString());
  });
  menu.addAction(tr("A file, one prompt a line …"), this, [this, take] {
    const QString file = ask_file_to_read(this, tr("Prompts, one a line"));
    if (!file.isEmpty()) take("lines: " + file.toStdString());
  });
  menu.addAction(tr("Token ids"), this, [take] { take("ids: 0 1 2"); });
  menu.exec(prompt_menu_->mapToGlobal(QPoint(0, prompt_menu_->height())));
}

void RunFormDock::show_recent_menu() {
  QMenu menu(this);
  for (const RunForm& form : recent_) {
    const std::string words = form.analysis + " · " + form_words(form);
    menu.addAction(qtext(words.substr(0, 90)), this, [this, form] { open_with(form); })
        ->setEnabled(analyses().find(form.analysis) != nullptr);
  }
  if (recent_.empty()) menu.addAction(tr("Nothing was run yet"))->setEnabled(false);
  menu.exec(recent_menu_->mapToGlobal(QPoint(0, recent_menu_->height())));
}

}  // namespace varve
