// One mark measured against another: what stands beside the pointer while the key M is in force.
#pragma once

#include <vector>

#include "viz/view.h"

namespace varve {

// Both marks by name, both values, their difference with its sign and their ratio where it means something;
// along an axis of numbers also how far it is and the difference for each unit of it. Empty where one of the
// marks carries no number.
std::vector<TipRow> measured(const Hit& from, const Hit& to);

}  // namespace varve
