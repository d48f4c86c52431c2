// One pass over a tensor's bytes: digest, non-finite values and the distance to the checkpoint before.
#include "loaders/tensor_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
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

// Infinite and NaN have all exponent bits set, in all four types.
template <class Bits>
int64_t count_set(const std::byte* bytes, int64_t count, Bits exponent) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    Bits value;
    std::memcpy(&value, bytes + i * static_cast<int64_t>(sizeof value), sizeof value);
    found += (value & exponent) == exponent ? 1 : 0;
  }
  return found;
}

int64_t count_nonfinite(TensorType type, const std::byte* bytes, int64_t count) {
  if (type == TensorType::f64) return count_set<uint64_t>(bytes, count, 0x7ff0000000000000u);
  if (type == TensorType::f32) return count_set<uint32_t>(bytes, count, 0x7f800000u);
  if (type == TensorType::f16) return count_set<uint16_t>(bytes, count, uint16_t{0x7c00});
  if (type == TensorType::bf16) return count_set<uint16_t>(bytes, count, uint16_t{0x7f80});
  return 0;
}

// Eight sums side by side, so that the loop needs no reordering to run on vector registers.
template <class T>
void add_squares(const T* now, const T* before, int64_t count, WeightChange& change) {
  std::array<double, lanes> difference{}, norm{};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double old = before[i + lane], gap = static_cast<double>(now[i + lane]) - old;
      difference[static_cast<size_t>(lane)] += gap * gap;
      norm[static_cast<size_t>(lane)] += old * old;
    }
  for (int64_t lane = 0; i < count; ++i, ++lane) {
    const double old = before[i], gap = static_cast<double>(now[i]) - old;
    difference[static_cast<size_t>(lane)] += gap * gap;
    norm[static_cast<size_t>(lane)] += old * old;
  }
  for (size_t lane = 0; lane < lanes; ++lane) {
    change.difference += difference[lane];
    change.before += norm[lane];
  }
}

template <class T>
struct Blocks {
  std::array<T, block_values> now, before;
};

template <class T>
void compare_block(const TensorView& now, const TensorView& before, int64_t first, int64_t count,
                   Blocks<T>& blocks, WeightChange& change) {
  const auto widened = [&](const TensorView& view, T* out) {
    widen(raw_type(view.type), view.bytes.data() + first * size_of(view.type), 1, count, out);
  };
  widened(now, blocks.now.data());
  widened(before, blocks.before.data());
  add_squares(blocks.now.data(), blocks.before.data(), count, change);
}

// Runs see(first, count) over the blocks of a tensor and reports each to the owner.
template <class See>
void for_blocks(const TensorView& view, const std::function<void(int64_t)>& passed, See see) {
  const int64_t width = size_of(view.type), count = static_cast<int64_t>(view.bytes.size()) / width;
  constexpr int64_t report_bytes = int64_t{4} << 20;
  int64_t unreported = 0;
  for (int64_t first = 0; first < count; first += block_values) {
    const int64_t some = std::min(block_values, count - first);
    see(first, some);
    unreported += some * width;
    if (unreported < report_bytes) continue;
    passed(unreported);
    unreported = 0;
  }
  passed(unreported);
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
    for_blocks(now, passed, [&](int64_t first, int64_t count) {
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
    for_blocks(now, passed, [&](int64_t first, int64_t count) {
      compare_block(now, before, first, count, blocks, change);
    });
  });
  return change;
}

}  // namespace varve
