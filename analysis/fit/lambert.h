// The Lambert W function: the w that solves w exp(w) = x.
#pragma once

namespace varve {

// Principal branch, for x > 0; NaN elsewhere.
double lambert_w(double x);

}  // namespace varve
