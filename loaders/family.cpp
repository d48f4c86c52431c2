// The shelf of model families at run time, and how one is chosen and held to account for every tensor.
#include "loaders/family.h"

#include <algorithm>
#include <set>

#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> architectures_of(const nlohmann::json& config) {
  std::vector<std::string> names;
  const auto list = config.find("architectures");
  if (list == config.end() || !list->is_array()) return names;
  for (const nlohmann::json& name : *list)
    if (name.is_string()) names.push_back(name.get<std::string>());
  return names;
}

std::string supported() {
  std::string text;
  for (const Family& family : families().items())
    text +=
        fmt::format("{}{} ({})", text.empty() ? "" : ", ", family.name, fmt::join(family.architectures, " "));
  return text;
}

const Family& family_for(const nlohmann::json& config) {
  const ConfigKeys keys(config, "config.json");
  const std::string model_type = keys.text("model_type", "");
  const std::vector<std::string> architectures = architectures_of(config);
  if (model_type.empty() && architectures.empty())
    fail(
        "config.json: the essential keys 'model_type' and 'architectures' are both missing, so the model's "
        "family is "
        "unknown");
  for (const Family& family : families().items())
    if (holds(family.model_types, model_type)) return family;
  if (model_type.empty())
    for (const Family& family : families().items())
      for (const std::string& architecture : architectures)
        if (holds(family.architectures, architecture)) return family;
  fail("config.json: the architecture {} (model_type '{}') is not supported; these are: {}",
       architectures.empty() ? "(none named)" : architectures.front(), model_type, supported());
}

// A recipe may read one tensor several times (a fused q, k, v); each tensor of the files must be read or
// ignored.
void check_leftovers(const FamilyReading& reading, const TensorShapes& tensors, const std::string& family) {
  std::set<std::string> known(reading.ignored.begin(), reading.ignored.end());
  for (const auto& [canonical, take] : reading.recipe) known.insert(take.source);
  std::vector<std::string> leftover;
  for (const auto& [name, shape] : tensors)
    if (!known.contains(name)) leftover.push_back(name);
  if (!leftover.empty())
    fail(
        "{} tensor{} the {} family does not know: {}. A part of this model would be left out; is the config "
        "from "
        "another model?",
        leftover.size(), leftover.size() == 1 ? "" : "s", family, show_names(leftover));
}

}  // namespace

const FamilyCatalog& families() {
  static const FamilyCatalog all = [] {
    FamilyCatalog catalog("family");
    add_all_families(catalog);
    return catalog;
  }();
  return all;
}

FamilyReading read_family(const nlohmann::json& config, const TensorShapes& tensors) {
  if (!config.is_object()) fail("config.json: expected a JSON object");
  if (config.contains("quantization_config") && !config["quantization_config"].is_null())
    fail(
        "config.json: the weights are quantized (quantization_config), which is not supported; use the "
        "original "
        "weights");
  const Family& family = family_for(config);
  FamilyReading reading = family.read(config, tensors);
  const std::vector<std::string> architectures = architectures_of(config);
  reading.spec.family = family.name;
  reading.spec.architecture = architectures.empty() ? family.architectures.front() : architectures.front();
  check_leftovers(reading, tensors, family.name);
  check(reading.spec);
  return reading;
}

}  // namespace varve
