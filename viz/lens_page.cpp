// Takes one prompt and one step out of a lens result; shorter prompts lose their empty positions.
#include "viz/lens_page.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/glyphs.h"

namespace varve {

bool is_lens(const Dataset& data) {
  if (!data.has("top_text")) return false;
  const Array& top = data["top_text"];
  if (top.dtype() != Dtype::text) return false;
  for (const char* axis : {"layer", "pos", "rank"})
    if (!top.axis(axis)) return false;
  return true;
}

std::string LensPage::text_at(int64_t layer, int64_t pos, int64_t rank) const {
  if (rank >= ranks) return "";
  return token_label(top_text.text((layer * top_text.shape()[1] + pos) * ranks + rank));
}

double LensPage::prob_at(int64_t layer, int64_t pos, int64_t rank) const {
  if (rank >= ranks || top_prob.size() != top_text.size()) return std::numeric_limits<double>::quiet_NaN();
  return top_prob.number((layer * top_text.shape()[1] + pos) * ranks + rank);
}

LensPage lens_page(const Dataset& data, const std::string& quantity, const Places& given,
                   const Selection& selection) {
  LensPage page;
  const std::vector<std::string> cell = {"layer", "pos", "rank"}, place = {"layer", "pos"};
  page.top_text = sliced(data["top_text"], cell, data, given, selection, page.fixed);
  if (page.top_text.axes() != cell)
    fail(
        "lens-table: top_text lies over other axes than layer, pos and rank in this order; it cannot be "
        "shown");
  const auto& shape = page.top_text.shape();
  page.layers = shape[0];
  page.positions = shape[1];
  page.ranks = shape[2];
  const auto take = [&](const std::string& name, const std::vector<std::string>& kept) {
    return sliced(array_named(data, name, "lens-table"), kept, data, given, selection, page.fixed);
  };
  if (data.has("top_prob") && data["top_prob"].axes() == data["top_text"].axes())
    page.top_prob = take("top_prob", cell);
  page.value = take(quantity, place);
  if (page.value.axes() != place || !is_numeric(page.value))
    fail_usage("lens-table: '{}' is not a number at each layer and position", quantity);
  page.scale_values = numbers_of(take(quantity, {"step", "layer", "pos"}));

  if (data.has("lengths") && is_numeric(data["lengths"])) {
    const Array length = take("lengths", {});
    if (length.size() == 1)
      page.positions = std::clamp<int64_t>(static_cast<int64_t>(length.number(0)), 0, page.positions);
  }
  page.inputs.assign(static_cast<size_t>(page.positions), "");
  page.nexts = page.inputs;
  if (data.has("token_text")) {
    const Array text = take("token_text", {"pos"});
    for (int64_t i = 0; i < std::min(page.positions, text.size()); ++i) {
      page.inputs[static_cast<size_t>(i)] = token_label(text.text(i));
      if (i > 0) page.nexts[static_cast<size_t>(i - 1)] = page.inputs[static_cast<size_t>(i)];
    }
  }
  return page;
}

std::string layer_name(const LensPage& page, int64_t layer) {
  if (layer == 0) return "embed";
  if (layer == page.layers - 1) return fmt::format("out {}", layer);
  return std::to_string(layer);
}

}  // namespace varve
