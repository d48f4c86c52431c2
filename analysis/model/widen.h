// How the four number types of weight files become float or double, exactly.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "analysis/model/weights.h"

namespace varve {

inline size_t bytes_of(RawType type) {
  if (type == RawType::f64) return 8;
  return type == RawType::f32 ? 4 : 2;
}

inline float from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// The exponent is moved by one multiplication with 2^112, which also brings subnormals to their value.
inline float from_f16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fffu) << 13;
  const float moved = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t special = (bits & 0x7c00u) == 0x7c00u ? 0x7f800000u | magnitude : 0u;
  return std::bit_cast<float>(sign | (special != 0u ? special : std::bit_cast<uint32_t>(moved)));
}

namespace widen_detail {
template <class Stored, class T, class Convert>
void loop(const std::byte* base, int64_t stride, int64_t count, T* out, Convert convert) {
  // Offsets in files need not be aligned, hence memcpy; it compiles to a plain load.
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) {
      Stored value;
      std::memcpy(&value, base + static_cast<size_t>(i) * sizeof(Stored), sizeof(Stored));
      out[i] = static_cast<T>(convert(value));
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, base + i * stride * static_cast<int64_t>(sizeof(Stored)), sizeof(Stored));
    out[i] = static_cast<T>(convert(value));
  }
}
}  // namespace widen_detail

// `count` values, `stride` elements apart.
template <class T>
void widen(RawType type, const std::byte* base, int64_t stride, int64_t count, T* out) {
  using widen_detail::loop;
  switch (type) {
    case RawType::f64:
      return loop<double>(base, stride, count, out, [](double value) { return value; });
    case RawType::f32:
      return loop<float>(base, stride, count, out, [](float value) { return value; });
    case RawType::f16:
      return loop<uint16_t>(base, stride, count, out, from_f16);
    case RawType::bf16:
      return loop<uint16_t>(base, stride, count, out, from_bf16);
  }
}

}  // namespace varve
