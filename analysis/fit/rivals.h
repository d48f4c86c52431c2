// Simpler curves that the five-parameter one must beat: step responses of first and second order, a constant.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace varve {

inline constexpr std::array<std::string_view, 3> rival_names = {"first-order step", "second-order step",
                                                                "constant"};

struct RivalFit {
  double sse = 0, r2 = 0, aic = 0;  // NaN where there are too few points
};

// K (1 - exp(-t/T)), two parameters; K s(t; w, z) with the damped, critical or overdamped step response s of
// natural frequency w and damping z, three; K, one. In the order of rival_names. As the paper writes them:
// the first two begin at 0.
std::array<RivalFit, 3> fit_rivals(std::span<const double> steps, std::span<const double> values);

double second_order_step(double t, double frequency, double damping);

}  // namespace varve
