// Sizes of a model, as numbers beside a result.
#include "analysis/massive/architecture.h"

#include <cmath>
#include <numeric>

#include "analysis/study.h"

namespace varve {
namespace {

int64_t entry(const Dataset& data, const char* name) {
  if (!data.has(name) || data[name].size() == 0) return 0;
  const double value = data[name].number(data[name].size() - 1);
  return std::isfinite(value) && value > 0 && value < 9e15 ? static_cast<int64_t>(value) : 0;
}

}  // namespace

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
