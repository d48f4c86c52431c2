// Fits of made-up models whose parameters follow from their sizes, as massive-activation-fit writes them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve::planted {

// Every layer's parameters are simple functions of l/L, H/d and l L; nothing is left to chance.
inline Dataset fit_of(int64_t layers, int64_t d_model, int64_t heads) {
  Dataset fit;
  const auto put = [&](const std::string& name, auto value) {
    std::vector<double> values;
    for (int64_t l = 1; l <= layers; ++l) {
      const double share = static_cast<double>(l) / static_cast<double>(layers);
      values.push_back(value(share, static_cast<double>(heads) / static_cast<double>(d_model),
                             static_cast<double>(l * layers)));
    }
    fit.set(name, Array({"layer"}, {layers}, std::move(values)));
  };
  put("ratio_A", [](double share, double, double) { return 200 + 300 * share; });
  put("ratio_lambda", [](double, double, double deep) { return 0.02 + 0.001 * deep; });
  put("ratio_gamma", [](double share, double, double) { return 1e-4 + 2e-4 * share * share; });
  put("ratio_t0", [](double share, double, double) { return 1 + 0.5 * std::sqrt(share); });
  put("ratio_K", [](double share, double slim, double) { return 30 - 800 * slim + 10 * share; });
  put("ratio_at_bound", [](double, double, double) { return 0.0; });
  put("ratio_peak", [](double share, double, double) { return 40000 * share; });
  put("ratio_peak_value", [](double share, double, double) { return 500 * share; });
  fit.set("ratio_r2",
          Array({"layer", "model"}, {layers, 1}, std::vector<double>(static_cast<size_t>(layers), 0.98)));
  std::vector<double> curve(static_cast<size_t>(2 * layers));
  for (size_t i = 0; i < curve.size(); ++i) curve[i] = static_cast<double>(i * 10);
  fit.set("ratio", Array({"step", "layer"}, {2, layers}, std::move(curve)));
  fit.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 143000}));
  fit.set("layers", Array::scalar(static_cast<double>(layers)));
  fit.set("d_model_size", Array::scalar(static_cast<double>(d_model)));
  fit.set("heads", Array::scalar(static_cast<double>(heads)));
  fit.set("d_mlp_size", Array::scalar(static_cast<double>(4 * d_model)));
  fit.set("parameters", Array::scalar(static_cast<double>(12 * layers * d_model * d_model)));
  return fit;
}

}  // namespace varve::planted
