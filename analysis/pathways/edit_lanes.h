// Eight edit distances side by side, one in each lane of a vector; compiled once for each width of processor.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace varve {

constexpr int64_t edit_lane_count = 8, edit_planes = 4;

// Eight pairs, a pattern and a text each; symbols are numbers below 16.
struct EditLanes {
  int64_t words = 0;             // of 64 rows: the longest pattern's
  std::vector<uint64_t> planes;  // [word, plane, lane]: bit r of plane k is bit k of the symbol in row r
  int64_t columns = 0;           // the longest text's
  std::vector<uint8_t> text;     // [column, lane]
  int64_t pattern_length[edit_lane_count] = {}, text_length[edit_lane_count] = {};
  int64_t distance[edit_lane_count] = {};  // the answer
};

using EditLanesFunction = void (*)(EditLanes&);
void edit_lanes_avx2(EditLanes& lanes);    // to be called on such a processor only
void edit_lanes_avx512(EditLanes& lanes);  // likewise

namespace {

using std::size_t;

// D[m, n] = n + the sum of the vertical differences of column n down to row m.
[[maybe_unused]] int64_t distance_of_lane(const EditLanes& lanes, int64_t lane,
                                          const std::vector<uint64_t>& up,
                                          const std::vector<uint64_t>& down) {
  int64_t distance = lanes.text_length[lane];
  for (int64_t word = 0, left = lanes.pattern_length[lane]; left > 0; ++word, left -= 64) {
    const uint64_t rows = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    const auto at = static_cast<size_t>(word * edit_lane_count + lane);
    distance += std::popcount(up[at] & rows);
    distance -= std::popcount(down[at] & rows);
  }
  return distance;
}

[[maybe_unused]] void edit_lanes_here(EditLanes& lanes) {
  using Vector [[gnu::vector_size(64)]] = uint64_t;
  const auto state = static_cast<size_t>(lanes.words * edit_lane_count);
  // Pv and Mv of the paper: where a row is one more, or one less, than the row above it.
  std::vector<uint64_t> up(state, ~uint64_t{0}), down(state, 0);
  for (int64_t column = 0;; ++column) {
    for (int64_t lane = 0; lane < edit_lane_count; ++lane)
      if (lanes.text_length[lane] == column) lanes.distance[lane] = distance_of_lane(lanes, lane, up, down);
    if (column == lanes.columns) return;
    Vector symbol;
    for (int64_t lane = 0; lane < edit_lane_count; ++lane)
      symbol[lane] = lanes.text[static_cast<size_t>(column * edit_lane_count + lane)];
    const Vector bit0 = -(symbol & 1), bit1 = -(symbol >> 1 & 1), bit2 = -(symbol >> 2 & 1),
                 bit3 = -(symbol >> 3 & 1);
    // The first row of the table grows by one with every column.
    Vector plus_in = symbol - symbol + 1, minus_in = symbol - symbol;
    for (int64_t word = 0; word < lanes.words; ++word) {
      const auto row = static_cast<size_t>(word * edit_lane_count);
      Vector plane[edit_planes], pv, mv;  // copied, since the arrays are not aligned as vectors are
      std::memcpy(plane, lanes.planes.data() + row * edit_planes, sizeof plane);
      std::memcpy(&pv, up.data() + row, sizeof pv);
      std::memcpy(&mv, down.data() + row, sizeof mv);
      Vector equal = ~((plane[0] ^ bit0) | (plane[1] ^ bit1) | (plane[2] ^ bit2) | (plane[3] ^ bit3));
      const Vector xv = equal | mv;
      equal |= minus_in;
      const Vector xh = (((equal & pv) + pv) ^ pv) | equal;
      Vector plus = mv | ~(xh | pv), minus = pv & xh;
      const Vector plus_out = plus >> 63, minus_out = minus >> 63;
      plus = plus << 1 | plus_in;
      minus = minus << 1 | minus_in;
      pv = minus | ~(xv | plus);
      mv = plus & xv;
      std::memcpy(up.data() + row, &pv, sizeof pv);
      std::memcpy(down.data() + row, &mv, sizeof mv);
      plus_in = plus_out;
      minus_in = minus_out;
    }
  }
}

}  // namespace

}  // namespace varve
