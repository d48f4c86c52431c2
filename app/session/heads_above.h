// Heads that do more than chance or noise: which of them a result tells apart.
#pragma once

#include <string>

#include "app/session/history.h"
#include "viz/pick.h"

namespace varve {

// Of `array` [.., layer, head, ..], at the places that are given or selected for its other axes: the heads
// whose score lies above NAME_chance or NAME_floor, or is larger than NAME_noise whatever its sign. Where the
// score has an interval, its lower end must lie above. An empty `array` takes the first one that has layer,
// head and such a companion. Throws Error where nothing says how much chance gives, and where no head is
// above it.
NamedSet heads_above_floor(const Dataset& data, const std::string& array, const Places& given,
                           const Selection& selection);

}  // namespace varve
