// The one-to-one match of rows and columns with the greatest sum (Kuhn 1955; shortest augmenting paths).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace varve {

// score [rows, columns], finite. Gives each row its column, -1 where there are more rows than columns and the
// row is left over. Of equal matches the one found first by row order.
std::vector<int64_t> best_assignment(std::span<const double> score, int64_t rows, int64_t columns);

}  // namespace varve
