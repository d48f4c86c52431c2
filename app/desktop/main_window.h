// The window: rail above, views in the middle, inspector at the right, jobs below.
#pragma once

#include <QAction>
#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <QStackedWidget>
#include <QTimer>
#include <QToolBar>
#include <atomic>
#include <filesystem>
#include <memory>

#include "app/desktop/desk.h"
#include "app/desktop/fold_tab.h"
#include "app/desktop/inspector.h"
#include "app/desktop/jobs_dock.h"
#include "app/desktop/notice.h"
#include "app/desktop/prompt_box.h"
#include "app/desktop/rail.h"
#include "app/desktop/start_page.h"
#include "app/desktop/view_stack.h"
#include "app/session/session_file.h"

namespace varve {

struct DesktopOptions {
  std::string open;               // a store or a source
  std::string theme;              // "light", "dark", "": as remembered, else as the system
  std::string text;               // a prompt to run once the series is open
  std::filesystem::path session;  // the session file
  std::filesystem::path state;    // what is shown, as JSON after every change; for tests
  std::filesystem::path program_folder;
};

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(DesktopOptions options);
  ~MainWindow() override;
  void open(const std::string& path);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void build_parts();
  void build_menus();
  QAction* add_action(QMenu* menu, const QString& text, const QKeySequence& key, std::function<void()> what);
  void refresh();
  void refresh_actions();
  void refresh_status();
  void after_opening();
  void fold_inspector();
  void set_theme(const Theme& theme);
  void wake();  // from any thread
  void write_state();
  // An Error of `what` becomes the notice card.
  void guarded(const std::function<void()>& what);

  void open_demo();
  void open_folder(const QString& title);
  void import_as();
  void export_picture();
  void export_numbers();
  void copy_value();
  void copy_command_line();
  void show_keys();
  QString asked_file(const QString& title, const QString& proposed, const QString& kinds);

  DesktopOptions options_;
  Remembered remembered_;
  Desk desk_;
  std::unique_ptr<Session> session_;
  std::atomic<bool> wake_pending_{false};
  std::shared_ptr<const Opened> seen_;  // the series the window last took in
  std::string error_seen_;
  bool text_to_run_ = false;

  QToolBar* rail_bar_;
  Rail* rail_;
  QStackedWidget* pages_;
  StartPage* start_;
  QWidget* workbench_;
  Notice* notice_;
  PromptBox* prompt_;
  ViewStack* views_;
  ViewHost* view_;  // the one at the top
  QDockWidget *inspector_dock_, *jobs_dock_;
  QToolBar* fold_bar_;
  FoldTab* fold_tab_;
  Inspector* inspector_;
  JobsDock* jobs_;
  QLabel *status_selection_, *status_undo_, *status_run_;
  QAction *undo_, *redo_, *export_picture_, *export_numbers_, *copy_command_, *copy_value_, *close_;
  QTimer play_timer_;
};

}  // namespace varve
