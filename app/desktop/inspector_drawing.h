// The inspector's page as marks on any canvas: heading, top tokens, numbers, over training, where it comes
// from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/session/cell_facts.h"
#include "viz/draw/canvas.h"

namespace varve {

struct InspectorContent {
  std::optional<CellFacts> facts;
  std::optional<OverTraining> over;
  int64_t current_step = 0;
  std::string heading;           // where no cell is selected: the checkpoint
  std::vector<Fact> checkpoint;  // its facts
  std::string hint;              // what to do to see more
};

InspectorContent inspector_content(const Session& session);
// Draws from the top of the area downwards and answers the height it took.
double draw_inspector(const InspectorContent& content, const Theme& theme, Canvas& canvas);

}  // namespace varve
