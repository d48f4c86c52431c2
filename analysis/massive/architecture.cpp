// Sizes of a model, as numbers beside a result.
#include "analysis/massive/architecture.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/study.h"

namespace varve {
namespace {

int64_t entry(const Dataset& data, const char* name) {
  if (!data.has(name) || data[name].size() == 0) return 0;
  const double value = data[name].number(data[name].size() - 1);
  return std::isfinite(value) && value > 0 && value < 9e15 ? static_cast<int64_t>(value) : 0;
}

int64_t first_of(const nlohmann::json& config, const std::vector<std::string>& keys) {
  for (const std::string& key : keys)
    if (const auto found = config.find(key); found != config.end() && found->is_number_integer())
      return found->get<int64_t>();
  return 0;
}

}  // namespace

Architecture architecture_from_config(const std::string& json, const std::string& where) {
  const nlohmann::json config = nlohmann::json::parse(json, nullptr, false);
  if (!config.is_object()) fail("{}: is no JSON object, as a config.json is", where);
  Architecture out;
  out.layers = first_of(config, {"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
  out.d_model = first_of(config, {"hidden_size", "n_embd", "d_model", "dim"});
  out.heads = first_of(config, {"num_attention_heads", "n_head", "n_heads"});
  out.d_mlp = first_of(config, {"intermediate_size", "n_inner", "ffn_dim", "d_ff"});
  constexpr int64_t most = 1'000'000;
  for (const auto& [value, name] : {std::pair(out.layers, "num_hidden_layers"),
                                    {out.d_model, "hidden_size"},
                                    {out.heads, "num_attention_heads"}})
    if (value < 1 || value > most)
      fail("{}: {} is missing or no size (found {}); is it the config.json of a language model?", where, name,
           value);
  if (out.d_mlp < 1) out.d_mlp = 4 * out.d_model;  // what most families take where they do not say
  return out;
}

std::vector<double> architecture_features(const Architecture& a, int64_t layer) {
  const double l = static_cast<double>(layer + 1), L = static_cast<double>(a.layers), share = l / L;
  const double d = static_cast<double>(a.d_model), H = static_cast<double>(a.heads);
  return {share,
          share * share,
          share * share * share,
          std::sqrt(share),
          H / d,
          static_cast<double>(a.d_mlp) / d,
          d / L,
          H / L,
          std::log(d),
          l * L};
}

Architecture architecture_of(const Study& study) {
  const ModelSpec& spec = study.spec();
  Architecture out;
  out.layers = spec.layers;
  out.d_model = spec.d_model;
  out.heads = spec.heads;
  out.d_mlp = spec.experts > 0 ? spec.d_expert * spec.experts_per_token : spec.d_mlp;
  for (const TensorRecord& tensor : study.checkpoint().tensors)
    if (tensor.type == TensorType::f32 || tensor.type == TensorType::f16 || tensor.type == TensorType::bf16 ||
        tensor.type == TensorType::f64)
      out.parameters += std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1},
                                        [](int64_t a, int64_t b) { return a * b; });
  return out;
}

void put_architecture(Dataset& data, const Architecture& architecture) {
  const auto put = [&data](const char* name, int64_t value, const char* title) {
    Array number = Array::scalar(static_cast<double>(value));
    number.title = title;
    data.set(name, std::move(number));
  };
  put("layers", architecture.layers, "layers of the model");
  put("d_model_size", architecture.d_model, "width of the residual stream");
  put("heads", architecture.heads, "heads of a layer");
  put("d_mlp_size", architecture.d_mlp, "width of the MLP; of a mixture of experts what one token uses");
  put("parameters", architecture.parameters, "parameters of the model");
}

std::optional<Architecture> architecture_in(const Dataset& data) {
  Architecture out{entry(data, "layers"), entry(data, "d_model_size"), entry(data, "heads"),
                   entry(data, "d_mlp_size"), entry(data, "parameters")};
  if (out.layers == 0 || out.d_model == 0 || out.heads == 0) return std::nullopt;
  return out;
}

}  // namespace varve
