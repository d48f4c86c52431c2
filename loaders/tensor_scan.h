// One pass over a tensor's bytes: digest, non-finite values and the distance to the checkpoint before.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "analysis/store/run_store.h"

namespace varve {

// |w - w'|^2 and |w'|^2, sums in double over the widened values.
struct WeightChange {
  double difference = 0, before = 0;
  double relative() const;  // |w - w'| / |w'|
};

struct TensorScan {
  std::string digest;
  int64_t nonfinite = 0;
  WeightChange change;  // zero where there was nothing to compare with
};

bool is_comparable(const TensorView& now, const TensorView& before);  // both floating, equal shapes

// `passed` is told after every block how many bytes it had; it may throw Stopped. before: nullptr or
// comparable.
TensorScan scan_tensor(const TensorView& now, const TensorView* before,
                       const std::function<void(int64_t bytes)>& passed);
WeightChange compare_tensors(const TensorView& now, const TensorView& before,
                             const std::function<void(int64_t bytes)>& passed);

}  // namespace varve
