// What families with experts share: which layers have them, and the tensors of router and experts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loaders/llama_plan.h"

namespace varve {

// Every decoder_sparse_step-th layer, without those in mlp_only_layers.
std::vector<int64_t> qwen_sparse_layers(const ConfigKeys& config, int64_t layers);
std::vector<int64_t> all_layers(int64_t layers);

// Router and experts of one layer: `theirs` holds gate.weight and experts.E.
void plan_experts(TensorPlan& plan, const ModelSpec& spec, const std::string& ours, const std::string& theirs,
                  const GatedNames& names);

// num_experts, or num_local_experts as newer files call it.
int64_t expert_count(const ConfigKeys& config, int64_t otherwise);

}  // namespace varve
