// Rotary positions (Su et al. 2021): angles of each position, and the rotation of query and key rows.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/model/spec.h"

namespace varve {

// cosine and sine [position, dims / 2] for the positions of a prompt.
template <class T>
struct RopeTable {
  int64_t dims = 0;
  bool interleaved = false;
  std::vector<T> cosine, sine;
};

// `length` is that of the prompt; only dynamic scaling reads more from it than how many rows are wanted.
template <class T>
RopeTable<T> rope_table(const ModelSpec& spec, int64_t length);

// One row of `heads` vectors of d_head, at `position`.
template <class T>
void rotate_row(const RopeTable<T>& table, int64_t position, int64_t heads, int64_t d_head, T* row);
// Undoes rotate_row; it is also its transpose.
template <class T>
void rotate_row_back(const RopeTable<T>& table, int64_t position, int64_t heads, int64_t d_head, T* row);

}  // namespace varve
