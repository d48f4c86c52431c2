// Grows a regression tree (Breiman et al. 1984): each split takes off the most squared error.
#include "analysis/fit/regression_tree.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace varve {
namespace {

struct Split {
  double gain = 0, limit = 0;
  size_t feature = 0;
  bool is_found = false;
};

// The best limit of one feature over rows sorted by it.
void best_of_feature(const TrainingRows& all, std::vector<size_t> rows, size_t feature, int64_t leaf,
                     Split& best) {
  std::stable_sort(rows.begin(), rows.end(),
                   [&](size_t a, size_t b) { return all.features[a][feature] < all.features[b][feature]; });
  double below = 0, total = 0;
  for (const size_t row : rows) total += all.targets[row];
  const double n = static_cast<double>(rows.size());
  for (size_t i = 0; i + 1 < rows.size(); ++i) {
    below += all.targets[rows[i]];
    const double here = all.features[rows[i]][feature], next = all.features[rows[i + 1]][feature];
    const double left = static_cast<double>(i + 1), right = n - left;
    if (!(here < next) || left < static_cast<double>(leaf) || right < static_cast<double>(leaf)) continue;
    const double above = total - below;
    const double gain = below * below / left + above * above / right - total * total / n;
    if (gain > best.gain * (1 + 1e-12)) best = {gain, here + (next - here) / 2, feature, true};
  }
}

}  // namespace

RegressionTree::RegressionTree(const TrainingRows& all, std::vector<size_t> rows, const TreeShape& shape,
                               std::mt19937_64& random) {
  grow(all, std::move(rows), shape, 0, random);
}

int64_t RegressionTree::grow(const TrainingRows& all, std::vector<size_t> rows, const TreeShape& shape,
                             int64_t depth, std::mt19937_64& random) {
  const auto place = static_cast<int64_t>(nodes_.size());
  Node node;
  for (const size_t row : rows) node.value += all.targets[row] / static_cast<double>(rows.size());
  nodes_.push_back(node);
  if (depth >= shape.depth || static_cast<int64_t>(rows.size()) < 2 * shape.leaf) return place;
  std::vector<size_t> features(all.features.front().size());
  std::iota(features.begin(), features.end(), size_t{0});
  const size_t tried =
      shape.tried > 0 ? std::min(static_cast<size_t>(shape.tried), features.size()) : features.size();
  if (tried < features.size())
    for (size_t i = 0; i < tried; ++i) std::swap(features[i], features[i + random() % (features.size() - i)]);
  Split best;
  best.gain = 1e-300;
  for (size_t i = 0; i < tried; ++i) best_of_feature(all, rows, features[i], shape.leaf, best);
  if (!best.is_found) return place;
  const auto middle = std::stable_partition(
      rows.begin(), rows.end(), [&](size_t row) { return all.features[row][best.feature] <= best.limit; });
  std::vector<size_t> above(middle, rows.end());
  rows.erase(middle, rows.end());
  nodes_[static_cast<size_t>(place)].feature = best.feature;
  nodes_[static_cast<size_t>(place)].limit = best.limit;
  const int64_t low = grow(all, std::move(rows), shape, depth + 1, random);
  const int64_t high = grow(all, std::move(above), shape, depth + 1, random);
  nodes_[static_cast<size_t>(place)].below = low;
  nodes_[static_cast<size_t>(place)].above = high;
  return place;
}

double RegressionTree::predict(const Row& features) const {
  const Node* node = &nodes_.front();
  while (node->below >= 0)
    node = &nodes_[static_cast<size_t>(features[node->feature] <= node->limit ? node->below : node->above)];
  return node->value;
}

}  // namespace varve
