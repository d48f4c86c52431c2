// A tensor as its difference from the tensor of an earlier checkpoint, packed; bit for bit the same after
// unpacking.
//
// Each value's bits become an unsigned number that orders as the value does; the base's number is taken away,
// the difference folded to 0, -1, 1, -2 ..., its bytes sorted by significance and packed (zstd). Neighbours
// in training differ little, so the high bytes are mostly zero. Blocks stand alone: [bytes, 4, lowest first]
// [frame] for every 2^18 values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/store/run_store.h"

namespace varve {

// Empty where packing would save less than a tenth. `base` has the same type and as many bytes. `advanced` is
// told after every block how many bytes it had; it may throw Stopped.
std::vector<std::byte> pack(TensorType type, std::span<const std::byte> bytes,
                            std::span<const std::byte> base,
                            const std::function<void(int64_t bytes)>& advanced);

// Throws Error naming `whose` where the packed bytes do not give exactly base.size() bytes.
std::vector<std::byte> unpack(TensorType type, std::span<const std::byte> packed,
                              std::span<const std::byte> base, const std::string& whose);

}  // namespace varve
