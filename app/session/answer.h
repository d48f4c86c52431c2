// Which layer is the first to say the right token, and from which step on: the lens over training as one
// sentence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

struct Answer {
  std::string after, next;              // the token here, and the true next one
  int64_t step = 0, layers = 0;         // of the cell that is looked at; index of the output row
  std::optional<int64_t> first_layer;   // there, the lowest whose top token is the true one
  std::optional<int64_t> layer_since;   // the step from which on that layer is right at every later one
  std::optional<int64_t> output_since;  // the same of the output
  std::string sentence;
};

// `cells` are lens results by step; the one looked at is that of `step`, or the last before it. Nothing where
// the place has no true next token, or the results are no lens.
std::optional<Answer> answer_at(const std::vector<std::pair<int64_t, const Dataset*>>& cells, int64_t step,
                                int64_t prompt, int64_t pos);

}  // namespace varve
