// The rail's picture: loss curve, core of laminae, ruler and cursor over one log-step axis. Any canvas.
#pragma once

#include <optional>

#include "app/session/session.h"
#include "viz/draw/axes.h"
#include "viz/draw/canvas.h"

namespace varve {

struct RailLook {
  Box area;
  const Theme* theme = nullptr;
  std::optional<Point> pointer;  // for the read-out under it
  const Run* run = nullptr;      // stops that have a cell get a dot
};

// How steps lie on the rail; the same for drawing and for the pointer.
Scale rail_scale(const Opened& opened, const Box& area);
void draw_rail(const Opened& opened, int64_t current_step, const RailLook& look, Canvas& canvas);

}  // namespace varve
