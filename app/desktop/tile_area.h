// The middle of the window: open views as tiles that split, tab, move and fill. The session holds how they
// lie; this draws it and turns the hand's moves into acts.
#pragma once

#include <QPushButton>
#include <QRubberBand>
#include <QTabBar>
#include <QWidget>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "app/desktop/view_tile.h"

namespace varve {

// Tiles are all children of this widget and are never given to another one: a canvas that changes its window
// would lose its pictures.
class TileArea : public QWidget {
  Q_OBJECT

 public:
  explicit TileArea(Desk& desk, QWidget* parent = nullptr);
  // Rasterises the first glyphs of all canvases, which takes a while: for before the window is there.
  void make_glyphs();
  const std::shared_ptr<ScreenFonts>& fonts() const { return fonts_; }
  void refresh();
  ViewTile* active();              // null where no view is open
  ViewTile* tile(int64_t id);      // null where it is not open
  std::vector<ViewTile*> shown();  // those that are seen, row by row
  std::vector<QTabBar*> tab_bars();
  void focus_active();
  // The overlay with frame times, in every view.
  void show_times(bool on);
  bool shows_times() const { return shows_times_; }

 signals:
  void export_asked();
  void menu_asked(int64_t id, const QPoint& global);
  void painted();  // by any of the views

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  void add_tile(int64_t id);
  void lay_out();
  Tile fitted(const Tile& tiles);
  void show_tabs(const Placed& placed);
  const Separator* separator_at(const QPoint& at) const;
  int64_t group_at(const QPoint& at, Box& box) const;
  void show_drop(int64_t id, const QPoint& global);
  void drop(int64_t id, const QPoint& global);
  Desk& desk_;
  ViewContents contents_;
  std::map<int64_t, ViewTile*> tiles_;
  std::vector<QTabBar*> tabs_;
  std::vector<std::vector<int64_t>> tabs_of_;  // views of each bar
  Placed placed_;
  Separator held_;
  bool is_held_ = false;
  QPoint held_at_;
  int64_t gesture_ = 1'000'000;  // far from the numbers that other parts give
  QRubberBand* drop_;
  QWidget* nothing_;
  std::array<int64_t, 6> fitted_for_{};
  double fitted_share_ = 0.6;
  bool shows_times_ = false;
  std::shared_ptr<ScreenFonts> fonts_;
};

}  // namespace varve
