// Which layers are mixtures of experts, and where their tensors are.
#include "loaders/expert_plan.h"

#include <algorithm>
#include <numeric>

#include "analysis/core/error.h"

namespace varve {
namespace {

std::vector<int64_t> dense_layers(const ConfigKeys& config, int64_t layers) {
  const nlohmann::json* found = config.find("mlp_only_layers");
  if (!found) return {};
  const bool numbers = found->is_array() && std::all_of(found->begin(), found->end(), [](const auto& one) {
                         return one.is_number_integer();
                       });
  if (!numbers) fail("config.json: 'mlp_only_layers' is not a list of layer numbers");
  const auto dense = found->get<std::vector<int64_t>>();
  for (int64_t layer : dense)
    if (layer < 0 || layer >= layers)
      fail("config.json: 'mlp_only_layers' names layer {} of a model with {} layers", layer, layers);
  return dense;
}

}  // namespace

std::vector<int64_t> all_layers(int64_t layers) {
  std::vector<int64_t> all(static_cast<size_t>(layers));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

std::vector<int64_t> qwen_sparse_layers(const ConfigKeys& config, int64_t layers) {
  const int64_t every = config.size("decoder_sparse_step", 1);
  const std::vector<int64_t> dense = dense_layers(config, layers);
  std::vector<int64_t> sparse;
  for (int64_t layer = every - 1; layer < layers; layer += every)
    if (std::find(dense.begin(), dense.end(), layer) == dense.end()) sparse.push_back(layer);
  return sparse;
}

int64_t expert_count(const ConfigKeys& config, int64_t otherwise) {
  return config.size("num_experts", config.size("num_local_experts", otherwise));
}

void plan_experts(TensorPlan& plan, const ModelSpec& spec, const std::string& ours, const std::string& theirs,
                  const GatedNames& names) {
  plan.whole(ours + "W_router", theirs + "gate.weight", {spec.experts, spec.d_model});
  for (int64_t expert = 0; expert < spec.experts; ++expert) {
    plan_gated(plan, fmt::format("{}experts.{}.", ours, expert), fmt::format("{}experts.{}.", theirs, expert),
               names, spec.d_model, spec.d_expert);
    plan.stop_if_hopeless();
  }
}

}  // namespace varve
