// How smooth each sample's path is: consistency of its routing embeddings, for all samples of a checkpoint.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/model/weights.h"

namespace varve {

struct Smoothness {
  std::vector<double> inconsistency, mean_cosine;  // per sample; NaN where undefined
  std::vector<uint8_t> flagged;                    // 0 no, 1 a zero embedding, 2 no positive cosine
};

// The rows of every router, [layer][expert * d_model]; refuses where a layer's width differs.
std::vector<std::vector<double>> router_rows(const Weights& weights, const std::vector<int64_t>& layers);

// g [layer, sample, expert]
Smoothness smoothness_of(const std::vector<std::vector<double>>& router, const std::vector<double>& g,
                         int64_t samples, int64_t experts);

}  // namespace varve
