// Where the tiles of attention heads lie: layers up and heads right, or those asked for side by side.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "viz/attention.h"

namespace varve {

struct AttentionHead {
  int64_t layer = 0, head = 0;
};

std::string head_name(const AttentionData& a, const AttentionHead& h);  // "L3H4"
// "layer" written out: the heads of the selected layer, of the last where none is. Other lists stay.
std::string written_out(const AttentionData& a, const std::string& list, const Selection& selection);
// "L3H4,L5H1", or all; throws Error (usage).
std::vector<AttentionHead> heads_of(const AttentionData& a, const std::string& list);

// Where the tiles lie: layers up and heads right where all are shown, else side by side.
struct AttentionLayout {
  Box area;
  std::vector<AttentionHead> heads;
  int64_t rows = 1, columns = 1;
  bool by_layer = false;
  double left = 0, top = 14, bottom = 0;  // room in each cell for tokens and the name
  Box cell(size_t i) const {
    const auto [row, column] = place(i);
    const double w = area.w / static_cast<double>(columns), h = area.h / static_cast<double>(rows);
    return {area.x + w * static_cast<double>(column), area.y + h * static_cast<double>(row), w, h};
  }
  Box tile(size_t i) const {
    const Box c = cell(i);
    const bool has_name = c.h > 40 && c.w > 30;
    const double gap = std::min(c.w, c.h) > 20 ? 4 : 1, over = has_name ? top : 0;
    const double side = std::max(0.0, std::min(c.w - left - gap, c.h - over - bottom - gap));
    return {c.x + left, c.y + over, side, side};
  }
  std::pair<int64_t, int64_t> place(size_t i) const {
    if (by_layer) return {rows - 1 - heads[i].layer, heads[i].head};
    const auto at = static_cast<int64_t>(i);
    return {at / columns, at % columns};
  }
};

AttentionLayout attention_layout(const AttentionData& a, const std::string& heads, bool with_tokens,
                                 const Look& look, const Box& area, double token_width);

}  // namespace varve
