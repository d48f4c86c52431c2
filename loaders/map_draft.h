// Kinds of networks that a draft of a map recognises as a whole.
#pragma once

#include <optional>
#include <string>

#include "loaders/family.h"

namespace varve {

// [model] and [tensors] of an MLP without attention; nullopt where the tensors are not one.
std::optional<std::string> mlp_draft(const TensorShapes& tensors);

}  // namespace varve
