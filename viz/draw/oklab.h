// The colour space in which equal steps look equal; colour maps are interpolated in it and tested in it.
#pragma once

#include "viz/draw/theme.h"

namespace varve {

struct Oklab {
  double lightness = 0, a = 0, b = 0;
};
Oklab oklab(Color color);
Color from_oklab(const Oklab& lab);

}  // namespace varve
