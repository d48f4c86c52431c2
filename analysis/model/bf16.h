// Rounding to bf16: the upper half of a float, to the nearest, halves to even.
#pragma once

#include <bit>
#include <cstdint>

namespace varve {

[[gnu::always_inline]] inline uint16_t to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  // A mask, not a branch, so that loops become vectors: NaN stays NaN.
  const uint32_t is_nan = -static_cast<uint32_t>((bits & 0x7fffffffu) > 0x7f800000u);
  return static_cast<uint16_t>((rounded & ~is_nan) | (((bits >> 16) | 0x40u) & is_nan));
}

}  // namespace varve
