// Counts flows and orders nodes by barycentres (Sugiyama, Tagawa and Toda 1981), sweeping right and left.
#include "viz/alluvium.h"

#include <algorithm>
#include <map>

namespace varve {
namespace {

using Items = std::vector<std::vector<int64_t>>;

// The item of each sample with the small ones put together.
Items merged(const Items& items, int64_t most) {
  Items out = items;
  for (std::vector<int64_t>& column : out) {
    std::map<int64_t, int64_t> count;
    for (const int64_t item : column)
      if (item >= 0) ++count[item];
    std::vector<std::pair<int64_t, int64_t>> order;  // -count, item
    for (const auto& [item, n] : count) order.emplace_back(-n, item);
    std::sort(order.begin(), order.end());
    std::map<int64_t, bool> kept;
    for (size_t i = 0; i < order.size(); ++i) kept[order[i].second] = static_cast<int64_t>(i) < most;
    for (int64_t& item : column)
      if (item >= 0 && !kept[item]) item = other_node;
  }
  return out;
}

int64_t place_of(const std::vector<FlowNode>& nodes, int64_t item) {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].item == item) return static_cast<int64_t>(i);
  return -1;
}

// Sorts a column by the mean place of its samples in another column, or by their groups where there is none.
void settle(std::vector<FlowNode>& nodes, const std::vector<int64_t>& mine,
            const std::vector<double>& wanted) {
  std::map<int64_t, std::pair<double, double>> sums;
  for (size_t i = 0; i < mine.size(); ++i) {
    if (mine[i] == -1) continue;
    sums[mine[i]].first += wanted[i];
    sums[mine[i]].second += 1;
  }
  const auto key = [&](const FlowNode& node) {
    const auto& [sum, n] = sums[node.item];
    return node.item == other_node ? 1e18 : n > 0 ? sum / n : 0;
  };
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](const FlowNode& a, const FlowNode& b) { return key(a) < key(b); });
}

// Middle of each sample's node, counted in samples from the top.
std::vector<double> heights(const std::vector<FlowNode>& nodes, const std::vector<int64_t>& mine) {
  std::map<int64_t, double> middle;
  double top = 0;
  for (const FlowNode& node : nodes) {
    middle[node.item] = top + static_cast<double>(node.total) / 2;
    top += static_cast<double>(node.total);
  }
  std::vector<double> out;
  for (const int64_t item : mine) out.push_back(item == -1 ? 0 : middle[item]);
  return out;
}

int64_t crossings_between(const std::vector<FlowRibbon>& ribbons) {
  int64_t count = 0;
  for (const FlowRibbon& a : ribbons)
    for (const FlowRibbon& b : ribbons)
      if (a.from < b.from && a.to > b.to) count += a.count * b.count;
  return count;
}

std::vector<FlowRibbon> ribbons_of(const std::vector<FlowNode>& left, const std::vector<FlowNode>& right,
                                   const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                                   const std::vector<int64_t>& groups) {
  std::map<std::vector<int64_t>, int64_t> count;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != -1 && b[i] != -1 && groups[i] >= 0)
      ++count[{groups[i], place_of(left, a[i]), place_of(right, b[i])}];
  std::vector<FlowRibbon> ribbons;
  for (const auto& [key, n] : count) ribbons.push_back({key[1], key[2], key[0], n});
  return ribbons;
}

}  // namespace

Alluvium alluvium_of(const Items& items, const std::vector<int64_t>& groups, int64_t group_count,
                     int64_t most) {
  Alluvium flow;
  Items mine = merged(items, most);
  for (std::vector<int64_t>& column : mine)
    for (size_t i = 0; i < column.size(); ++i)
      if (groups[i] < 0 || (column[i] < 0 && column[i] != other_node)) column[i] = -1;
  for (const int64_t group : groups) flow.samples += group >= 0 ? 1 : 0;
  for (const std::vector<int64_t>& column : mine) {
    std::vector<FlowNode>& nodes = flow.columns.emplace_back();
    for (size_t i = 0; i < column.size(); ++i) {
      if (column[i] == -1) continue;
      if (place_of(nodes, column[i]) < 0)
        nodes.push_back({column[i], std::vector<int64_t>(static_cast<size_t>(group_count), 0), 0});
      FlowNode& node = nodes[static_cast<size_t>(place_of(nodes, column[i]))];
      ++node.counts[static_cast<size_t>(groups[i])];
      ++node.total;
    }
    std::sort(nodes.begin(), nodes.end(),
              [](const FlowNode& a, const FlowNode& b) { return a.item < b.item; });
  }
  const auto last = static_cast<int64_t>(mine.size()) - 1;
  std::vector<double> by_group(groups.begin(), groups.end());
  if (last >= 0) settle(flow.columns.back(), mine.back(), by_group);
  // From the last column, where groups part most, to the first and back.
  constexpr int sweeps = 8;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (int64_t c = last - 1; c >= 0; --c)
      settle(flow.columns[static_cast<size_t>(c)], mine[static_cast<size_t>(c)],
             heights(flow.columns[static_cast<size_t>(c + 1)], mine[static_cast<size_t>(c + 1)]));
    for (int64_t c = 1; c <= last; ++c)
      settle(flow.columns[static_cast<size_t>(c)], mine[static_cast<size_t>(c)],
             heights(flow.columns[static_cast<size_t>(c - 1)], mine[static_cast<size_t>(c - 1)]));
  }
  for (int64_t c = 0; c < last; ++c) {
    const auto at = static_cast<size_t>(c);
    flow.ribbons.push_back(
        ribbons_of(flow.columns[at], flow.columns[at + 1], mine[at], mine[at + 1], groups));
    flow.crossings += crossings_between(flow.ribbons.back());
  }
  return flow;
}

}  // namespace varve
