// The window: rail above, views in the middle, inspector at the right, jobs below.
#pragma once

#include <QAction>
#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <QPushButton>
#include <QStackedWidget>
#include <QTimer>
#include <QToolBar>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "app/desktop/actions.h"
#include "app/desktop/desk.h"
#include "app/desktop/flow_docks.h"
#include "app/desktop/fold_tab.h"
#include "app/desktop/inspector.h"
#include "app/desktop/jobs_dock.h"
#include "app/desktop/notice.h"
#include "app/desktop/palette_box.h"
#include "app/desktop/prompt_box.h"
#include "app/desktop/rail.h"
#include "app/desktop/start_page.h"
#include "app/desktop/tile_area.h"
#include "app/session/file_writer.h"
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
  void build_flows();  // docks at the left and the tour
  void build_menus();
  void build_file_menu();
  void build_edit_menu();
  void build_series_menu();
  void build_analyse_menu();
  void build_select_menu();
  void build_window_menu();
  void build_help_menu();
  void refresh_menus();
  QAction* add_action(QMenu* menu, const QString& text, const QKeySequence& key, std::function<void()> what);
  void refresh();
  void refresh_actions();
  void refresh_status();
  void ask_prompt();
  void after_opening();
  void fold_inspector();
  void set_theme(const Theme& theme);
  void wake();         // from any thread
  void write_state();  // soon; after what was posted before
  void write_state_now();
  bool stands_still(const std::string& places);
  // An Error of `what` becomes the notice card.
  void guarded(const std::function<void()>& what);

  // Several series may be open, each a session of its own; one of them is looked at.
  Session& add_session();
  Session& free_session();  // the one that is looked at where nothing is open in it, else a new one
  void look_at(Session& session);
  void take_in_opened();  // sessions whose series has just been opened, or could not be
  void next_series();
  void close_series();
  void show_series_menu(const QPoint& at);
  void save_session();
  std::string path_of(const Session& session) const;

  std::vector<PaletteEntry> palette_entries();
  void open_palette(const QString& typed = {});
  void do_entry(const std::string& id, bool in_new_view);
  void open_new_view(const std::string& name);
  void show_as(int64_t id, const std::string& name);
  void unlink_view();
  // `lacks`: what a view without that option is said to have none of.
  void toggle_option(const std::string& name, const std::string& first, const std::string& second,
                     const std::string& lacks);
  void select_heads();
  void select_heads_above_floor();
  void add_scores();
  void measure();
  void take_preferences();
  void save_set();
  void show_preferences();
  // `first`: said above what the program says, where that is shown.
  void run_beside(const QStringList& words, const QString& title, bool shows_words,
                  const QString& first = {});
  void run_doctor();
  void write_report();
  void verify_store();
  void show_audit();
  void show_queue();
  void next_part(int by);
  void copy_table();
  void copy_python();
  void open_demo();
  void open_folder(const QString& title);
  void import_as();
  void use_layout(int number);
  void save_layout(int number);
  void show_view_menu(int64_t id, const QPoint& at);
  void export_picture();
  void export_numbers();
  void copy_value();
  void copy_command_line();
  void show_keys();
  Remembered remembered_now();
  QString asked_file(const QString& title, const QString& proposed, const QString& kinds);

  DesktopOptions options_;
  Remembered remembered_;
  Desk desk_;
  std::vector<std::unique_ptr<Session>> sessions_;
  Session* session_ = nullptr;  // the one that is looked at
  std::map<const Session*, bool> was_open_;
  std::unique_ptr<FileWriter> writer_;
  Actions actions_;
  std::atomic<bool> wake_pending_{false};
  std::shared_ptr<const Opened> seen_;  // the series the window last took in
  std::string error_seen_;
  bool text_to_run_ = false;
  bool prompt_asked_ = false;  // the field is shown though there is a run

  QToolBar* rail_bar_;
  Rail* rail_;
  QStackedWidget* pages_;
  StartPage* start_;
  QWidget* workbench_;
  Notice* notice_;
  PromptBox* prompt_;
  TileArea* views_;
  QDockWidget *inspector_dock_, *jobs_dock_;
  QToolBar* fold_bar_;
  FoldTab* fold_tab_;
  Inspector* inspector_;
  JobsDock* jobs_;
  FlowDocks* flows_ = nullptr;
  QLabel *logo_, *status_words_;
  std::string status_plain_;
  std::string written_;  // what was exported last, for the status line
  QPushButton* status_prompt_;
  PaletteBox* palette_;
  QPushButton* palette_button_;
  QMenu *recent_menu_, *settings_menu_, *branches_menu_, *sets_menu_, *show_as_menu_;
  QAction *undo_, *redo_, *export_picture_, *export_numbers_, *copy_command_, *copy_python_, *copy_value_,
      *copy_table_, *close_, *report_, *verify_, *audit_, *back_, *forward_;
  QTimer play_timer_;
  QTimer state_timer_;                        // for tests only, as the two below
  std::unique_ptr<FileWriter> state_writer_;  // beside the window, which must not wait for a disk
  std::string stood_;                         // where everything was when the state was written last
};

}  // namespace varve
