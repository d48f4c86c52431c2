// The ready layouts of the workbench: which views, on what, side by side how.
#pragma once

#include <string>
#include <vector>

#include "app/session/open_view.h"

namespace varve {

struct LayoutInfo {
  int number = 0;  // its key
  std::string name, summary;
};
const std::vector<LayoutInfo>& ready_layouts();  // 1 to 5; 6 to 9 are the person's own
Bench ready_layout(int number);                  // ids from 1; empty for a number that has none
// The active view thrice: of A, of now, and now minus A.
Bench compare_layout(const OpenView& view);

}  // namespace varve
