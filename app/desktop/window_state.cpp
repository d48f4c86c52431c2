// What the window says of the session and keeps of it: actions that are off, the status line, the session
// file.
#include <sys/resource.h>

#include <QApplication>
#include <QCloseEvent>

#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

void MainWindow::refresh_actions() {
  ViewTile* const active = views_->active();
  const bool shows = session_->opened() && active && active->content().view;
  undo_->setEnabled(!session_->would_undo().empty());
  redo_->setEnabled(!session_->would_redo().empty());
  undo_->setText(session_->would_undo().empty() ? tr("Undo") : tr("Undo: ") + qtext(session_->would_undo()));
  redo_->setText(session_->would_redo().empty() ? tr("Redo") : tr("Redo: ") + qtext(session_->would_redo()));
  const auto set = [](QAction* action, bool on, const QString& why) {
    action->setEnabled(on);
    action->setProperty("why_off", why);
  };
  for (QAction* action :
       {export_picture_, export_numbers_, copy_command_, copy_python_, copy_value_, copy_table_})
    set(action, shows, tr("no view draws anything"));
  for (QAction* action : {close_, report_, verify_, audit_})
    set(action, session_->opened() != nullptr, tr("no series is open"));
  undo_->setProperty("why_off", tr("nothing to undo"));
  redo_->setProperty("why_off", tr("nothing to redo"));
  set(back_, session_->can_go_back(), tr("this is the first place"));
  set(forward_, session_->can_go_forward(), tr("this is the last place"));
}

void MainWindow::ask_prompt() {
  if (!session_->opened()) return;
  prompt_asked_ = true;
  refresh();
  prompt_->focus();
}

void MainWindow::refresh_status() {
  const bool is_open = session_->opened() != nullptr;
  const bool is_typing = qobject_cast<QLineEdit*>(QApplication::focusWidget()) != nullptr;
  QStringList words;
  words << (!is_open ? tr("nothing here uses a network")
                     : tr("selection: ") + qtext(selection_words(*session_)) +
                           (is_typing ? tr(" · typing") : QString()));
  const Choice& choice = session_->choice();
  if (is_open && choice.pin) words << tr("A pinned at %1").arg(qtext(show_step(*choice.pin)));
  if (is_open && choice.brush)
    words << tr("brush %1 to %2")
                 .arg(qtext(show_step(choice.brush->first)), qtext(show_step(choice.brush->second)));
  if (is_open && !choice.set.members.empty()) words << tr("%1 in the set").arg(choice.set.members.size());
  const Run* run = session_->current_run();
  if (run && is_open && run->running())
    words << tr("%1 of %2 steps are there").arg(run->cells.size()).arg(session_->stops().size());
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  words << tr("threads %1 · peak %2").arg(threads()).arg(qtext(show_bytes(int64_t{used.ru_maxrss} * 1024)));
  if (is_open && !session_->would_undo().empty()) words << tr("undo: ") + qtext(session_->would_undo());
  if (!written_.empty()) words << qtext(written_);
  status_plain_ = words.join(QStringLiteral(" | ")).toStdString();
  for (QString& word : words) word = word.toHtmlEscaped();
  status_words_->setText(words.join(QStringLiteral("<span style='color:%1'>&nbsp;&nbsp;│&nbsp;&nbsp;</span>")
                                        .arg(qcolor(desk_.theme->hair).name())));
  status_prompt_->setVisible(is_open && !prompt_->isVisible());
  const QString typed = qtext(session_->typed().text).simplified();
  status_prompt_->setText(typed.isEmpty() ? tr("Ctrl+P asks a prompt")
                                          : status_prompt_->fontMetrics().elidedText(tr("prompt: ") + typed,
                                                                                     Qt::ElideRight, 300));
}

Remembered MainWindow::remembered_now() {
  remembered_.geometry = saveGeometry().toBase64().toStdString();
  remembered_.theme = desk_.theme->is_dark ? "dark" : "light";
  remembered_.text = session_->typed().text;
  remembered_.open.clear();
  if (session_->opened()) remembered_.open.push_back(path_of(*session_));
  for (const auto& session : sessions_) {
    if (!session->opened()) continue;
    const std::string path = path_of(*session);
    if (session.get() != session_) remembered_.open.push_back(path);
    remembered_.choices[path] = session->choice();
  }
  return remembered_;
}

void MainWindow::save_session() {
  if (writer_) writer_->write(session_text(remembered_now()));
}

void MainWindow::closeEvent(QCloseEvent* event) {
  // A window must close even where its folder cannot be written.
  if (writer_) {
    save_session();
    writer_->wait();
    if (!writer_->problem().empty()) qWarning("%s", writer_->problem().c_str());
  }
  event->accept();
}

}  // namespace varve
