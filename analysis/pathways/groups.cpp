// Groups from an input, and pairs drawn from them.
#include "analysis/pathways/groups.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <set>

#include <fmt/format.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

std::vector<SamplePair> all_pairs(const std::vector<int64_t>& samples,
                                  const std::function<bool(int64_t, int64_t)>& fits, int64_t most) {
  std::vector<SamplePair> pairs;
  for (size_t i = 0; i < samples.size(); ++i)
    for (size_t j = i + 1; j < samples.size(); ++j) {
      if (!fits(samples[i], samples[j])) continue;
      if (static_cast<int64_t>(pairs.size()) == most) return {};
      pairs.emplace_back(samples[i], samples[j]);
    }
  return pairs;
}

PairSet drawn(const std::string& name, const std::vector<int64_t>& samples, int64_t there_are, int64_t count,
              const std::function<bool(int64_t, int64_t)>& fits, uint64_t seed) {
  PairSet set{name, {}, there_are <= count};
  if (set.complete) {
    set.pairs = all_pairs(samples, fits, there_are);
    return set;
  }
  std::mt19937_64 random(seed);
  std::set<SamplePair> seen;
  while (static_cast<int64_t>(set.pairs.size()) < count) {
    int64_t i = samples[random() % samples.size()], j = samples[random() % samples.size()];
    if (i == j || !fits(i, j)) continue;
    if (i > j) std::swap(i, j);
    if (seen.emplace(i, j).second) set.pairs.emplace_back(i, j);
  }
  return set;
}

int64_t pairs_among(int64_t n) { return n * (n - 1) / 2; }

}  // namespace

Groups groups_of(const Inputs& inputs, int64_t samples) {
  Groups groups;
  groups.of.assign(static_cast<size_t>(samples), 0);
  if (!find_input(inputs, "groups")) {
    groups.names = {"all samples"};
    groups.sizes = {samples};
    return groups;
  }
  groups.given = true;
  const Array& labels = only_array(inputs, "groups");
  if (labels.axes().size() != 1 || labels.size() != samples)
    fail(
        "the input 'groups' holds {} labels along {} axes, but there are {} samples; it needs one label a "
        "sample",
        labels.size(), labels.axes().size(), samples);
  std::set<std::string> names;
  for (int64_t i = 0; i < samples; ++i)
    if (!labels.text(i).empty()) names.insert(labels.text(i));
  if (names.empty()) fail("the input 'groups' holds no label");
  groups.names.assign(names.begin(), names.end());
  groups.sizes.assign(groups.names.size(), 0);
  for (int64_t i = 0; i < samples; ++i) {
    const auto found = std::lower_bound(groups.names.begin(), groups.names.end(), labels.text(i));
    const bool has_one = !labels.text(i).empty();
    groups.of[static_cast<size_t>(i)] = has_one ? found - groups.names.begin() : -1;
    if (has_one) ++groups.sizes[static_cast<size_t>(found - groups.names.begin())];
  }
  return groups;
}

Array group_names(const std::vector<std::string>& names) {
  return Array({"group"}, {static_cast<int64_t>(names.size())}, names);
}

std::vector<int64_t> spread_over_groups(const Groups& groups, int64_t count) {
  std::vector<std::vector<int64_t>> members(groups.names.size() + 1);
  for (size_t i = 0; i < groups.of.size(); ++i) {
    const int64_t g = groups.of[i];
    members[g < 0 ? groups.names.size() : static_cast<size_t>(g)].push_back(static_cast<int64_t>(i));
  }
  std::erase_if(members, [](const std::vector<int64_t>& one) { return one.empty(); });
  std::vector<int64_t> chosen;
  const bool takes_all = count >= static_cast<int64_t>(groups.of.size());
  for (const std::vector<int64_t>& one : members) {
    const auto size = static_cast<int64_t>(one.size());
    const int64_t wanted = takes_all ? size : std::min(size, count / static_cast<int64_t>(members.size()));
    for (int64_t k = 0; k < wanted; ++k) chosen.push_back(one[static_cast<size_t>(k * size / wanted)]);
  }
  return chosen;
}

std::vector<PairSet> pair_sets(const Groups& groups, int64_t count, uint64_t seed) {
  std::vector<int64_t> everyone;
  for (size_t i = 0; i < groups.of.size(); ++i) everyone.push_back(static_cast<int64_t>(i));
  const auto n = static_cast<int64_t>(everyone.size());
  std::vector<PairSet> sets;
  const auto any = [](int64_t, int64_t) { return true; };
  if (n >= 2) sets.push_back(drawn("all samples", everyone, pairs_among(n), count, any, seed));
  if (!groups.given) return sets;
  int64_t grouped = 0, within = 0;
  std::vector<int64_t> those_with_group;
  for (size_t g = 0; g < groups.names.size(); ++g) {
    std::vector<int64_t> members;
    for (const int64_t i : everyone)
      if (groups.of[static_cast<size_t>(i)] == static_cast<int64_t>(g)) members.push_back(i);
    grouped += groups.sizes[g];
    within += pairs_among(groups.sizes[g]);
    if (members.size() >= 2)
      sets.push_back(drawn(groups.names[g], members, pairs_among(groups.sizes[g]), count, any, seed + 1 + g));
  }
  for (const int64_t i : everyone)
    if (groups.of[static_cast<size_t>(i)] >= 0) those_with_group.push_back(i);
  const auto differ = [&groups](int64_t i, int64_t j) {
    return groups.of[static_cast<size_t>(i)] != groups.of[static_cast<size_t>(j)];
  };
  if (groups.names.size() >= 2)
    sets.push_back(drawn("across groups", those_with_group, pairs_among(grouped) - within, count, differ,
                         seed + 1 + groups.names.size()));
  return sets;
}

}  // namespace varve
