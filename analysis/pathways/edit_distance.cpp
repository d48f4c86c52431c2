// Edit distances in blocks of 64 rows: one pair at a time over any symbols, or eight pairs at once over few.
#include "analysis/pathways/edit_distance.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <unordered_map>

#include "analysis/core/pool.h"
#include "analysis/pathways/edit_lanes.h"

namespace varve {
namespace {

// match: word w of symbol s says in which of rows 64 w ... the pattern holds s.
int64_t distance_in_blocks(int64_t rows, int64_t columns, const auto& match) {
  const int64_t words = (rows + 63) / 64;
  std::vector<uint64_t> up(static_cast<size_t>(words), ~uint64_t{0}), down(static_cast<size_t>(words), 0);
  for (int64_t column = 0; column < columns; ++column) {
    uint64_t plus_in = 1, minus_in = 0;
    const uint64_t* const equal_at = match(column);
    for (size_t word = 0; word < up.size(); ++word) {
      const uint64_t pv = up[word], mv = down[word];
      uint64_t equal = equal_at ? equal_at[word] : 0;
      const uint64_t xv = equal | mv;
      equal |= minus_in;
      const uint64_t xh = (((equal & pv) + pv) ^ pv) | equal;
      uint64_t plus = mv | ~(xh | pv), minus = pv & xh;
      const uint64_t plus_out = plus >> 63, minus_out = minus >> 63;
      plus = plus << 1 | plus_in;
      minus = minus << 1 | minus_in;
      up[word] = minus | ~(xv | plus);
      down[word] = plus & xv;
      plus_in = plus_out;
      minus_in = minus_out;
    }
  }
  int64_t distance = columns;
  for (int64_t word = 0, left = rows; left > 0; ++word, left -= 64) {
    const uint64_t those = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    distance += std::popcount(up[static_cast<size_t>(word)] & those);
    distance -= std::popcount(down[static_cast<size_t>(word)] & those);
  }
  return distance;
}

// What both begin and end with costs nothing.
template <class Sequence>
void trim(Sequence& a, Sequence& b) {
  size_t front = 0, shorter = std::min(a.size(), b.size());
  while (front < shorter && a[front] == b[front]) ++front;
  size_t back = 0;
  while (back < shorter - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) ++back;
  a = a.subspan(front, a.size() - front - back);
  b = b.subspan(front, b.size() - front - back);
}

EditLanesFunction widest_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return edit_lanes_avx512;
  if (__builtin_cpu_supports("avx2")) return edit_lanes_avx2;
#endif
  return edit_lanes_here;
}

// Characters as numbers below 16; empty where there are more kinds than that.
std::vector<std::vector<uint8_t>> coded(std::span<const std::string> texts) {
  std::array<int, 256> code;
  code.fill(-1);
  int kinds = 0;
  std::vector<std::vector<uint8_t>> all;
  for (const std::string& text : texts) {
    std::vector<uint8_t>& symbols = all.emplace_back();
    symbols.reserve(text.size());
    for (const char letter : text) {
      int& mine = code[static_cast<unsigned char>(letter)];
      if (mine < 0) mine = kinds++;
      if (kinds > 16) return {};
      symbols.push_back(static_cast<uint8_t>(mine));
    }
  }
  return all;
}

EditLanes lanes_of(const std::vector<std::vector<uint8_t>>& coded_texts, std::span<const SamplePair> pairs,
                   std::span<const size_t> chosen) {
  EditLanes lanes;
  size_t rows = 0, columns = 0;
  for (const size_t pair : chosen) {
    rows = std::max(rows, coded_texts[static_cast<size_t>(pairs[pair].first)].size());
    columns = std::max(columns, coded_texts[static_cast<size_t>(pairs[pair].second)].size());
  }
  lanes.words = static_cast<int64_t>((rows + 63) / 64);
  lanes.columns = static_cast<int64_t>(columns);
  lanes.planes.assign(static_cast<size_t>(lanes.words * edit_planes * edit_lane_count), 0);
  lanes.text.assign(columns * edit_lane_count, 0);
  for (size_t lane = 0; lane < chosen.size(); ++lane) {
    const std::vector<uint8_t>& pattern = coded_texts[static_cast<size_t>(pairs[chosen[lane]].first)];
    const std::vector<uint8_t>& text = coded_texts[static_cast<size_t>(pairs[chosen[lane]].second)];
    lanes.pattern_length[lane] = static_cast<int64_t>(pattern.size());
    lanes.text_length[lane] = static_cast<int64_t>(text.size());
    for (size_t row = 0; row < pattern.size(); ++row)
      for (size_t plane = 0; plane < edit_planes; ++plane)
        lanes.planes[(row / 64 * edit_planes + plane) * edit_lane_count + lane] |=
            static_cast<uint64_t>(pattern[row] >> plane & 1) << row % 64;
    for (size_t column = 0; column < text.size(); ++column)
      lanes.text[column * edit_lane_count + lane] = text[column];
  }
  return lanes;
}

}  // namespace

int64_t edit_distance(std::span<const int64_t> a, std::span<const int64_t> b) {
  trim(a, b);
  if (a.empty() || b.empty()) return static_cast<int64_t>(a.size() + b.size());
  const size_t words = (a.size() + 63) / 64;
  const auto [least, most] = std::minmax_element(a.begin(), a.end());
  constexpr int64_t table_limit = 1 << 16;
  if (*least >= 0 && *most < table_limit) {  // small numbers: a table is faster than a map
    std::vector<uint64_t> table(static_cast<size_t>(*most + 1) * words, 0);
    for (size_t row = 0; row < a.size(); ++row)
      table[static_cast<size_t>(a[row]) * words + row / 64] |= uint64_t{1} << row % 64;
    const int64_t last = *most;
    return distance_in_blocks(static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size()),
                              [&](int64_t column) -> const uint64_t* {
                                const int64_t symbol = b[static_cast<size_t>(column)];
                                if (symbol < 0 || symbol > last) return nullptr;
                                return table.data() + static_cast<size_t>(symbol) * words;
                              });
  }
  std::unordered_map<int64_t, std::vector<uint64_t>> match;
  for (size_t row = 0; row < a.size(); ++row) {
    std::vector<uint64_t>& rows = match[a[row]];
    rows.resize(words, 0);
    rows[row / 64] |= uint64_t{1} << row % 64;
  }
  return distance_in_blocks(static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size()),
                            [&](int64_t column) -> const uint64_t* {
                              const auto found = match.find(b[static_cast<size_t>(column)]);
                              return found == match.end() ? nullptr : found->second.data();
                            });
}

int64_t edit_distance(const std::string& a, const std::string& b) {
  std::span<const char> pattern(a), text(b);
  trim(pattern, text);
  if (pattern.empty() || text.empty()) return static_cast<int64_t>(pattern.size() + text.size());
  const size_t words = (pattern.size() + 63) / 64;
  std::vector<uint64_t> match(256 * words, 0);
  for (size_t row = 0; row < pattern.size(); ++row)
    match[static_cast<unsigned char>(pattern[row]) * words + row / 64] |= uint64_t{1} << row % 64;
  return distance_in_blocks(
      static_cast<int64_t>(pattern.size()), static_cast<int64_t>(text.size()), [&](int64_t column) {
        return match.data() + static_cast<unsigned char>(text[static_cast<size_t>(column)]) * words;
      });
}

std::vector<int64_t> edit_distances(std::span<const std::string> texts, std::span<const SamplePair> pairs,
                                    Task& task) {
  std::vector<int64_t> distances(pairs.size(), 0);
  const std::vector<std::vector<uint8_t>> codes = coded(texts);
  if (codes.empty() && !texts.empty()) {
    parallel_for(static_cast<int64_t>(pairs.size()), [&](int64_t i, int) {
      const auto [a, b] = pairs[static_cast<size_t>(i)];
      distances[static_cast<size_t>(i)] =
          edit_distance(texts[static_cast<size_t>(a)], texts[static_cast<size_t>(b)]);
    });
    return distances;
  }
  // Neighbours of about one length, so that no lane waits long for another.
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto length = [&](size_t pair) { return codes[static_cast<size_t>(pairs[pair].second)].size(); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) < length(b); });
  static const EditLanesFunction run = widest_lanes();
  constexpr size_t stretch = 64 * edit_lane_count;  // some ten milliseconds of work
  for (size_t first = 0; first < order.size(); first += stretch) {
    const size_t here = std::min(stretch, order.size() - first);
    parallel_for(
        static_cast<int64_t>((here + edit_lane_count - 1) / edit_lane_count), [&](int64_t piece, int) {
          const size_t begin = first + static_cast<size_t>(piece) * edit_lane_count;
          const std::span<const size_t> chosen =
              std::span(order).subspan(begin, std::min<size_t>(edit_lane_count, first + here - begin));
          EditLanes lanes = lanes_of(codes, pairs, chosen);
          run(lanes);
          for (size_t lane = 0; lane < chosen.size(); ++lane) distances[chosen[lane]] = lanes.distance[lane];
        });
    task.step(static_cast<int64_t>(first + here), static_cast<int64_t>(order.size()));
  }
  return distances;
}

}  // namespace varve
