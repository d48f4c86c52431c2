// Which tensors a model has, by canonical name and shape: what a hand-written mapping is held to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/model/spec.h"

namespace varve {

struct CanonicalTensor {
  std::vector<int64_t> shape;
  bool required = true;            // biases are not, nor is what a plain MLP may leave out
  std::vector<int64_t> by_head{};  // the same with heads on an axis of their own, where it has them
};

std::map<std::string, CanonicalTensor> canonical_tensors(const ModelSpec& spec);

}  // namespace varve
