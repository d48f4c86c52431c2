// What stands between the last residual stream and logits: final norm, unembedding, bias, scale, soft cap.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "analysis/model/kernels.h"

namespace varve {

struct OutputMap {
  template <class T>
  struct Vectors {
    NormWeights<T> norm;
    std::vector<T> bias;
  };

  Matrix w;
  double scale = 1, softcap = 0;
  bool frugal = false;
  Compute compute = Compute::f32;
  Vectors<float> f32;
  Vectors<double> f64;  // filled in f64 mode only

  template <class T>
  const Vectors<T>& vectors() const {
    if constexpr (std::is_same_v<T, float>)
      return f32;
    else
      return f64;
  }

  // The product of token `id` made a logit.
  template <class T>
  T finished(int64_t id, T logit) const {
    const std::vector<T>& bias = vectors<T>().bias;
    if (!bias.empty()) logit += bias[static_cast<size_t>(id)];
    if (scale != 1) logit *= static_cast<T>(scale);
    if (softcap > 0) logit = static_cast<T>(softcap) * std::tanh(logit / static_cast<T>(softcap));
    return logit;
  }

  // [rows, tokens] of tokens from `first` on.
  template <class T>
  void finish(int64_t first, int64_t tokens, int64_t rows, T* logits) const {
    if (vectors<T>().bias.empty() && scale == 1 && softcap <= 0) return;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t token = 0; token < tokens; ++token) {
        T& logit = logits[row * tokens + token];
        logit = finished(first + token, logit);
      }
  }
};

}  // namespace varve
