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
  std::string computing;  // "computing step 17k": an accent line at the top says so
};

enum class Direction { left, right, up, down };

class Pane {
 public:
  // Draws and answers: the axes that a click set, where there was one.
  std::optional<std::map<std::string, int64_t>> draw(Canvas& canvas, const Input& input,
                                                     const PaneContent& content);
  void fit();
  double zoom() const { return zoom_; }
  Point pan() const { return pan_; }
  bool in_cell_mode() const { return cell_mode_; }
  void set_cell_mode(bool on) { cell_mode_ = on; }
  // The mark next to the selected one, as it was last drawn; nothing at an edge.
  std::optional<std::map<std::string, int64_t>> neighbour(const Selection& selection,
                                                          Direction direction) const;
  // Where a selection was last drawn.
  std::optional<Box> place_of(const Selection& selection) const;
  const std::optional<Hit>& hovered() const { return hovered_; }
  std::string tip_text() const;  // of the hovered mark, one row a line
  std::string header() const { return drawn_.header; }
  // The selected mark's tip, for copying where nothing is hovered.
  std::string tip_text_of(const Selection& selection) const;

  const ViewCache& cache() const { return cache_; }
  void forget() { cache_.clear(); }  // everything kept between frames

 private:
  void move_by(const Input& input, const Box& area);
  ViewCache cache_;
  Drawn drawn_;
  std::optional<Hit> hovered_;
  double zoom_ = 1;
  Point pan_, pressed_at_, pan_at_press_;
  bool dragging_ = false, cell_mode_ = false, pressed_here_ = false;
};

std::string tip_text_of(const Hit& hit);
// Inverted card beside the pointer, flipped at the edges, never over `hit.mark`.
void draw_tip(Canvas& canvas, const Hit& hit, Point pointer, const Theme& theme);

}  // namespace varve
