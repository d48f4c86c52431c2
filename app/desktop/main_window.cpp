// The window's parts and how they follow the session.
#include "app/desktop/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QMenuBar>
#include <QMimeData>
#include <QScreen>
#include <QStatusBar>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

namespace {

constexpr int play_millis = 160;  // six steps a second: fast enough to flow, slow enough to see
constexpr int inspector_width = 334, inspector_least = 280, unfolded_width = 1200;

bool system_is_dark() { return QApplication::palette().color(QPalette::Window).lightness() < 128; }

QWidget* dock_header(const QString& title, QWidget* parent) {
  auto* bar = new QWidget(parent);
  bar->setObjectName("header");
  bar->setAttribute(Qt::WA_StyledBackground);
  bar->setFixedHeight(26);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(12, 0, 4, 0);
  auto* label = new QLabel(title, bar);
  label->setObjectName("title");
  row->addWidget(label);
  row->addStretch();
  return bar;
}

}  // namespace

MainWindow::MainWindow(DesktopOptions options) : options_(std::move(options)) {
  session_ = std::make_unique<Session>([this] { wake(); });
  desk_.session = session_.get();
  desk_.acted = [this] { refresh(); };
  build_parts();
  build_menus();
  guarded([this] { remembered_ = read_session_file(options_.session); });
  const std::string& theme = options_.theme.empty() ? remembered_.theme : options_.theme;
  set_theme(theme == "dark" || (theme.empty() && system_is_dark()) ? Theme::dark() : Theme::light());
  session_->type(options_.text.empty() ? remembered_.text : options_.text);
  text_to_run_ = !options_.text.empty();
  play_timer_.setInterval(play_millis);
  connect(&play_timer_, &QTimer::timeout, this, [this] {
    session_->play_on();
    refresh();
  });
  setAcceptDrops(true);
  setMinimumSize(1024, 640);
  resize(QSize(1440, 900).boundedTo(screen()->availableSize()));
  if (!remembered_.geometry.empty())
    restoreGeometry(QByteArray::fromBase64(QByteArray::fromStdString(remembered_.geometry)));
  resizeDocks({inspector_dock_}, {inspector_width}, Qt::Horizontal);
  if (!options_.open.empty()) session_->open(options_.open);
  refresh();
}

MainWindow::~MainWindow() {
  // The session first: its worker may still call wake().
  session_.reset();
}

void MainWindow::build_parts() {
  rail_bar_ = addToolBar(tr("Rail"));
  rail_bar_->setMovable(false);
  rail_bar_->setContextMenuPolicy(Qt::PreventContextMenu);
  rail_bar_->toggleViewAction()->setVisible(false);
  rail_bar_->setContentsMargins(0, 0, 0, 0);
  rail_bar_->layout()->setContentsMargins(0, 0, 0, 0);
  rail_bar_->layout()->setSpacing(0);
  rail_bar_->addWidget(rail_ = new Rail(desk_, this));

  pages_ = new QStackedWidget(this);
  pages_->addWidget(start_ = new StartPage(desk_, pages_));
  workbench_ = new QWidget(pages_);
  auto* column = new QVBoxLayout(workbench_);
  column->setContentsMargins(0, 4, 0, 0);
  column->setSpacing(4);
  column->addWidget(notice_ = new Notice(workbench_));
  column->addWidget(prompt_ = new PromptBox(desk_, workbench_));
  column->addWidget(views_ = new ViewStack(desk_, workbench_), 1);
  view_ = &views_->top();
  pages_->addWidget(workbench_);
  setCentralWidget(pages_);

  inspector_dock_ = new QDockWidget(tr("Inspector"), this);
  inspector_dock_->setObjectName("inspector_dock");
  inspector_dock_->setFeatures(QDockWidget::NoDockWidgetFeatures);
  inspector_dock_->setTitleBarWidget(new QWidget(inspector_dock_));
  auto* inspector = new QWidget(inspector_dock_);
  inspector->setObjectName("panel");
  inspector->setAttribute(Qt::WA_StyledBackground);
  auto* inspector_column = new QVBoxLayout(inspector);
  inspector_column->setContentsMargins(0, 4, 0, 0);
  inspector_column->setSpacing(0);
  inspector_column->addWidget(dock_header(tr("Inspector"), inspector));
  inspector_column->addWidget(inspector_ = new Inspector(desk_, inspector), 1);
  inspector_dock_->setWidget(inspector);
  inspector_->setMinimumWidth(inspector_least);
  addDockWidget(Qt::RightDockWidgetArea, inspector_dock_);
  fold_bar_ = new QToolBar(tr("Folded docks"), this);
  fold_bar_->setMovable(false);
  fold_bar_->setContextMenuPolicy(Qt::PreventContextMenu);
  fold_bar_->toggleViewAction()->setVisible(false);
  fold_bar_->addWidget(fold_tab_ = new FoldTab(desk_, tr("Inspector"), fold_bar_));
  addToolBar(Qt::RightToolBarArea, fold_bar_);
  connect(fold_tab_, &FoldTab::toggled, this, [this] { fold_inspector(); });
  jobs_dock_ = new QDockWidget(tr("Jobs"), this);
  jobs_dock_->setObjectName("jobs_dock");
  jobs_dock_->setFeatures(QDockWidget::NoDockWidgetFeatures);
  jobs_dock_->setTitleBarWidget(new QWidget(jobs_dock_));
  jobs_dock_->setWidget(jobs_ = new JobsDock(desk_, jobs_dock_));
  addDockWidget(Qt::BottomDockWidgetArea, jobs_dock_);
  setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);

  statusBar()->setSizeGripEnabled(false);
  statusBar()->addWidget(status_selection_ = new QLabel(this));
  statusBar()->addWidget(status_run_ = new QLabel(this), 1);
  statusBar()->addPermanentWidget(status_undo_ = new QLabel(this));

  connect(start_, &StartPage::demo_asked, this, [this] { open_demo(); });
  connect(start_, &StartPage::folder_asked, this, [this] { open_folder(tr("Open folder")); });
  connect(start_, &StartPage::store_asked, this, [this] { open_folder(tr("Open store")); });
  connect(start_, &StartPage::path_asked, this, [this](const QString& path) { open(path.toStdString()); });
  connect(prompt_, &PromptBox::has_run, &view_->canvas(), [this] { view_->canvas().setFocus(); });
  connect(views_, &ViewStack::export_asked, this, [this] { export_picture(); });
  connect(views_, &ViewStack::painted, this, [this] { write_state(); });
  connect(jobs_, &JobsDock::redrawn, this, [this] { write_state(); });
}

void MainWindow::wake() {
  if (wake_pending_.exchange(true)) return;  // one pass takes over all that waits
  QMetaObject::invokeMethod(
      this,
      [this] {
        wake_pending_ = false;
        session_->settle();
        refresh();
      },
      Qt::QueuedConnection);
}

void MainWindow::guarded(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& error) {
    notice_->say(tr("That did not work"), qtext(error.what()));
  }
}

void MainWindow::open(const std::string& path) {
  notice_->hide();
  error_seen_.clear();
  session_->open(path);
  refresh();
}

void MainWindow::after_opening() {
  seen_ = session_->opened();
  notice_->hide();
  if (!seen_) return;
  std::error_code ignored;
  const std::filesystem::path full = std::filesystem::absolute(seen_->asked, ignored);
  remember_series(remembered_, ignored ? seen_->asked.string() : full.string());
  if (text_to_run_) {
    text_to_run_ = false;
    session_->run("logit-lens");
  }
  if (session_->typed().text.empty())
    prompt_->focus();
  else
    view_->canvas().setFocus();
}

// In a narrow window the inspector leaves its room to the views; its tab brings it back for as long as it is
// pressed.
void MainWindow::fold_inspector() {
  const bool is_open = session_ && session_->opened() != nullptr;
  const bool is_narrow = width() < unfolded_width;
  fold_bar_->setVisible(is_open && is_narrow);
  inspector_dock_->setVisible(is_open && (!is_narrow || fold_tab_->isChecked()));
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  fold_inspector();
}

void MainWindow::refresh() {
  if (session_->opened() != seen_) after_opening();
  const bool is_open = session_->opened() != nullptr;
  pages_->setCurrentWidget(is_open ? workbench_ : static_cast<QWidget*>(start_));
  rail_bar_->setVisible(is_open);
  fold_inspector();
  jobs_->refresh();
  jobs_dock_->setVisible(!session_->jobs().all().empty());
  if (is_open) {
    rail_->refresh();
    prompt_->refresh();
    views_->refresh();
    inspector_->refresh();
    if (!session_->open_error().empty() && session_->open_error() != error_seen_) {
      error_seen_ = session_->open_error();
      notice_->say(tr("That could not be opened"), qtext(error_seen_));
    }
  } else {
    start_->refresh(remembered_.recent);
  }
  if (session_->playing() != play_timer_.isActive())
    session_->playing() ? play_timer_.start() : play_timer_.stop();
  setWindowTitle(is_open ? qtext(session_->opened()->name()) + tr(" – Varve") : tr("Varve"));
  refresh_actions();
  refresh_status();
  write_state();
}

void MainWindow::refresh_actions() {
  const bool shows = session_->shown().data != nullptr;
  undo_->setEnabled(!session_->would_undo().empty());
  redo_->setEnabled(!session_->would_redo().empty());
  undo_->setText(session_->would_undo().empty() ? tr("Undo") : tr("Undo: ") + qtext(session_->would_undo()));
  redo_->setText(session_->would_redo().empty() ? tr("Redo") : tr("Redo: ") + qtext(session_->would_redo()));
  for (QAction* action : {export_picture_, export_numbers_, copy_command_, copy_value_})
    action->setEnabled(shows);
  close_->setEnabled(session_->opened() != nullptr);
}

void MainWindow::refresh_status() {
  status_selection_->setText(session_->opened() ? tr("selection: ") + qtext(selection_words(*session_))
                                                : tr("nothing here uses a network"));
  const Run* run = session_->current_run();
  QString words;
  if (run && session_->opened())
    words = tr("%1 of %2 steps have a lens").arg(run->cells.size()).arg(session_->opened()->stops.size());
  status_run_->setText(words);
  status_undo_->setText(session_->would_undo().empty() ? QString()
                                                       : tr("undo: ") + qtext(session_->would_undo()));
}

void MainWindow::set_theme(const Theme& theme) {
  desk_.theme = &theme;
  apply_style(*qApp, theme);
  refresh();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  remembered_.geometry = saveGeometry().toBase64().toStdString();
  remembered_.theme = desk_.theme->is_dark ? "dark" : "light";
  remembered_.text = session_->typed().text;
  // A window must close even where its folder cannot be written.
  try {
    write_session_file(options_.session, remembered_);
  } catch (const Error& error) {
    qWarning("%s", error.what());
  }
  event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (std::any_of(urls.begin(), urls.end(), [](const QUrl& url) { return url.isLocalFile(); }))
    event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls())
    if (url.isLocalFile()) {
      open(url.toLocalFile().toStdString());
      event->acceptProposedAction();
      return;
    }
}

}  // namespace varve
