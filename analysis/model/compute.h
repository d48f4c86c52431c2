// The precision a forward pass computes in.
#pragma once

#include <string>

namespace varve {

// bf16 rounds both factors of every product with weights to eight bits and sums in f32; attention, norms and
// activations stay f32.
enum class Compute { f32, f64, bf16 };
Compute compute_from(const std::string& name);  // throws Error (usage) naming the modes there are
std::string name_of(Compute compute);

}  // namespace varve
