// Hierarchical clustering of rows, small enough to be read.
#include "viz/reorder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace varve {
namespace {

std::vector<double> without_holes(std::span<const double> values, int64_t rows, int64_t columns) {
  std::vector<double> out(values.begin(), values.end());
  for (int64_t c = 0; c < columns; ++c) {
    double sum = 0;
    int64_t n = 0;
    for (int64_t r = 0; r < rows; ++r)
      if (const double v = out[static_cast<size_t>(r * columns + c)]; std::isfinite(v)) sum += v, ++n;
    for (int64_t r = 0; r < rows; ++r)
      if (double& v = out[static_cast<size_t>(r * columns + c)]; !std::isfinite(v))
        v = n > 0 ? sum / static_cast<double>(n) : 0;
  }
  return out;
}

}  // namespace

std::vector<int64_t> by_value(std::span<const double> values, int64_t rows, int64_t columns) {
  std::vector<double> mean(static_cast<size_t>(rows), -std::numeric_limits<double>::infinity());
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    int64_t n = 0;
    for (int64_t c = 0; c < columns; ++c)
      if (const double v = values[static_cast<size_t>(r * columns + c)]; std::isfinite(v)) sum += v, ++n;
    if (n > 0) mean[static_cast<size_t>(r)] = sum / static_cast<double>(n);
  }
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&mean](int64_t a, int64_t b) {
    return mean[static_cast<size_t>(a)] > mean[static_cast<size_t>(b)];
  });
  return order;
}

std::vector<int64_t> clustered(std::span<const double> values, int64_t rows, int64_t columns) {
  const auto n = static_cast<size_t>(rows);
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  if (n < 3 || columns == 0) return order;
  const std::vector<double> v = without_holes(values, rows, columns);
  std::vector<double> distance(n * n, 0);
  for (size_t a = 0; a < n; ++a)
    for (size_t b = a + 1; b < n; ++b) {
      double sum = 0;
      for (size_t c = 0; c < static_cast<size_t>(columns); ++c) {
        const double d = v[a * static_cast<size_t>(columns) + c] - v[b * static_cast<size_t>(columns) + c];
        sum += d * d;
      }
      distance[a * n + b] = distance[b * n + a] = std::sqrt(sum);
    }
  // Groups by the place of their first row; a group that was joined to another is gone.
  std::vector<std::vector<int64_t>> members(n);
  std::vector<double> height(n, 0);
  std::vector<bool> is_gone(n, false);
  for (size_t i = 0; i < n; ++i) members[i] = {static_cast<int64_t>(i)};
  // Each group's nearest, looked for again only where it changed.
  std::vector<size_t> nearest(n, 0);
  const auto look = [&](size_t a) {
    size_t best = n;
    for (size_t b = 0; b < n; ++b)
      if (b != a && !is_gone[b] && (best == n || distance[a * n + b] < distance[a * n + best])) best = b;
    nearest[a] = best;
  };
  for (size_t a = 0; a < n; ++a) look(a);
  for (size_t joined = 0; joined + 1 < n; ++joined) {
    size_t a = n;
    for (size_t i = 0; i < n; ++i)
      if (!is_gone[i] && (a == n || distance[i * n + nearest[i]] < distance[a * n + nearest[a]])) a = i;
    const size_t first = std::min(a, nearest[a]), second = std::max(a, nearest[a]);
    const double apart = distance[first * n + second];
    const auto wa = static_cast<double>(members[first].size()),
               wb = static_cast<double>(members[second].size());
    const bool is_turned = height[second] < height[first];  // the tighter branch first
    std::vector<int64_t> all = is_turned ? members[second] : members[first];
    const std::vector<int64_t>& rest = is_turned ? members[first] : members[second];
    all.insert(all.end(), rest.begin(), rest.end());
    members[first] = std::move(all);
    members[second].clear();
    height[first] = apart;
    is_gone[second] = true;
    for (size_t other = 0; other < n; ++other) {
      if (is_gone[other] || other == first) continue;
      const double mean = (wa * distance[first * n + other] + wb * distance[second * n + other]) / (wa + wb);
      distance[first * n + other] = distance[other * n + first] = mean;
    }
    look(first);
    for (size_t other = 0; other < n; ++other)
      if (!is_gone[other] && other != first && (nearest[other] == first || nearest[other] == second))
        look(other);
  }
  for (size_t i = 0; i < n; ++i)
    if (!is_gone[i]) return members[i];
  return order;
}

}  // namespace varve
