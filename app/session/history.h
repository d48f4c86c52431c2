// Undo: what the person chose, before and after each act.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/settings.h"
#include "app/session/open_view.h"
#include "viz/view.h"

namespace varve {

// With what an analysis was asked.
struct Asked {
  std::string text;  // the prompts, as read_prompt takes them
  SettingValues settings;
  std::string branch;
  std::string compute;         // "f32"; empty: that
  std::vector<int64_t> steps;  // empty: all
  SettingValues inputs = {};   // what is read beside the checkpoints: name -> STORE:KEY or FILE[:ARRAY]
  bool operator==(const Asked&) const = default;
};

// Some heads, samples or experts under one name.
struct NamedSet {
  std::string name, axis;
  std::vector<std::map<std::string, int64_t>> members;  // in the order of adding, each once
  bool operator==(const NamedSet&) const = default;
};

// All that undo brings back. Small values: a copy for each act costs nothing.
struct Choice {
  int64_t step = 0;
  std::string branch;
  Selection selection;
  std::optional<int64_t> pin;                        // A; "now" is `step`
  std::optional<std::pair<int64_t, int64_t>> brush;  // steps, from and to
  NamedSet set;                                      // empty: none
  std::vector<NamedSet> sets;                        // kept for later
  std::string analysis;                              // the one that was run last
  std::map<std::string, Asked> asked;                // by analysis
  Bench bench;
  bool operator==(const Choice&) const = default;
};

class History {
 public:
  void clear(Choice now);
  const Choice& now() const { return now_; }
  // Acts with the same gesture number (a drag, a run of play) are one act for undo; 0 is never merged.
  void change(const Choice& next, const std::string& what, int64_t gesture = 0);
  void amend(Choice now) { now_ = std::move(now); }  // what is no act: a view becomes the active one
  bool undo();                                       // false where there is nothing to undo
  bool redo();
  std::string would_undo() const;  // "select a cell"; empty where there is nothing
  std::string would_redo() const;

 private:
  struct Act {
    Choice before, after;
    std::string what;
    int64_t gesture = 0;
  };
  Choice now_;
  std::vector<Act> acts_;
  size_t done_ = 0;  // acts before this place are in force
};

}  // namespace varve
