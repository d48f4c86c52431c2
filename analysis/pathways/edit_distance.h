// Levenshtein distance with unit costs, 64 rows of the table at a time (Myers 1999; blocks as in Hyyro 2003).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/task.h"

namespace varve {

using SamplePair = std::pair<int64_t, int64_t>;

// Symbols may be any numbers; equal numbers are equal symbols.
int64_t edit_distance(std::span<const int64_t> a, std::span<const int64_t> b);
int64_t edit_distance(const std::string& a, const std::string& b);  // in bytes

// One distance a pair of texts, spread over threads; where all texts together use at most sixteen different
// characters, as pathway strings do, eight pairs share each instruction.
std::vector<int64_t> edit_distances(std::span<const std::string> texts, std::span<const SamplePair> pairs,
                                    Task& task);

}  // namespace varve
