// Orders in which a matrix shows what it holds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace varve {

// Rows [rows, columns] joined step by step, the two nearest groups first (mean distance between their rows,
// unweighted average linkage); the answer walks through the tree with the tighter branch first. NaN counts as
// the mean of its column. Rows of equal distance keep their order.
std::vector<int64_t> clustered(std::span<const double> values, int64_t rows, int64_t columns);
// By the mean of their finite values, the highest first; equal ones keep their order.
std::vector<int64_t> by_value(std::span<const double> values, int64_t rows, int64_t columns);

constexpr int64_t most_clustered = 1200;  // rows: the distances of more take too long to wait for

}  // namespace varve
