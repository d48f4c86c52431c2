// One prompt at one checkpoint of a lens result, ready to be shown as a table of layers and positions.
#pragma once

#include <string>
#include <vector>

#include "viz/pick.h"

namespace varve {

struct LensPage {
  int64_t layers = 0, positions = 0, ranks = 0;
  Array top_text;                          // [layer, pos, rank]
  Array top_prob;                          // the same; without values where the result has none
  Array value;                             // [layer, pos], the quantity that colours the cells
  std::vector<std::string> inputs, nexts;  // one a position; the last next is empty where it is unknown
  Places fixed;                            // the step and prompt shown
  std::vector<double> scale_values;        // of all steps, so that scrubbing keeps one scale

  double value_at(int64_t layer, int64_t pos) const { return value.number(layer * value.shape()[1] + pos); }
  std::string text_at(int64_t layer, int64_t pos, int64_t rank) const;
  double prob_at(int64_t layer, int64_t pos, int64_t rank) const;  // NaN where there is none
};

bool is_lens(const Dataset& data);
LensPage lens_page(const Dataset& data, const std::string& quantity, const Places& given,
                   const Selection& selection);
std::string layer_name(const LensPage& page, int64_t layer);  // "embed", "9", "out 12"

}  // namespace varve
