// The steps one tensor of a mapping goes through, and what they make of its shape.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "loaders/canonical.h"
#include "loaders/family.h"

namespace varve {

struct MapSteps {
  std::string from;           // with {layer}, {expert} and {head} still in it
  std::vector<int64_t> view;  // -1: whatever is left
  std::vector<int64_t> split, slice, permute;
  bool transpose = false;
};

// `name` is the canonical name, for errors. Throws Error.
MapSteps read_steps(const std::string& name, const nlohmann::json& how, const ModelSpec& spec);

std::string with_number(std::string pattern, const std::string& what, int64_t number);  // {what} replaced
bool any_source(const std::string& pattern, const TensorShapes& shapes);  // {expert} and {head} taken as 0

// Adds the take or, where `from` still has {head}, one for each head (NAME#axis.piece).
void add_take(const std::string& name, const MapSteps& steps, const CanonicalTensor& want,
              const ModelSpec& spec, const TensorShapes& shapes, TensorRecipe& recipe);

}  // namespace varve
