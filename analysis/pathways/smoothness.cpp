// Routing embeddings of every sample and the cosines between neighbouring layers.
#include "analysis/pathways/smoothness.h"

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/pathways/pathway.h"

namespace varve {

std::vector<std::vector<double>> router_rows(const Weights& weights, const std::vector<int64_t>& layers) {
  std::vector<std::vector<double>> router;
  for (const int64_t layer : layers) {
    const Matrix matrix = weights.matrix(fmt::format("blocks.{}.mlp.W_router", layer));
    if (matrix.rows != weights.spec().experts || matrix.columns != weights.spec().d_model)
      fail("the router of block {} is {} x {}; comparing routers across layers needs {} x {} in each", layer,
           matrix.rows, matrix.columns, weights.spec().experts, weights.spec().d_model);
    std::vector<double>& rows = router.emplace_back(static_cast<size_t>(matrix.rows * matrix.columns));
    widen_rows(matrix, 0, matrix.rows, rows.data());
  }
  return router;
}

Smoothness smoothness_of(const std::vector<std::vector<double>>& router, const std::vector<double>& g,
                         int64_t samples, int64_t experts) {
  Smoothness all;
  all.inconsistency.resize(static_cast<size_t>(samples));
  all.mean_cosine.resize(static_cast<size_t>(samples));
  all.flagged.resize(static_cast<size_t>(samples));
  parallel_for(samples, [&](int64_t sample, int) {
    std::vector<std::vector<double>> embeddings;
    for (size_t layer = 0; layer < router.size(); ++layer) {
      const size_t width = router[layer].size() / static_cast<size_t>(experts);
      const double* const weight =
          g.data() +
          (layer * static_cast<size_t>(samples) + static_cast<size_t>(sample)) * static_cast<size_t>(experts);
      std::vector<double>& e = embeddings.emplace_back(width, 0.0);
      for (size_t k = 0; k < static_cast<size_t>(experts); ++k)
        for (size_t d = 0; d < width; ++d) e[d] += weight[k] * router[layer][k * width + d];
    }
    const Consistency smooth = consistency_of(embeddings);
    const auto at = static_cast<size_t>(sample);
    all.inconsistency[at] = smooth.inconsistency;
    all.mean_cosine[at] = smooth.mean_cosine;
    all.flagged[at] = smooth.zero_embedding ? 1 : smooth.no_positive_cosine ? 2 : 0;
  });
  return all;
}

}  // namespace varve
