// The exponential in a form a compiler turns into vector instructions; the same bits whether it does or not.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace varve {

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln(2) / 2, and e^r = 1 + r + r^2 g(r). The coefficients of g
// are a least-squares fit at Chebyshev nodes, off by 1e-8 of e^r. Within 2 ulp of the true value; below -87
// it is 0, above 88 infinite (libm goes on to -104 and 88.7; neither end matters to a softmax or a sigmoid).
//
// Always inlined: files compiled for different processors share this header, and a copy of its own from one
// of them must not be called by the others.
[[gnu::always_inline]] inline float exponential(float x) {
  // Adding 1.5 * 2^23 leaves the rounded whole number in the last bits of the sum.
  constexpr float shift = 12582912;
  const float shifted = x * 1.44269504f + shift;
  const float n = shifted - shift;
  // ln 2 in two parts, the first exact in nine bits, so that n times it is exact too.
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  const float g =
      0.5f + r * (0.16666576266f + r * (0.04166646674f + r * (0.00836318173f + r * 0.00139336521f)));
  const float fraction = 1 + (r + r * r * g);
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(shift) + 127u) << 23;
  const float value = fraction * std::bit_cast<float>(exponent);
  // Beyond the ends the above is noise. Masks, not branches: a branch would keep the loop around it from
  // becoming vectors.
  constexpr float lowest = -87, highest = 88;
  const uint32_t below = -static_cast<uint32_t>(x < lowest), above = -static_cast<uint32_t>(x > highest);
  const uint32_t kept = std::bit_cast<uint32_t>(value) & ~(below | above);
  return std::bit_cast<float>(kept | (std::bit_cast<uint32_t>(HUGE_VALF) & above));
}

inline double exponential(double x) { return std::exp(x); }

}  // namespace varve
