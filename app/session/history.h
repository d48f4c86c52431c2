// Undo: what the person chose, before and after each act.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/settings.h"
#include "viz/view.h"

namespace varve {

// All that undo brings back. Small values: a copy for each act costs nothing.
struct Choice {
  int64_t step = 0;
  Selection selection;
  std::string analysis;    // whose cells are shown
  std::string text;        // of the prompt that was run
  std::string view;        // name on the shelf; empty: the best one
  SettingValues options;   // of the view
  SettingValues settings;  // of the analysis
  bool operator==(const Choice&) const = default;
};

class History {
 public:
  void clear(Choice now);
  const Choice& now() const { return now_; }
  // Acts with the same gesture number (a drag, a run of play) are one act for undo; 0 is never merged.
  void change(const Choice& next, const std::string& what, int64_t gesture = 0);
  bool undo();  // false where there is nothing to undo
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
