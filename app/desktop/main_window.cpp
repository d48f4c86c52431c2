// The window's parts and how they follow the session.
#include "app/desktop/main_window.h"

#include <sys/resource.h>
#include <QApplication>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QMenuBar>
#include <QMimeData>
#include <QPainter>
#include <QPixmap>
#include <QScreen>
#include <QStatusBar>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

#include "analysis/core/error.h"
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
  session_ = desk_.session = &add_session();
  desk_.acted = [this] { refresh(); };
  build_parts();
  build_menus();
  // Glyphs are made before there is a window, not when the first result is to be drawn.
  guarded([this] { views_->make_glyphs(); });
  guarded([this] { remembered_ = read_session_file(options_.session); });
  guarded([this] { take_preferences(); });
  actions_.use_keys(remembered_.keys);
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
  if (!options_.session.empty()) writer_ = std::make_unique<FileWriter>(options_.session);
  if (!options_.open.empty()) {
    open(options_.open);
  } else {
    // The one that was looked at is opened first, the others beside it.
    const std::vector<std::string> before = remembered_.open;
    for (const std::string& path : before)
      if (std::filesystem::exists(path)) open(path);
  }
  refresh();
}

MainWindow::~MainWindow() {
  disconnect(qApp, nullptr, this, nullptr);  // the parts lose the keyboard as they go
  // The sessions first: their workers may still call wake().
  sessions_.clear();
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
  column->addWidget(views_ = new TileArea(desk_, workbench_), 1);
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
  statusBar()->addWidget(status_words_ = new QLabel(this), 1);
  status_words_->setTextFormat(Qt::RichText);
  status_words_->setMinimumWidth(10);
  statusBar()->addPermanentWidget(status_prompt_ = new QPushButton(this));
  status_prompt_->setObjectName("status");
  status_prompt_->setFocusPolicy(Qt::TabFocus);
  status_prompt_->setToolTip(tr("Change the prompt (Ctrl+P)"));
  connect(status_prompt_, &QPushButton::clicked, this, [this] { ask_prompt(); });
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    if (prompt_asked_ && now && now != prompt_->field() && !prompt_->isAncestorOf(now)) {
      prompt_asked_ = false;
      refresh();
    }
    write_state();
  });

  palette_ = new PaletteBox(desk_, this);
  palette_button_ = new QPushButton(tr("Go to anything: view, analysis, head, step …    Ctrl+K"), this);
  palette_button_->setObjectName("palettefield");
  palette_button_->setFocusPolicy(Qt::TabFocus);
  palette_button_->setAccessibleName(tr("Command palette"));
  menuBar()->setCornerWidget(logo_ = new QLabel(this), Qt::TopLeftCorner);
  logo_->setContentsMargins(12, 0, 2, 0);
  menuBar()->setCornerWidget(palette_button_, Qt::TopRightCorner);
  connect(palette_button_, &QPushButton::clicked, this, [this] { open_palette(); });
  connect(palette_, &PaletteBox::chosen, this,
          [this](const std::string& id, bool in_new_view) { do_entry(id, in_new_view); });
  connect(palette_, &PaletteBox::place_chosen, this, [this](const GoTo& place) {
    if (place.at.empty() && place.step)
      session_->go_to_step(*place.step);
    else
      session_->select(place.at, place.step);
    refresh();
    views_->focus_active();
  });
  connect(rail_, &Rail::series_menu_asked, this, [this](const QPoint& at) { show_series_menu(at); });
  jobs_->setFocusPolicy(Qt::TabFocus);
  jobs_->setAccessibleName(tr("Jobs"));
  connect(start_, &StartPage::demo_asked, this, [this] { open_demo(); });
  connect(start_, &StartPage::folder_asked, this, [this] { open_folder(tr("Open folder")); });
  connect(start_, &StartPage::store_asked, this, [this] { open_folder(tr("Open store")); });
  connect(start_, &StartPage::path_asked, this, [this](const QString& path) { open(path.toStdString()); });
  connect(prompt_, &PromptBox::was_left, this, [this] { views_->focus_active(); });
  connect(prompt_, &PromptBox::has_run, this, [this] {
    prompt_asked_ = false;
    refresh();
    views_->focus_active();
  });
  connect(views_, &TileArea::export_asked, this, [this] { export_picture(); });
  connect(views_, &TileArea::menu_asked, this,
          [this](int64_t id, const QPoint& at) { show_view_menu(id, at); });
  connect(views_, &TileArea::painted, this, [this] { write_state(); });
  connect(jobs_, &JobsDock::redrawn, this, [this] { write_state(); });
  build_flows();
}

void MainWindow::wake() {
  if (wake_pending_.exchange(true)) return;  // one pass takes over all that waits
  QMetaObject::invokeMethod(
      this,
      [this] {
        wake_pending_ = false;
        for (const auto& session : sessions_) session->settle();
        take_in_opened();
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

void MainWindow::after_opening() {
  seen_ = session_->opened();
  notice_->hide();
  if (!seen_) return;
  remember_series(remembered_, path_of(*session_));
  if (text_to_run_) {
    text_to_run_ = false;
    session_->run("logit-lens");
  }
  if (session_->typed().text.empty())
    prompt_->focus();
  else
    views_->focus_active();
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
  palette_->hide();
  if (flows_) flows_->refresh();
}

void MainWindow::refresh() {
  if (session_->opened() != seen_) after_opening();
  const bool is_open = session_->opened() != nullptr;
  pages_->setCurrentWidget(is_open ? workbench_ : static_cast<QWidget*>(start_));
  rail_bar_->setVisible(is_open);
  fold_inspector();
  jobs_->refresh();
  jobs_dock_->setVisible(!jobs_->isHidden());
  if (is_open) {
    rail_->refresh();
    const Run* run = session_->current_run();
    const bool was_typing = focusWidget() == prompt_->field();  // also while another window is in front
    views_->refresh();
    // Where other results fill the views nobody waits for a prompt; Ctrl+P asks for one all the same.
    const std::vector<ViewTile*> tiles = views_->shown();
    const auto count = [&tiles](const auto& holds) {
      return std::count_if(tiles.begin(), tiles.end(), holds);
    };
    const bool is_filled =
        count([](ViewTile* tile) { return tile->content().view != nullptr; }) > 0 &&
        count([](ViewTile* tile) { return tile->content().analysis == "logit-lens"; }) == 0;
    // A lens without numbers asks for the prompt above it, whatever else is run meanwhile.
    const bool lens_waits = count([](ViewTile* tile) {
                              return tile->content().analysis == "logit-lens" && !tile->content().data;
                            }) > 0 &&
                            run && run->request.analysis != "logit-lens";
    const bool has_run = run && (run->running() || !run->cells.empty()) && !lens_waits;
    prompt_->setVisible(prompt_asked_ || (!has_run && !is_filled));
    if (was_typing && !prompt_->isVisible()) views_->focus_active();
    prompt_->refresh();
    ViewTile* const active = views_->active();
    if (active)
      inspector_->refresh(&active->content(),
                          active->canvas().pane().tip_text_of(active->content().selection));
    else
      inspector_->refresh(nullptr, "");
    if (!session_->open_error().empty() && session_->open_error() != error_seen_) {
      error_seen_ = session_->open_error();
      notice_->say(tr("That could not be opened"), qtext(error_seen_));
    }
  } else {
    start_->refresh(remembered_.recent);
  }
  flows_->refresh();
  if (session_->playing() != play_timer_.isActive())
    session_->playing() ? play_timer_.start() : play_timer_.stop();
  setWindowTitle(is_open ? qtext(session_->opened()->name()) + tr(" – Varve") : tr("Varve"));
  refresh_actions();
  refresh_menus();
  refresh_status();
  save_session();
  write_state();
}

void MainWindow::set_theme(const Theme& theme) {
  desk_.theme = &theme;
  apply_style(*qApp, theme);
  const qreal dpr = devicePixelRatioF();
  QPixmap logo(QSize(16, 12) * dpr);
  logo.setDevicePixelRatio(dpr);
  logo.fill(Qt::transparent);
  QPainter painter(&logo);
  PainterCanvas canvas(painter, {0, 0, 16, 12}, dpr);
  draw_logo(canvas, {0, 0, 16, 12}, theme);
  painter.end();
  logo_->setPixmap(logo);
  refresh();
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
