// Checks on tensor shapes and digests that every file of the store needs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/store/run_store.h"

namespace varve {

std::optional<TensorType> tensor_type_named(std::string_view name);
// product(shape) * size, without overflow; throws Error naming `whose`.
int64_t bytes_needed(TensorType type, const std::vector<int64_t>& shape, const std::string& whose);
// Throws Error unless it is 32 hex digits; digests become file names, so nothing else may pass.
void require_digest(const std::string& digest, const std::string& whose);

// As tensor_digest, telling after every few megabytes how many bytes were added: where Stop can work.
std::string tensor_digest(const TensorView& tensor, const std::function<void(int64_t bytes)>& advanced);

}  // namespace varve
