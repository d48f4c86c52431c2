// One pass over a tensor's bytes: digest, non-finite values and the distance to the checkpoint before.
#include "loaders/tensor_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

// Values of a block: it stays in the second-level cache between hashing, counting and comparing.
constexpr int64_t block_values = 16384;
constexpr int64_t lanes = 8;

bool is_float(TensorType type) {
  return type == TensorType::f64 || type == TensorType::f32 || type == TensorType::f16 ||
         type == TensorType::bf16;
}

RawType raw_type(TensorType type) {
  if (type == TensorType::f64) return RawType::f64;
  if (type == TensorType::f16) return RawType::f16;
  return type == TensorType::bf16 ? RawType::bf16 : RawType::f32;
}

// The two loops run on registers of 32 bytes where the processor has them: the same operations in the same
// order on each lane, hence the same bits.
#if defined(__x86_64__)
#define VARVE_WIDE __attribute__((target("avx2")))
const bool has_wide = __builtin_cpu_supports("avx2");
#else
#define VARVE_WIDE
const bool has_wide = false;
#endif

// Infinite and NaN have all exponent bits set, in all four types. `count` is a block's, so 32 bits hold it.
template <class Bits>
[[gnu::always_inline]] inline uint32_t count_set(const std::byte* bytes, int64_t count, Bits exponent) {
  uint32_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    Bits value;
    std::memcpy(&value, bytes + i * static_cast<int64_t>(sizeof value), sizeof value);
    found += (value & exponent) == exponent ? 1u : 0u;
  }
  return found;
}

[[gnu::always_inline]] inline uint32_t count_in_block(TensorType type, const std::byte* bytes,
                                                      int64_t count) {
  if (type == TensorType::f64) return count_set<uint64_t>(bytes, count, 0x7ff0000000000000u);
  if (type == TensorType::f32) return count_set<uint32_t>(bytes, count, 0x7f800000u);
  if (type == TensorType::f16) return count_set<uint16_t>(bytes, count, uint16_t{0x7c00});
  if (type == TensorType::bf16) return count_set<uint16_t>(bytes, count, uint16_t{0x7f80});
  return 0;
}

VARVE_WIDE uint32_t count_wide(TensorType type, const std::byte* bytes, int64_t count) {
  return count_in_block(type, bytes, count);
}

int64_t count_nonfinite(TensorType type, const std::byte* bytes, int64_t count) {
  return has_wide ? count_wide(type, bytes, count) : count_in_block(type, bytes, count);
}

template <class T>
[[gnu::always_inline]] inline T value_at(const std::byte* values, int64_t place) {
  T value;  // places in files need not be aligned; this compiles to a plain load
  std::memcpy(&value, values + place * static_cast<int64_t>(sizeof value), sizeof value);
  return value;
}

// Eight sums side by side, so that the loop needs no reordering to run on vector registers.
template <class T>
[[gnu::always_inline]] inline void sum_squares(const std::byte* now, const std::byte* before, int64_t count,
                                               WeightChange& change) {
  std::array<double, lanes> difference{}, norm{};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double old = value_at<T>(before, i + lane);
      const double gap = static_cast<double>(value_at<T>(now, i + lane)) - old;
      difference[static_cast<size_t>(lane)] += gap * gap;
      norm[static_cast<size_t>(lane)] += old * old;
    }
  for (int64_t lane = 0; i < count; ++i, ++lane) {
    const double old = value_at<T>(before, i), gap = static_cast<double>(value_at<T>(now, i)) - old;
    difference[static_cast<size_t>(lane)] += gap * gap;
    norm[static_cast<size_t>(lane)] += old * old;
  }
  for (size_t lane = 0; lane < lanes; ++lane) {
    change.difference += difference[lane];
    change.before += norm[lane];
  }
}

VARVE_WIDE void sum_wide(const std::byte* now, const std::byte* before, int64_t count, WeightChange& change) {
  sum_squares<float>(now, before, count, change);
}

void add_squares(const float*, const std::byte* now, const std::byte* before, int64_t count,
                 WeightChange& change) {
  has_wide ? sum_wide(now, before, count, change) : sum_squares<float>(now, before, count, change);
}

void add_squares(const double*, const std::byte* now, const std::byte* before, int64_t count,
                 WeightChange& change) {
  sum_squares<double>(now, before, count, change);
}

template <class T>
struct Blocks {
  std::array<T, block_values> now, before;
};

// A block's values as T: where they lie, if the file has that type, widened into `room` otherwise.
template <class T>
const std::byte* as_values(const TensorView& view, int64_t first, int64_t count, T* room) {
  const std::byte* bytes = view.bytes.data() + first * size_of(view.type);
  if (view.type == (sizeof(T) == sizeof(float) ? TensorType::f32 : TensorType::f64)) return bytes;
  widen(raw_type(view.type), bytes, 1, count, room);
  return reinterpret_cast<const std::byte*>(room);
}

template <class T>
void compare_block(const TensorView& now, const TensorView& before, int64_t first, int64_t count,
                   Blocks<T>& blocks, WeightChange& change) {
  const std::byte* new_values = as_values(now, first, count, blocks.now.data());
  const std::byte* old_values = as_values(before, first, count, blocks.before.data());
  add_squares(blocks.now.data(), new_values, old_values, count, change);
}

// Values [first, end) have been read: their pages may leave memory.
void leave(const TensorView& view, int64_t first, int64_t end) {
  const auto width = static_cast<size_t>(size_of(view.type));
  if (view.mapped)
    done_with(
        view.bytes.subspan(static_cast<size_t>(first) * width, static_cast<size_t>(end - first) * width));
}

// Runs see(first, count) over the blocks of a tensor and reports each to the owner. before: nullptr or what
// it is compared with.
template <class See>
void for_blocks(const TensorView& view, const TensorView* before, const std::function<void(int64_t)>& passed,
                See see) {
  const int64_t width = size_of(view.type), count = static_cast<int64_t>(view.bytes.size()) / width;
  const int64_t report = (int64_t{4} << 20) / width;
  int64_t reported = 0;
  const auto tell = [&](int64_t end) {
    leave(view, reported, end);
    if (before) leave(*before, reported, end);
    passed((end - reported) * width);
    reported = end;
  };
  for (int64_t first = 0; first < count; first += block_values) {
    const int64_t some = std::min(block_values, count - first);
    see(first, some);
    if (first + some - reported >= report) tell(first + some);
  }
  tell(count);
}

// Picks float or, where either side is f64, double buffers; they are too large for a worker's stack.
template <class Run>
void with_blocks(const TensorView& now, const TensorView* before, Run run) {
  if (now.type == TensorType::f64 || (before && before->type == TensorType::f64)) {
    run(*std::make_unique<Blocks<double>>());
  } else {
    run(*std::make_unique<Blocks<float>>());
  }
}

}  // namespace

double WeightChange::relative() const { return std::sqrt(difference) / std::sqrt(before); }

bool is_comparable(const TensorView& now, const TensorView& before) {
  return is_float(now.type) && is_float(before.type) && now.shape == before.shape;
}

TensorScan scan_tensor(const TensorView& now, const TensorView* before,
                       const std::function<void(int64_t bytes)>& passed) {
  TensorScan scan;
  Digest digest;
  // The same beginning as tensor_digest(): type and shape, then the bytes.
  std::string form(name_of(now.type));
  for (const int64_t extent : now.shape) form += fmt::format(" {}", extent);
  digest.add(form);
  const int64_t width = size_of(now.type);
  with_blocks(now, before, [&](auto& blocks) {
    for_blocks(now, before, passed, [&](int64_t first, int64_t count) {
      const std::byte* bytes = now.bytes.data() + first * width;
      digest.add(bytes, static_cast<size_t>(count * width));
      scan.nonfinite += count_nonfinite(now.type, bytes, count);
      if (before) compare_block(now, *before, first, count, blocks, scan.change);
    });
  });
  scan.digest = digest.hex();
  return scan;
}

WeightChange compare_tensors(const TensorView& now, const TensorView& before,
                             const std::function<void(int64_t bytes)>& passed) {
  WeightChange change;
  with_blocks(now, &before, [&](auto& blocks) {
    for_blocks(now, &before, passed, [&](int64_t first, int64_t count) {
      compare_block(now, before, first, count, blocks, change);
    });
  });
  return change;
}

}  // namespace varve
