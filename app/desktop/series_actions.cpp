// Several series in one window: opening beside each other, looking at one, closing.
#include <QMenu>
#include <algorithm>

#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/watch.h"

namespace varve {

Session& MainWindow::add_session() {
  sessions_.push_back(std::make_unique<Session>([this] { wake(); }));
  if (sessions_.size() > 1) sessions_.back()->limit_memory(sessions_.front()->max_memory());
  return *sessions_.back();
}

Session& MainWindow::free_session() {
  return session_->opened() || session_->opening() ? add_session() : *session_;
}

std::string MainWindow::path_of(const Session& session) const {
  if (!session.opened()) return "";
  std::error_code problem;
  const std::filesystem::path full = std::filesystem::absolute(session.opened()->asked, problem);
  const std::string path = problem ? session.opened()->asked.string() : full.lexically_normal().string();
  return path.size() > 1 && path.back() == '/' ? path.substr(0, path.size() - 1) : path;
}

void MainWindow::look_at(Session& session) {
  if (&session == session_) return;
  session_->play(false);
  session_ = desk_.session = &session;
}

void MainWindow::open(const std::string& path) {
  notice_->hide();
  error_seen_.clear();
  if (auto* watched = qobject_cast<WatchedApplication*>(QApplication::instance())) watched->reset();
  std::error_code problem;
  std::string full = std::filesystem::absolute(path, problem).lexically_normal().string();
  if (full.size() > 1 && full.back() == '/') full.pop_back();
  for (const auto& session : sessions_)
    if (path_of(*session) == full) {
      look_at(*session);
      refresh();
      return;
    }
  std::optional<Choice> before;
  if (const auto known = remembered_.choices.find(full); known != remembered_.choices.end())
    before = known->second;
  free_session().open(path, std::move(before));
  refresh();
}

// A series that was opened beside another one is looked at as soon as it is there; until then, and where it
// cannot be opened, the other one stays.
void MainWindow::take_in_opened() {
  Session* opened = nullptr;
  for (const auto& session : sessions_) {
    const bool is_open = session->opened() != nullptr;
    if (is_open && !was_open_[session.get()]) opened = session.get();
    was_open_[session.get()] = is_open;
  }
  if (opened && opened != session_) look_at(*opened);
  for (const auto& session : sessions_)
    if (session.get() != session_ && !session->opened() && !session->opening()) {
      if (!session->open_error().empty())
        notice_->say(tr("That could not be opened"), qtext(session->open_error()));
      was_open_.erase(session.get());
    }
  std::erase_if(sessions_, [this](const std::unique_ptr<Session>& session) {
    return session.get() != session_ && !session->opened() && !session->opening();
  });
}

void MainWindow::next_series() {
  const auto here = std::find_if(sessions_.begin(), sessions_.end(),
                                 [this](const auto& session) { return session.get() == session_; });
  const auto next = std::next(here) == sessions_.end() ? sessions_.begin() : std::next(here);
  if ((*next)->opened()) look_at(**next);
}

void MainWindow::close_series() {
  Session* const closing = session_;
  remembered_.choices[path_of(*closing)] = closing->choice();
  closing->close();
  was_open_[closing] = false;
  for (const auto& session : sessions_)
    if (session->opened()) {
      look_at(*session);
      break;
    }
  take_in_opened();
}

void MainWindow::show_series_menu(const QPoint& at) {
  QMenu menu(this);
  const auto add = [&](const QString& text, std::function<void()> what) {
    QAction* action = menu.addAction(text);
    connect(action, &QAction::triggered, this, [this, what = std::move(what)] {
      guarded(what);
      refresh();
    });
    return action;
  };
  std::vector<std::string> listed;
  for (const auto& session : sessions_) {
    if (!session->opened()) continue;
    listed.push_back(path_of(*session));
    QAction* action =
        add(qtext(session->opened()->name()), [this, shown = session.get()] { look_at(*shown); });
    action->setCheckable(true);
    action->setChecked(session.get() == session_);
    action->setToolTip(qtext(listed.back()));
  }
  menu.addSeparator();
  for (const auto& [title, paths] :
       {std::pair(tr("Pinned"), &remembered_.pinned), {tr("Recent"), &remembered_.recent}}) {
    QAction* head = nullptr;
    for (const std::string& path : *paths) {
      if (std::find(listed.begin(), listed.end(), path) != listed.end()) continue;
      listed.push_back(path);
      if (!head) head = menu.addSection(title);
      add(qtext(path), [this, path] { open(path); })->setEnabled(std::filesystem::exists(path));
    }
  }
  menu.addSeparator();
  const std::string here = path_of(*session_);
  const bool is_pinned =
      std::find(remembered_.pinned.begin(), remembered_.pinned.end(), here) != remembered_.pinned.end();
  add(is_pinned ? tr("Take this series from the pinned ones") : tr("Keep this series pinned"),
      [this, here, is_pinned] {
        if (is_pinned)
          std::erase(remembered_.pinned, here);
        else
          remembered_.pinned.push_back(here);
      });
  menu.addAction(close_);
  menu.setToolTipsVisible(true);
  menu.exec(at);
}

}  // namespace varve
