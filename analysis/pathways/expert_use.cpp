// Entropies, information and partners from counts.
#include "analysis/pathways/expert_use.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/pathways/pathway.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

std::vector<int64_t> three_largest(std::span<const double> row) {
  std::vector<int64_t> order;
  for (size_t j = 0; j < row.size(); ++j)
    if (row[j] > 0) order.push_back(static_cast<int64_t>(j));
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return row[static_cast<size_t>(a)] > row[static_cast<size_t>(b)];
  });
  if (order.size() > 3) order.resize(3);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

double normalised_entropy(std::span<const double> counts) {
  return counts.size() < 2 ? missing : entropy_nats(counts) / std::log(static_cast<double>(counts.size()));
}

double mutual_information(std::span<const double> joint, int64_t rows, int64_t columns) {
  if (static_cast<int64_t>(joint.size()) != rows * columns)
    fail("{} counts cannot be {} x {}", joint.size(), rows, columns);
  std::vector<double> a(static_cast<size_t>(rows), 0), b(static_cast<size_t>(columns), 0);
  double all = 0, information = 0;
  for (size_t i = 0; i < joint.size(); ++i) {
    a[i / b.size()] += joint[i];
    b[i % b.size()] += joint[i];
    all += joint[i];
  }
  if (!(all > 0)) return missing;
  for (size_t i = 0; i < joint.size(); ++i)
    if (joint[i] > 0)
      information += joint[i] / all * std::log(joint[i] * all / (a[i / b.size()] * b[i % b.size()]));
  return information;
}

Coactivation coactivation_of(std::span<const double> counts, int64_t experts, double tokens) {
  Coactivation all;
  const auto wide = static_cast<size_t>(experts);
  all.conditional.assign(wide * wide, missing);
  all.lift = all.conditional;
  for (size_t i = 0; i < wide; ++i) {
    const double own = counts[i * wide + i];
    std::vector<double> row(wide, 0);
    int64_t fixed = 0;
    for (size_t j = 0; j < wide && own > 0; ++j) {
      if (j == i) continue;
      const double both = counts[i * wide + j], other = counts[j * wide + j];
      row[j] = both;
      all.conditional[i * wide + j] = both / own;
      if (other > 0) all.lift[i * wide + j] = both * tokens / (own * other);
      fixed += other > 0 && all.lift[i * wide + j] > 2 && both / own > 0.3 ? 1 : 0;
    }
    all.effective_partners.push_back(std::exp(entropy_nats(row)));  // NaN where the row is empty
    all.fixed_partners.push_back(fixed);
    all.top.push_back(three_largest(row));
  }
  return all;
}

double mean_jaccard(const std::vector<std::vector<int64_t>>& a, const std::vector<std::vector<int64_t>>& b) {
  double sum = 0, n = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].empty() || b[i].empty()) continue;
    std::vector<int64_t> both;
    std::set_intersection(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(), std::back_inserter(both));
    sum += static_cast<double>(both.size()) / static_cast<double>(a[i].size() + b[i].size() - both.size());
    n += 1;
  }
  return n > 0 ? sum / n : missing;
}

Communities communities_of(std::span<const double> counts, int64_t experts) {
  const auto wide = static_cast<size_t>(experts);
  // e_ab: share of all edge ends between communities; a_a: share at a community.
  std::vector<double> edge(counts.begin(), counts.end()), ends(wide, 0);
  double all = 0;
  for (size_t i = 0; i < wide; ++i) edge[i * wide + i] = 0;
  for (const double value : edge) all += value;
  Communities found;
  found.of.resize(wide);
  std::iota(found.of.begin(), found.of.end(), int64_t{0});
  found.count = experts;
  if (!(all > 0)) return found;
  for (double& value : edge) value /= all;
  for (size_t i = 0; i < wide; ++i)
    for (size_t j = 0; j < wide; ++j) ends[i] += edge[i * wide + j];
  std::vector<bool> alive(wide, true);
  for (;;) {
    double best = 1e-12;
    size_t keep = wide, lose = wide;
    for (size_t i = 0; i < wide; ++i)
      for (size_t j = i + 1; j < wide; ++j) {
        if (!alive[i] || !alive[j]) continue;
        const double gain = edge[i * wide + j] + edge[j * wide + i] - 2 * ends[i] * ends[j];
        if (gain > best) best = gain, keep = i, lose = j;
      }
    if (keep == wide) break;
    for (size_t k = 0; k < wide; ++k) edge[keep * wide + k] += edge[lose * wide + k];
    for (size_t k = 0; k < wide; ++k) edge[k * wide + keep] += edge[k * wide + lose];
    ends[keep] += ends[lose];
    alive[lose] = false;
    for (int64_t& community : found.of)
      if (community == static_cast<int64_t>(lose)) community = static_cast<int64_t>(keep);
  }
  found.count = std::count(alive.begin(), alive.end(), true);
  for (size_t i = 0; i < wide; ++i)
    if (alive[i]) found.modularity += edge[i * wide + i] - ends[i] * ends[i];
  return found;
}

std::vector<int64_t> linkage_order(std::span<const double> similarity, int64_t count) {
  std::vector<std::vector<int64_t>> clusters;
  for (int64_t i = 0; i < count; ++i) clusters.push_back({i});
  const auto between = [&](const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
    double sum = 0;
    for (const int64_t i : a)
      for (const int64_t j : b) {
        const double value = similarity[static_cast<size_t>(i * count + j)];
        sum += std::isfinite(value) ? value : 0;
      }
    return sum / static_cast<double>(a.size() * b.size());
  };
  while (clusters.size() > 1) {
    size_t one = 0, other = 1;
    double best = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < clusters.size(); ++i)
      for (size_t j = i + 1; j < clusters.size(); ++j)
        if (const double mean = between(clusters[i], clusters[j]); mean > best)
          best = mean, one = i, other = j;
    clusters[one].insert(clusters[one].end(), clusters[other].begin(), clusters[other].end());
    clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(other));
  }
  return clusters.empty() ? std::vector<int64_t>{} : clusters.front();
}

}  // namespace varve
