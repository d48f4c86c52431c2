// Comparing sets of heads.
#include "analysis/circuits/head_sets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

std::vector<bool> flags_of(const Array& array, int64_t first, int64_t count) {
  std::vector<bool> flags;
  for (int64_t i = 0; i < count; ++i) flags.push_back(array.number(first + i) > 0);
  return flags;
}

std::vector<double> shares_of(const Array& array, int64_t first, int64_t count) {
  std::vector<double> shares;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    shares.push_back(array.number(first + i));
    sum += shares.back();
  }
  for (double& share : shares) share = sum > 0 ? share / sum : 0;
  return shares;
}

using Folds = std::vector<const std::vector<bool>*>;

// Heads in all of some folds and in none of the others.
int64_t separated(const Folds& in_all, const Folds& in_none) {
  int64_t count = 0;
  for (size_t head = 0; head < in_all.front()->size(); ++head) {
    const auto has = [head](const std::vector<bool>* fold) { return (*fold)[head]; };
    if (std::all_of(in_all.begin(), in_all.end(), has) && std::none_of(in_none.begin(), in_none.end(), has))
      ++count;
  }
  return count;
}

}  // namespace

HeadSets head_sets_of(const Dataset& circuits) {
  for (const char* name : {"heads_in", "heads_in_fold"})
    if (!circuits.has(name))
      fail_usage("'{}' is not there: sets of heads are those of a result of `circuit`", name);
  const Array &in = circuits["heads_in"], &fold = circuits["heads_in_fold"];
  const std::vector<int64_t>&shape = in.shape(), &folded = fold.shape();
  const bool joined = shape.size() == 3;
  if (shape.size() < 2 || shape.size() > 3 || folded.size() != shape.size() + 1 ||
      !std::equal(shape.end() - 2, shape.end(), folded.end() - 2) || (joined && folded[0] != shape[0]))
    fail("heads_in and heads_in_fold do not fit each other as circuits have them");
  HeadSets sets;
  sets.layers = shape[shape.size() - 2];
  sets.heads = shape.back();
  sets.folds = folded[folded.size() - 3];
  const int64_t count = sets.layers * sets.heads, steps = joined ? shape[0] : 1;
  const Array* importance = circuits.has("head_importance") ? &circuits["head_importance"] : nullptr;
  const Array* by_fold = circuits.has("head_importance_fold") ? &circuits["head_importance_fold"] : nullptr;
  if ((importance && importance->size() != steps * count) ||
      (by_fold && by_fold->size() != steps * sets.folds * count))
    fail("head_importance does not fit heads_in");
  for (int64_t step = 0; step < steps; ++step) {
    HeadSet set;
    set.in = flags_of(in, step * count, count);
    if (importance) set.importance = shares_of(*importance, step * count, count);
    for (int64_t one = 0; one < sets.folds; ++one) {
      const int64_t first = (step * sets.folds + one) * count;
      set.in_fold.push_back(flags_of(fold, first, count));
      if (by_fold) set.importance_fold.push_back(shares_of(*by_fold, first, count));
    }
    sets.of.push_back(std::move(set));
  }
  return sets;
}

double jaccard(const std::vector<bool>& one, const std::vector<bool>& other) {
  double both = 0, either = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    both += one[i] && other[i] ? 1 : 0;
    either += one[i] || other[i] ? 1 : 0;
  }
  return either > 0 ? both / either : missing;
}

HeadNoise noise_of(const HeadSet& set) {
  HeadNoise noise{0, 1, 0, 0, 0};
  double overlaps = 0, pairs = 0, shares = 0;
  for (size_t one = 0; one < set.in_fold.size(); ++one)
    for (size_t other = 0; other < set.in_fold.size(); ++other) {
      if (one == other) continue;
      const std::vector<bool>&here = set.in_fold[one], &there = set.in_fold[other];
      double own = 0, gained = 0;
      for (size_t head = 0; head < here.size(); ++head) {
        own += here[head] ? 1 : 0;
        gained += here[head] && !there[head] ? 1 : 0;
      }
      noise.gained += gained;
      noise.gained_most = std::max(noise.gained_most, gained);
      ++pairs;
      if (own > 0) noise.kept += 1 - gained / own;
      shares += own > 0 ? 1 : 0;
      const double value = jaccard(here, there);
      if (std::isnan(value)) continue;
      noise.jaccard += value;
      noise.jaccard_low = std::min(noise.jaccard_low, value);
      ++overlaps;
    }
  if (pairs == 0) return {missing, missing, missing, missing, missing};
  noise.gained /= pairs;
  noise.kept = shares > 0 ? noise.kept / shares : missing;
  noise.jaccard = overlaps > 0 ? noise.jaccard / overlaps : missing;
  if (overlaps == 0) noise.jaccard_low = missing;
  return noise;
}

std::vector<bool> certainly_gained(const HeadSet& set, const HeadSet& other) {
  std::vector<bool> gained(set.in.size(), false);
  for (size_t head = 0; head < gained.size(); ++head) {
    const auto has = [head](const std::vector<bool>& fold) { return fold[head]; };
    gained[head] = set.in[head] && !other.in[head] &&
                   std::all_of(set.in_fold.begin(), set.in_fold.end(), has) &&
                   std::none_of(other.in_fold.begin(), other.in_fold.end(), has);
  }
  return gained;
}

ChanceGain chance_gain(const HeadSet& set, const HeadSet& other) {
  const size_t mine = set.in_fold.size(), all = mine + other.in_fold.size();
  constexpr size_t most_folds = 16;  // of both: 12,870 deals
  if (mine == 0 || mine == all || all > most_folds) return {missing, missing};
  Folds folds;
  for (const auto& fold : set.in_fold) folds.push_back(&fold);
  for (const auto& fold : other.in_fold) folds.push_back(&fold);
  const auto gained = [&](uint32_t side) {
    Folds one, rest;
    for (size_t fold = 0; fold < all; ++fold) ((side >> fold & 1) != 0 ? one : rest).push_back(folds[fold]);
    return separated(one, rest);
  };
  const int64_t found = gained((uint32_t{1} << mine) - 1);
  double deals = 0, sum = 0, reached = 0;
  for (uint32_t side = 0; side < uint32_t{1} << all; ++side) {
    if (static_cast<size_t>(__builtin_popcount(side)) != mine) continue;
    const int64_t by_chance = gained(side);
    ++deals;
    sum += static_cast<double>(by_chance);
    reached += by_chance >= found ? 1 : 0;
  }
  return {sum / deals, reached / deals};
}

double effect_of(double importance, double base) { return (importance - base) / (importance + base + 1e-6); }

}  // namespace varve
