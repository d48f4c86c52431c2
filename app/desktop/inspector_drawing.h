// The inspector's page as marks on any canvas: heading, top tokens, numbers, over training, where it comes
// from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/session/cell_facts.h"
#include "app/session/mark_facts.h"
#include "viz/draw/canvas.h"

namespace varve {

struct InspectorContent {
  std::optional<CellFacts> facts;
  std::optional<MarkFacts> mark;  // of the active view, where that is none of the lens
  std::optional<int64_t> pin;
  std::optional<OverTraining> over;
  int64_t current_step = 0;
  std::string heading;           // where no cell is selected: the checkpoint
  std::vector<Fact> checkpoint;  // its facts
  std::string hint;              // what to do to see more
};

// `active` is what the active view shows, null where there is none; `tip` what stands at its selected mark.
InspectorContent inspector_content(Session& session, const ViewContent* active, const std::string& tip);
// Draws from the top of the area downwards and answers the height it took.
double draw_inspector(const InspectorContent& content, const Theme& theme, Canvas& canvas);

}  // namespace varve
