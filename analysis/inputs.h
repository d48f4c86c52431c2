// What a reduce reads that no cell holds: tables from files, and results of other analyses.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

struct InputInfo {
  std::string name;  // "groups"
  std::string help;  // what it holds, along which axes
  bool needed = false;
  bool replaces_cells = false;  // given, it stands in for what the cells would say
  bool several = false;         // "fit" may be given as fit.70m, fit.160m and so on; the ending is its label
};

// Name -> what was read for it: arrays with axes as their file gives them.
using Inputs = std::map<std::string, Dataset>;

// Over names, axes, values and coordinates; where a file lay plays no part.
std::string digest_of(const Inputs& inputs);
std::string described(const Inputs& inputs);  // "groups: samples.npz:domain (1f2e3d4c...)"

bool is_for(const InputInfo& input, const std::string& name);  // `name` names it, with a label perhaps

const Dataset* find_input(const Inputs& inputs, const std::string& name);  // nullptr where not given

// The one array of an input that has several perhaps: the only one, or the one of that name. Throws Error
// naming the arrays there are.
const Array& only_array(const Inputs& inputs, const std::string& input);

}  // namespace varve
