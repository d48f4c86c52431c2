// A regression tree by least squares, the part that forests and boosting are made of.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "analysis/fit/regressors.h"

namespace varve {

struct TreeShape {
  int64_t depth = 8, leaf = 2;  // deepest, and rows of a leaf at least
  int64_t tried = 0;            // features looked at for each split; 0: all
};

class RegressionTree {
 public:
  // rows: which of `all` the tree grows on; one may stand there several times.
  RegressionTree(const TrainingRows& all, std::vector<size_t> rows, const TreeShape& shape,
                 std::mt19937_64& random);
  double predict(const Row& features) const;

 private:
  struct Node {
    size_t feature = 0;
    double limit = 0, value = 0;
    int64_t below = -1, above = -1;  // -1: a leaf
  };
  int64_t grow(const TrainingRows& all, std::vector<size_t> rows, const TreeShape& shape, int64_t depth,
               std::mt19937_64& random);
  std::vector<Node> nodes_;
};

}  // namespace varve
