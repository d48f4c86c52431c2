// The lens of one prompt over training: a quantity at each step and layer, at one position or averaged.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/session/session.h"

namespace varve {

// Remembers what it has read of each cell, so that a new cell costs only itself.
class LensByStep {
 public:
  // One array [step, layer] named as `quantity` is in the cells, which says in its title what it was taken
  // over. At the selected position; over all positions where none is selected or the selected one has no
  // value, as the last has no true next token. Null where the session shows no lens.
  std::shared_ptr<const Dataset> of(const Session& session, const std::string& quantity);

 private:
  struct Wanted {
    std::string quantity;
    int64_t prompt = 0, pos = -1;  // -1: the mean over positions
    bool operator==(const Wanted&) const = default;
  };
  struct Part {
    std::shared_ptr<const Dataset> cell, profile;  // the profile lies over layers
  };
  Wanted wanted_;
  std::map<int64_t, Part> parts_;  // by step
  std::shared_ptr<const Dataset> joined_;
};

}  // namespace varve
