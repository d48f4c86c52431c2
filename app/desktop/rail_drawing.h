// The rail's picture: events, loss with its least and greatest, cores of laminae, ruler, pins and cursor over
// one log-step axis. Any canvas.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/session/session.h"
#include "viz/draw/axes.h"
#include "viz/draw/canvas.h"

namespace varve {

// Something on the strip: what a result declares, or a checkpoint that is not to be trusted.
struct RailEvent {
  int64_t step = 0;
  std::string label, rule;
  bool is_bad = false;
};

struct RailLook {
  Box area;
  const Theme* theme = nullptr;
  std::optional<Point> pointer;  // for the read-out under it
  const Run* run = nullptr;      // stops that have a cell get a dot
  std::vector<RailEvent> events;
  std::string branch;
  std::optional<int64_t> pin;
  std::optional<std::pair<int64_t, int64_t>> brush;
  size_t first_lane = 0;  // where there are more branches than fit
};

constexpr size_t most_lanes = 4;

// Of all complete runs, and of the branch's checkpoints; by step.
std::vector<RailEvent> rail_events(const Session& session);
// How steps lie on the rail, the same for all branches, for drawing and for the pointer.
Scale rail_scale(const Opened& opened, const Box& area);
void draw_rail(const Opened& opened, int64_t current_step, const RailLook& look, Canvas& canvas);
std::optional<RailEvent> event_at(const Opened& opened, const RailLook& look, Point point);
// The branch whose core lies there; empty elsewhere.
std::string lane_at(const Opened& opened, const RailLook& look, Point point);

}  // namespace varve
