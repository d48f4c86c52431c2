// The Hungarian algorithm with potentials, cubic in the number of rows (Jonker and Volgenant 1987).
#include "analysis/pathways/assignment.h"

#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

// rows <= columns. cost(row, column), both from 1; column 0 stands for the row that seeks a place.
std::vector<int64_t> least_cost(int64_t rows, int64_t columns, const auto& cost) {
  constexpr double far = std::numeric_limits<double>::infinity();
  const auto width = static_cast<size_t>(columns + 1);
  std::vector<double> u(static_cast<size_t>(rows + 1), 0), v(width, 0);  // potentials
  std::vector<int64_t> row_at(width, 0), came_from(width, 0);
  for (int64_t row = 1; row <= rows; ++row) {
    row_at[0] = row;
    int64_t at = 0;
    std::vector<double> slack(width, far);
    std::vector<bool> reached(width, false);
    do {
      reached[static_cast<size_t>(at)] = true;
      const int64_t mine = row_at[static_cast<size_t>(at)];
      double least = far;
      int64_t next = 0;
      for (int64_t column = 1; column <= columns; ++column) {
        const auto c = static_cast<size_t>(column);
        if (reached[c]) continue;
        const double reduced = cost(mine, column) - u[static_cast<size_t>(mine)] - v[c];
        if (reduced < slack[c]) slack[c] = reduced, came_from[c] = at;
        if (slack[c] < least) least = slack[c], next = column;
      }
      for (size_t c = 0; c < width; ++c) {
        if (reached[c])
          u[static_cast<size_t>(row_at[c])] += least, v[c] -= least;
        else
          slack[c] -= least;
      }
      at = next;
    } while (row_at[static_cast<size_t>(at)] != 0);
    while (at != 0) {
      const int64_t before = came_from[static_cast<size_t>(at)];
      row_at[static_cast<size_t>(at)] = row_at[static_cast<size_t>(before)];
      at = before;
    }
  }
  return row_at;
}

}  // namespace

std::vector<int64_t> best_assignment(std::span<const double> score, int64_t rows, int64_t columns) {
  if (rows < 0 || columns < 0 || static_cast<int64_t>(score.size()) != rows * columns)
    fail("a match of {} rows and {} columns needs {} scores, not {}", rows, columns, rows * columns,
         score.size());
  for (const double value : score)
    if (!std::isfinite(value)) fail("a score to be matched is not finite; leave its row or column out");
  std::vector<int64_t> chosen(static_cast<size_t>(rows), -1);
  if (rows == 0 || columns == 0) return chosen;
  if (rows <= columns) {
    const auto row_at = least_cost(rows, columns, [&](int64_t r, int64_t c) {
      return -score[static_cast<size_t>((r - 1) * columns + c - 1)];
    });
    for (int64_t c = 1; c <= columns; ++c)
      if (row_at[static_cast<size_t>(c)] > 0)
        chosen[static_cast<size_t>(row_at[static_cast<size_t>(c)] - 1)] = c - 1;
    return chosen;
  }
  const auto column_at = least_cost(columns, rows, [&](int64_t c, int64_t r) {
    return -score[static_cast<size_t>((r - 1) * columns + c - 1)];
  });
  for (int64_t r = 1; r <= rows; ++r)
    if (column_at[static_cast<size_t>(r)] > 0)
      chosen[static_cast<size_t>(r - 1)] = column_at[static_cast<size_t>(r)] - 1;
  return chosen;
}

}  // namespace varve
