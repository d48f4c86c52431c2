// Tensor recipes as JSON, so that a stored series says how its canonical tensors are made.
#include "analysis/model/recipe.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

using nlohmann::json;

std::vector<int64_t> numbers(const json& take, const std::string& name, const char* key) {
  const auto found = take.find(key);
  if (found == take.end()) return {};
  const bool whole = found->is_array() && std::all_of(found->begin(), found->end(), [](const json& one) {
                       return one.is_number_integer();
                     });
  if (!whole) fail("tensor recipe '{}': '{}' is not a list of whole numbers", name, key);
  return found->get<std::vector<int64_t>>();
}

}  // namespace

std::string to_json(const TensorRecipe& recipe) {
  json out = json::object();
  for (const auto& [name, take] : recipe) {
    if (!is_utf8(take.source)) fail("tensor '{}': the name of its source is not UTF-8 text", name);
    json one = {{"source", take.source}, {"shape", take.shape}};
    if (!take.view.empty()) one["view"] = take.view;
    if (take.axis >= 0) one["slice"] = {take.axis, take.begin, take.end};
    if (!take.permute.empty()) one["permute"] = take.permute;
    out[name] = std::move(one);
  }
  return out.dump();
}

TensorRecipe recipe_from_json(const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) fail("tensor recipes: this is not a JSON object");
  TensorRecipe recipe;
  for (const auto& [name, one] : in.items()) {
    if (!one.is_object() || !one.contains("source") || !one["source"].is_string())
      fail("tensor recipe '{}': no source tensor is named", name);
    TensorTake take;
    take.source = one["source"].get<std::string>();
    take.shape = numbers(one, name, "shape");
    if (take.shape.empty()) fail("tensor recipe '{}': it has no shape", name);
    take.view = numbers(one, name, "view");
    take.permute = numbers(one, name, "permute");
    const std::vector<int64_t> slice = numbers(one, name, "slice");
    if (!slice.empty()) {
      if (slice.size() != 3) fail("tensor recipe '{}': a slice is axis, begin, end", name);
      take.axis = slice[0];
      take.begin = slice[1];
      take.end = slice[2];
    }
    recipe[name] = std::move(take);
  }
  return recipe;
}

}  // namespace varve
