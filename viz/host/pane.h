// One view under the pointer: zoom, pan, hover tip, click and cell mode. No window, so tests drive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "viz/cache.h"
#include "viz/host/frame.h"
#include "viz/view.h"

namespace varve {

// What a pane shows; all of it belongs to somebody else.
struct PaneContent {
  const View* view = nullptr;
  std::shared_ptr<const Dataset> data;
  SettingValues options;
  Selection selection;
  const Theme* theme = nullptr;
  std::vector<std::map<std::string, int64_t>> set;  // marks that a person put together: framed
  bool drag_zooms = false;                          // left drags zoom into a box, right ones move
  std::string computing;                            // "computing step 17k": an accent line at the top says so
};

enum class Direction { left, right, up, down };

// What a gesture asks for beside the axes of a mark.
struct PaneWish {
  SettingValues options;                             // of the view: a click on a name
  std::optional<std::pair<int64_t, int64_t>> steps;  // items of the axis step that were brushed, either way
};

class Pane {
 public:
  // Draws and answers: the axes that a click set, where there was one.
  std::optional<std::map<std::string, int64_t>> draw(Canvas& canvas, const Input& input,
                                                     const PaneContent& content);
  void fit();
  // Of the last draw(), where the hand let go in it.
  const PaneWish& wish() const { return wish_; }
  void cancel();  // the box or band that is being drawn; what follows of the drag is nothing
  double zoom() const { return zoom_; }
  double zoom_y() const { return zoom_y_; }
  Point pan() const { return pan_; }
  bool in_cell_mode() const { return cell_mode_; }
  void set_cell_mode(bool on) { cell_mode_ = on; }
  // The mark next to the selected one, as it was last drawn; nothing at an edge.
  std::optional<std::map<std::string, int64_t>> neighbour(const Selection& selection,
                                                          Direction direction) const;
  // Where a selection was last drawn.
  std::optional<Box> place_of(const Selection& selection) const;
  const std::optional<Hit>& hovered() const { return hovered_; }
  // From now on the mark under the pointer, else the selected one, is what every other is measured against;
  // again: no more. False where there is no mark with a number.
  bool measure(const Selection& selection);
  bool measures() const { return from_.has_value(); }
  std::string tip_text() const;  // of the hovered mark, one row a line
  std::string header() const { return drawn_.header; }
  const std::vector<std::pair<std::string, Box>>& names() const { return drawn_.names; }
  // The selected mark's tip, for copying where nothing is hovered.
  std::string tip_text_of(const Selection& selection) const;

  const ViewCache& cache() const { return cache_; }
  void forget() { cache_.clear(); }  // everything kept between frames

 private:
  // Left drags move, a brush with Shift; with Ctrl, or with the right button, they zoom into a box. Where
  // drags zoom it is the other way round.
  enum class Drag { none, move, box, brush };
  void move_by(const Input& input, const Box& area, bool drag_zooms);
  void wheel_by(const Input& input, const Box& area);
  void zoom_into(const Box& box, const Box& area);
  void keep_in_reach(const Box& area);
  std::optional<Hit> hit_of(const Selection& selection) const;
  Box dragged(const Box& plot) const;  // what box or band covers
  void draw_drag(Canvas& canvas, const Box& area, const Theme& theme) const;
  void find_start_again();
  void draw_set(Canvas& canvas, const PaneContent& content) const;
  void draw_measured(Canvas& canvas, Point pointer, const Theme& theme) const;
  ViewCache cache_;
  Drawn drawn_;
  std::optional<Hit> hovered_, from_;  // from_: what is measured against
  double zoom_ = 1, zoom_y_ = 1;
  Drag drag_ = Drag::none;
  PaneWish wish_;
  Point pan_, pressed_at_, now_at_, pan_at_press_;
  bool dragging_ = false, cell_mode_ = false, pressed_here_ = false;
};

std::string tip_text_of(const Hit& hit);
// Inverted card beside the pointer, flipped at the edges, never over `hit.mark`.
void draw_tip(Canvas& canvas, const Hit& hit, Point pointer, const Theme& theme);

}  // namespace varve
