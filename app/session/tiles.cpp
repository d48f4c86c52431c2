// The tree of tiles: taking apart, putting together, and where each part lies.
#include "app/session/tiles.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace varve {

namespace {

constexpr double least_share = 0.02;

// Shares that fit the parts, whatever was read from a file.
void mend_shares(Tile& tile) {
  if (tile.shares.size() != tile.parts.size())
    tile.shares.assign(tile.parts.size(), 1.0 / static_cast<double>(tile.parts.size()));
  double sum = 0;
  for (double& share : tile.shares) {
    if (!(share >= least_share && share <= 1)) share = least_share;
    sum += share;
  }
  for (double& share : tile.shares) share /= sum;
}

// No empty groups, no split of one part, no row within a row.
void tidy(Tile& tile) {
  if (tile.kind == Tile::Kind::group) {
    if (std::find(tile.views.begin(), tile.views.end(), tile.front) == tile.views.end())
      tile.front = tile.views.empty() ? 0 : tile.views.front();
    return;
  }
  mend_shares(tile);
  std::vector<Tile> parts;
  std::vector<double> shares;
  for (size_t i = 0; i < tile.parts.size(); ++i) {
    Tile part = std::move(tile.parts[i]);
    tidy(part);
    const bool is_empty = part.kind == Tile::Kind::group ? part.views.empty() : part.parts.empty();
    if (is_empty) {
      if (i == 0) tile.is_fitted = false;
      continue;
    }
    if (part.kind == tile.kind) {
      for (size_t j = 0; j < part.parts.size(); ++j) {
        parts.push_back(std::move(part.parts[j]));
        shares.push_back(tile.shares[i] * part.shares[j]);
      }
    } else {
      parts.push_back(std::move(part));
      shares.push_back(tile.shares[i]);
    }
  }
  if (parts.size() < 2) {
    Tile only = parts.empty() ? Tile{} : std::move(parts.front());
    tile = std::move(only);
    return;
  }
  tile.parts = std::move(parts);
  tile.shares = std::move(shares);
  mend_shares(tile);
}

Tile* group_with(Tile& tile, int64_t view) {
  if (tile.kind == Tile::Kind::group)
    return std::find(tile.views.begin(), tile.views.end(), view) == tile.views.end() ? nullptr : &tile;
  for (Tile& part : tile.parts)
    if (Tile* found = group_with(part, view)) return found;
  return nullptr;
}

void collect(const Tile& tile, std::vector<int64_t>& all) {
  all.insert(all.end(), tile.views.begin(), tile.views.end());
  for (const Tile& part : tile.parts) collect(part, all);
}

void place_into(const Tile& tile, const Box& box, double gutter, std::vector<size_t>& path, Placed& placed) {
  if (tile.kind == Tile::Kind::group) {
    if (!tile.views.empty()) placed.groups.push_back({.box = box, .views = tile.views, .front = tile.front});
    return;
  }
  const bool is_row = tile.kind == Tile::Kind::row;
  const auto count = static_cast<double>(tile.parts.size());
  const double room = std::max(0.0, (is_row ? box.w : box.h) - gutter * (count - 1));
  double before = 0;
  for (size_t i = 0; i < tile.parts.size(); ++i) {
    const double after = i + 1 == tile.parts.size() ? 1.0 : before + tile.shares[i];
    const double from = std::round(room * before), to = std::round(room * after);
    const double start = from + gutter * static_cast<double>(i);
    const Box part =
        is_row ? Box{box.x + start, box.y, to - from, box.h} : Box{box.x, box.y + start, box.w, to - from};
    path.push_back(i);
    place_into(tile.parts[i], part, gutter, path, placed);
    path.pop_back();
    if (i + 1 < tile.parts.size()) {
      const double end = start + to - from;
      placed.separators.push_back(
          {.box = is_row ? Box{box.x + end, box.y, gutter, box.h} : Box{box.x, box.y + end, box.w, gutter},
           .is_upright = is_row,
           .path = path,
           .index = i,
           .room = room * (tile.shares[i] + tile.shares[i + 1])});
    }
    before = after;
  }
}

}  // namespace

Tile group_of(std::vector<int64_t> views) {
  Tile tile;
  tile.front = views.empty() ? 0 : views.front();
  tile.views = std::move(views);
  return tile;
}

Tile split_of(Tile::Kind kind, std::vector<Tile> parts, std::vector<double> shares) {
  Tile tile;
  tile.kind = kind;
  tile.parts = std::move(parts);
  tile.shares = std::move(shares);
  tidy(tile);
  return tile;
}

bool holds(const Tile& tile, int64_t view) {
  const std::vector<int64_t> all = views_in(tile);
  return std::find(all.begin(), all.end(), view) != all.end();
}

std::vector<int64_t> views_in(const Tile& tile) {
  std::vector<int64_t> all;
  collect(tile, all);
  return all;
}

void insert(Tile& tile, int64_t view, int64_t onto, Edge edge) {
  Tile* target = group_with(tile, onto);
  if (!target) {
    if (views_in(tile).empty()) {
      tile = group_of({view});
      return;
    }
    target = &tile;
    if (edge == Edge::middle) edge = Edge::right;
  }
  if (edge == Edge::middle) {
    target->views.insert(std::find(target->views.begin(), target->views.end(), onto) + 1, view);
    target->front = view;
    return;
  }
  const bool is_row = edge == Edge::left || edge == Edge::right;
  const bool is_first = edge == Edge::left || edge == Edge::top;
  Tile old = std::move(*target);
  Tile split;
  split.kind = is_row ? Tile::Kind::row : Tile::Kind::column;
  split.parts.push_back(is_first ? group_of({view}) : old);
  split.parts.push_back(is_first ? std::move(old) : group_of({view}));
  split.shares = {0.5, 0.5};
  *target = std::move(split);
  tidy(tile);
}

void remove(Tile& tile, int64_t view) {
  if (Tile* group = group_with(tile, view)) {
    const auto place = std::find(group->views.begin(), group->views.end(), view);
    const auto next = group->views.erase(place);
    if (group->front == view && !group->views.empty())
      group->front = next == group->views.end() ? group->views.back() : *next;
  }
  tidy(tile);
}

void bring_forward(Tile& tile, int64_t view) {
  if (Tile* group = group_with(tile, view)) group->front = view;
}

Placed place(const Tile& tile, const Box& box, double gutter) {
  Placed placed;
  std::vector<size_t> path;
  Tile whole = tile;
  tidy(whole);
  place_into(whole, box, gutter, path, placed);
  return placed;
}

void drag(Tile& tile, const Separator& separator, double by, double least) {
  tidy(tile);
  Tile* at = &tile;
  for (const size_t step : separator.path) {
    if (step >= at->parts.size()) return;
    at = &at->parts[step];
  }
  if (separator.index + 1 >= at->parts.size() || separator.room <= 0) return;
  const double both = at->shares[separator.index] + at->shares[separator.index + 1];
  const double smallest = std::min(least, separator.room / 2);
  const double first = std::clamp(separator.room * at->shares[separator.index] / both + by, smallest,
                                  separator.room - smallest);
  at->shares[separator.index] = both * first / separator.room;
  at->shares[separator.index + 1] = both - at->shares[separator.index];
  at->is_fitted = false;
}

Edge edge_at(const Box& box, Point point) {
  const double x = (point.x - box.x) / std::max(1.0, box.w), y = (point.y - box.y) / std::max(1.0, box.h);
  if (x > 0.25 && x < 0.75 && y > 0.25 && y < 0.75) return Edge::middle;
  const double nearest_edge = std::min({x, 1 - x, y, 1 - y});
  if (nearest_edge == x) return Edge::left;
  if (nearest_edge == 1 - x) return Edge::right;
  return nearest_edge == y ? Edge::top : Edge::bottom;
}

Box half_of(const Box& box, Edge edge) {
  switch (edge) {
    case Edge::left:
      return {box.x, box.y, box.w / 2, box.h};
    case Edge::right:
      return {box.x + box.w / 2, box.y, box.w / 2, box.h};
    case Edge::top:
      return {box.x, box.y, box.w, box.h / 2};
    case Edge::bottom:
      return {box.x, box.y + box.h / 2, box.w, box.h / 2};
    case Edge::middle:
      break;
  }
  return box;
}

}  // namespace varve
