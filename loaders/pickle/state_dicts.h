// Finds the weights in what a pickle holds: one state dict, perhaps under a common key, or several that make
// a series.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "loaders/pickle/pickle_tree.h"

namespace varve {

struct StateDict {
  std::string label;  // where it lies; empty: the pickle itself
  int64_t step = -1;  // where the pickle says it
  std::vector<std::pair<std::string, PickleId>> tensors;
  std::vector<std::string> notes;  // what is left out
};

// At least one, perhaps without tensors. `single` names a tensor that is alone. Throws Error where it is not
// clear which of several things is the model.
std::vector<StateDict> find_state_dicts(const PickleTree& tree, const std::string& where,
                                        const std::string& single);

}  // namespace varve
