// One view of the workbench: which view of the shelf, on which result, with which options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/core/settings.h"
#include "app/session/tiles.h"

namespace varve {

// Which Dataset a view draws.
struct ResultRef {
  // cell: that of the current step. steps: a quantity of the cells over training. series: the reduce, or the
  // joined cells. stored: the one of `key`, whatever is run.
  enum class Which { cell, steps, series, stored };
  std::string analysis;  // empty: the one that was run last
  Which which = Which::cell;
  std::string key;
  bool operator==(const ResultRef&) const = default;
};

struct OpenView {
  enum class Against { now, pin, difference };  // of "now", of A, or now minus A
  int64_t id = 0;
  std::string view;   // name on the shelf; empty: the one that fits best
  std::string title;  // empty: made from what is drawn
  ResultRef result;
  SettingValues options;
  Against against = Against::now;
  // Its own step or layer where it does not follow the shared one.
  std::optional<int64_t> own_step, own_layer;
  bool pins_options = false;  // the row of options stays where another view is active
  bool operator==(const OpenView&) const = default;
};

// All views that are open and how they share the room. A small value: a copy for each act costs nothing.
struct Bench {
  std::vector<OpenView> views;
  Tile tiles;
  int64_t active = 0;  // receives keys and export; 0: none
  int64_t filled = 0;  // fills the whole middle; 0: none
  int64_t next_id = 1;
  bool operator==(const Bench&) const = default;

  const OpenView* find(int64_t id) const {
    for (const OpenView& view : views)
      if (view.id == id) return &view;
    return nullptr;
  }
  OpenView* find(int64_t id) {
    for (OpenView& view : views)
      if (view.id == id) return &view;
    return nullptr;
  }
};

}  // namespace varve
