// The tile registers of AMX: whether this process may use them, their shape, and taking and giving them back.
#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace varve::gemm_detail {

// Four tiles of sums, two of a block, two of a panel: all eight there are. A tile of factors is 16 rows of 32
// values of bf16, one of sums 16 x 16 of f32.
inline constexpr int64_t tile = 16, rows_amx = 2 * tile, columns_amx = 2 * tile, depth_amx = 32;
inline constexpr int64_t tile_values = tile * depth_amx;

struct alignas(64) TileShape {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {tile, tile, tile, tile, tile, tile, tile, tile};
};
static_assert(sizeof(TileShape) == 64);
inline constexpr TileShape tile_shape;

// Sets the tiles up for this thread and gives them back, so that a switch of threads stays cheap elsewhere.
class [[gnu::visibility("hidden")]] Tiles {
 public:
  [[gnu::target("amx-tile")]] Tiles() { _tile_loadconfig(&tile_shape); }
  [[gnu::target("amx-tile")]] ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

// cpuid leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE; and the system lends the registers to a process that
// asks for them.
inline bool amx_usable() {
  static const bool usable = [] {
    constexpr long request_permission = 0x1023, tile_data = 18;
    unsigned a = 7, b = 0, c = 0, d = 0;
    if (__builtin_cpu_supports("avx512f") == 0) return false;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (d >> 22 & 1u) != 0 && (d >> 24 & 1u) != 0 &&
           syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  }();
  return usable;
}

}  // namespace varve::gemm_detail
#endif
