// The docks at the left, the tour below, and how start page, results, form, notes and jobs hand over to each
// other.
#pragma once

#include <QDockWidget>
#include <QMainWindow>
#include <QObject>
#include <QTimer>
#include <QToolBar>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/desktop/jobs_dock.h"
#include "app/desktop/notes_dock.h"
#include "app/desktop/results_dock.h"
#include "app/desktop/run_form_dock.h"
#include "app/desktop/start_page.h"
#include "app/desktop/tour_strip.h"

namespace varve {

class FlowDocks : public QObject {
  Q_OBJECT

 public:
  // What only the window can do.
  struct Wishes {
    std::function<void(const std::string& path)> open;
    std::function<void()> open_demo;
    std::function<void(const std::string& gone)> find;  // asks where a series went
    std::function<void(int layout)> use_layout;
    std::function<void()> verify;
    std::function<bool()> reads_cell;             // a cell's numbers stand under the pointer
    std::function<QRect(Tour::Target)> place_of;  // on the screen
  };
  // `folder` keeps recent runs and series and the tour's progress.
  FlowDocks(Desk& desk, QMainWindow& window, StartPage& start, JobsDock& jobs,
            const std::filesystem::path& folder, Wishes wishes);
  void refresh();
  void open_form(const std::string& analysis);  // empty: the one that was open
  void open_form(const RunForm& form);          // as it was run before
  const std::vector<RunForm>& recent() const { return form_->recent(); }
  void run_again();
  void note_here();
  void begin_tour() { strip_->begin(); }
  void toggle(const std::string& dock);  // "results", "run", "notes"
  void kept();                           // a picture was exported, or a line copied
  nlohmann::json report() const;         // for tests: what is shown, and where to click

 private:
  QDockWidget* add_dock(const char* name, const QString& title, QWidget* inside);
  void take_in_opened();
  void ask(int question, const std::string& path);
  void look();
  TourSight sight() const;
  Desk& desk_;
  QMainWindow& window_;
  StartPage& start_;
  JobsDock& jobs_;
  Wishes wishes_;
  ResultsDock* results_;
  RunFormDock* form_;
  NotesDock* notes_;
  TourStrip* strip_;
  QDockWidget *results_place_, *form_place_, *notes_place_;
  QToolBar* strip_bar_;
  std::shared_ptr<const Opened> seen_;
  std::map<std::string, bool> wanted_;  // docks as a person left them
  int question_ = 0;                    // to be answered once the series is open
  int64_t kept_ = 0, results_told_ = -1;
  QTimer look_timer_;
};

}  // namespace varve
