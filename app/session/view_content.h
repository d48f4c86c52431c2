// What one open view draws right now: its Dataset, options and place in the shared selection, or why there is
// nothing to draw.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "app/session/lens_by_step.h"
#include "app/session/session.h"

namespace varve {

struct ViewContent {
  const View* view = nullptr;  // null: nothing can be drawn
  std::shared_ptr<const Dataset> data;
  SettingValues options;  // normal: every option has a value
  Selection selection;    // only axes that the data has
  std::string title;      // of the header
  std::string note;  // before what the view says of itself: "step 16k, lens from 15k", "A", "layer 3 only"
  std::string computing;      // while the last picture stays
  std::string empty;          // why nothing is drawn
  std::string offer;          // the analysis whose run ends the emptiness; empty: none
  std::string analysis, key;  // of the stored result that is drawn; key is empty for what is made here
  std::string pinned_key;     // of A's cell, where the result is set against it; or of the series itself
  int64_t step = -1;          // of the cell; -1: none
  int64_t pinned_step = -1;   // of what it is set against
};

// Remembers what it derived for each view, so that a scrub costs no more than the new step.
class ViewContents {
 public:
  ViewContent of(Session& session, const OpenView& view);
  void keep_only(const Bench& bench);  // lets go of what closed views had

 private:
  struct Made {
    LensByStep by_step;
    std::shared_ptr<const Dataset> now, pinned, compared;
    int64_t place = -1;  // of A, in a series
    SettingValues options;
  };
  void fill_cell(Session& session, const OpenView& view, ViewContent& content);
  void fill_against(const OpenView& view, const Shown& shown, const Shown& then, ViewContent& content);
  void fill_series(Session& session, const OpenView& view, ViewContent& content);
  void fill_steps(Session& session, const OpenView& view, ViewContent& content);
  std::map<int64_t, Made> made_;
};

// The axes of a click as the session wants them: the step by its number, the rest as they are.
std::pair<std::map<std::string, int64_t>, std::optional<int64_t>> chosen_place(
    const Dataset& data, const std::map<std::string, int64_t>& at);
std::string view_title(const std::string& view_name);  // "Lens table"

}  // namespace varve
