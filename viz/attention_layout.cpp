// Names heads and places their tiles.
#include "viz/attention_layout.h"

#include <algorithm>
#include <charconv>

#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr double least_token = 10;  // pixels a token needs

}  // namespace

std::string head_name(const AttentionData& a, const AttentionHead& h) {
  std::string name;
  for (const std::string& axis : a.grid_axes)
    name += axis == "layer" ? fmt::format("L{}", h.layer) : fmt::format("H{}", h.head);
  return name.empty() ? "attention" : name;
}

std::string written_out(const AttentionData& a, const std::string& list, const Selection& selection) {
  if (list != "layer") return list;
  if (a.layers <= 1) return "";
  AttentionHead one;
  one.layer = std::clamp<int64_t>(selection.index("layer").value_or(a.layers - 1), 0, a.layers - 1);
  std::string heads;
  for (; one.head < a.heads; ++one.head) heads += (heads.empty() ? "" : ",") + head_name(a, one);
  return heads;
}

std::vector<AttentionHead> heads_of(const AttentionData& a, const std::string& list) {
  std::vector<AttentionHead> all;
  if (list.empty()) {
    for (int64_t l = 0; l < a.layers; ++l)
      for (int64_t h = 0; h < a.heads; ++h) all.push_back({l, h});
    return all;
  }
  for (const std::string& word : split(list, ',')) {
    AttentionHead one;
    const char* at = word.data();
    const char* const end = at + word.size();
    for (const auto& [letter, place] : {std::pair('L', &one.layer), std::pair('H', &one.head)})
      if (at < end && *at == letter) at = std::from_chars(at + 1, end, *place).ptr;
    if (word.empty() || at != end || one.layer < 0 || one.layer >= a.layers || one.head < 0 ||
        one.head >= a.heads)
      fail_usage(
          "attention-tiles: '{}' is no head of this result; heads are written L3H4, from L0H0 to L{}H{}, or "
          "'layer' for those of the selected one",
          word, a.layers - 1, a.heads - 1);
    all.push_back(one);
  }
  return all;
}

AttentionLayout attention_layout(const AttentionData& a, const std::string& heads, bool with_tokens,
                                 const Look& look, const Box& area, double token_width) {
  AttentionLayout l;
  l.heads = heads_of(a, heads);
  l.area = area;
  const auto count = static_cast<int64_t>(l.heads.size());
  l.by_layer = heads.empty() && a.layers > 1 && a.heads > 1;
  if (l.by_layer) {
    l.rows = a.layers;
    l.columns = a.heads;
  } else {
    double best = 0;
    for (int64_t columns = 1; columns <= count; ++columns) {
      const int64_t rows = (count + columns - 1) / columns;
      const double side = std::min(area.w / static_cast<double>(columns), area.h / static_cast<double>(rows));
      if (side > best) best = side, l.columns = columns, l.rows = rows;
    }
  }
  l.area = {moved_x(look, area.x), moved_y(look, area.y), area.w * look.zoom, area.h * look.zoom_down()};
  const Box c = l.cell(0);
  const double room =
      (std::min(c.w, c.h) - 2 * token_width) / std::max<double>(1, static_cast<double>(a.queries));
  if (with_tokens && !a.tokens.empty() && room >= least_token) l.left = l.bottom = token_width;
  return l;
}

}  // namespace varve
