// How views share the middle of the window: a tree of rows, columns and groups of tabs, as plain numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "viz/draw/canvas.h"

namespace varve {

// A group shows one of its views, the others are tabs behind it. A row lays its parts side by side, a column
// one above the other.
struct Tile {
  enum class Kind { group, row, column };
  Kind kind = Kind::group;
  std::vector<int64_t> views;  // of a group
  int64_t front = 0;           // the one of them that is seen
  std::vector<Tile> parts;     // of a row or column, two or more
  std::vector<double> shares;  // of the room, one a part, sum 1
  bool is_fitted = false;      // the first part takes what its view can use, until a person moves the edge
  bool operator==(const Tile&) const = default;
};

Tile group_of(std::vector<int64_t> views);
Tile split_of(Tile::Kind kind, std::vector<Tile> parts, std::vector<double> shares);

// Where a view is dropped on another one.
enum class Edge { middle, left, right, top, bottom };

bool holds(const Tile& tile, int64_t view);
std::vector<int64_t> views_in(const Tile& tile);  // row by row, tabs in order
// Puts `view` beside `onto` (halving its room) or behind it as a tab; first where the tree is empty or lacks
// `onto`: beside everything.
void insert(Tile& tile, int64_t view, int64_t onto, Edge edge);
void remove(Tile& tile, int64_t view);  // and closes the gap
void bring_forward(Tile& tile, int64_t view);

// The line between part `index` and the next one of the row or column that `path` leads to.
struct Separator {
  Box box;
  bool is_upright = false;
  std::vector<size_t> path;
  size_t index = 0;
  double room = 0;  // pixels that the two parts share
};
struct PlacedGroup {
  Box box;  // tabs included
  std::vector<int64_t> views;
  int64_t front = 0;
};
struct Placed {
  std::vector<PlacedGroup> groups;
  std::vector<Separator> separators;
};
// Whole pixels; parts never overlap and leave no hole but the gutters.
Placed place(const Tile& tile, const Box& box, double gutter);
// Moves a separator by so many pixels; neither side becomes smaller than `least`.
void drag(Tile& tile, const Separator& separator, double by, double least);
// Which edge of a box a point means: the middle half is the middle.
Edge edge_at(const Box& box, Point point);
Box half_of(const Box& box, Edge edge);  // the room a drop there would take

}  // namespace varve
