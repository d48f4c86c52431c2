// What the window shows while nothing is open: how to begin, what was open before, what lies in the Hugging
// Face cache, the tour, and six questions that open a layout.
#pragma once

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/desktop/cards.h"
#include "app/desktop/desk.h"
#include "app/desktop/row_list.h"
#include "app/session/hub_cache.h"
#include "app/session/recent_series.h"
#include "app/session/tour.h"

namespace varve {

class StartPage : public QWidget {
  Q_OBJECT

 public:
  explicit StartPage(Desk& desk, QWidget* parent = nullptr);
  // Where faces of recent series are kept: told once, before anything is shown.
  void remember_in(const std::filesystem::path& file);
  // `recent` are paths, newest first; those without a face yet are listed with their name.
  void refresh(const std::vector<std::string>& recent);
  void note_opened(const Opened& opened, int64_t results);
  void show_tour(const Tour& tour);

  const std::vector<RecentSeries>& recent() const { return recent_; }
  const std::vector<HubModel>& hub() const { return hub_; }
  bool is_gone(const std::string& path) const { return gone_.contains(path); }
  std::map<std::string, QRect> places() const;  // of what can be pressed, on the screen

 signals:
  void demo_asked();
  void folder_asked();
  void store_asked();
  void path_asked(const QString& path);
  void find_asked(const QString& path);                  // a series that is gone
  void question_asked(int layout, const QString& path);  // 6: the audit; no path: the demo
  void tour_asked();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void build_left();
  void build_right();
  void build_tour(QVBoxLayout* column);
  void show_recent();
  void show_hub();
  void look_at_disk();
  void keep();
  Desk& desk_;
  std::filesystem::path memory_;
  std::vector<RecentSeries> recent_;
  std::vector<std::string> listed_;  // what the window remembers
  std::set<std::string> gone_;
  std::vector<HubModel> hub_;
  bool has_looked_ = false;
  std::string chosen_;  // the series that the questions open on
  int tour_done_ = -1;

  QWidget *left_, *right_;
  QLabel *nothing_, *hub_nothing_, *drop_, *questions_on_;
  ErrorCard* card_;
  RowList *hub_list_, *tour_list_;
  QPushButton* tour_button_;
  QVBoxLayout* recent_rows_;
  QGridLayout* cards_;
  bool is_narrow_ = false;
  std::map<std::string, QPushButton*> buttons_;
};

}  // namespace varve
