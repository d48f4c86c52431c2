// A model family: config.json and tensor names -> ModelSpec and tensor recipe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/core/catalog.h"
#include "analysis/model/recipe.h"
#include "analysis/model/spec.h"

namespace varve {

using TensorShapes = std::map<std::string, std::vector<int64_t>>;  // names as the files have them

struct FamilyReading {
  ModelSpec spec;
  TensorRecipe recipe;
  std::vector<std::string> ignored;  // buffers that hold no weights (attn.bias masks, inv_freq), by name
};

struct Family {
  std::string name;  // "gpt_neox"
  std::string summary;
  std::vector<std::string> model_types;    // values of config.json "model_type"
  std::vector<std::string> architectures;  // "GPTNeoXForCausalLM"
  // Throws Error naming a missing key, a missing tensor, a shape that does not fit, an unsupported feature.
  std::function<FamilyReading(const nlohmann::json& config, const TensorShapes& tensors)> read;
};

using FamilyCatalog = Catalog<Family>;
void add_all_families(FamilyCatalog& catalog);  // generated
const FamilyCatalog& families();

// Picks the family by model_type, then architecture; reads; then checks that every tensor of the files is
// used once or ignored by name. A leftover is an Error naming it.
FamilyReading read_family(const nlohmann::json& config, const TensorShapes& tensors);

}  // namespace varve
