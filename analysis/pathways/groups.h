// Which sample belongs to which group, and which pairs of samples are compared within and across groups.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/inputs.h"
#include "analysis/pathways/edit_distance.h"

namespace varve {

struct Groups {
  std::vector<std::string> names;  // sorted
  std::vector<int64_t> of;         // per sample: place in names, -1: none
  std::vector<int64_t> sizes;
  bool given = false;  // else there is one group of all samples
};

// The input `groups`: one label or number a sample, the empty label for none. Throws Error where there are
// not as many as samples.
Groups groups_of(const Inputs& inputs, int64_t samples);
Array group_names(const std::vector<std::string>& names);  // coordinate of the axis `group`

// About `count` samples, as many of each group, evenly spaced within it and group by group; those without a
// group come last. All of them where there are no more.
std::vector<int64_t> spread_over_groups(const Groups& groups, int64_t count);

struct PairSet {
  std::string name;  // a group's, "all samples", "across groups"
  std::vector<SamplePair> pairs;
  bool complete = false;  // every pair there is
};

// For all samples, each group and across groups: every pair where there are at most `count`, else `count`
// different ones drawn with the seed. Groups of one sample have none.
std::vector<PairSet> pair_sets(const Groups& groups, int64_t count, uint64_t seed);

}  // namespace varve
