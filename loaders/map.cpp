// Reads a mapping, checks each step against the shapes there are, and makes spec and recipe of it.
#include "loaders/map.h"

#include <algorithm>
#include <optional>
#include <set>

#include <toml++/toml.h>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "loaders/canonical.h"
#include "loaders/family_reader.h"
#include "loaders/map_steps.h"

namespace varve {
namespace {

using nlohmann::json;

constexpr int64_t map_limit = 4'000'000;
constexpr const char* template_hint = "varve import --map-template DIR writes a first draft of a map";

json to_json(const toml::node& node) {
  if (const toml::table* table = node.as_table()) {
    json out = json::object();
    for (const auto& [key, value] : *table) out[std::string(key.str())] = to_json(value);
    return out;
  }
  if (const toml::array* array = node.as_array()) {
    json out = json::array();
    for (const toml::node& value : *array) out.push_back(to_json(value));
    return out;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  fail("line {}: dates and times mean nothing here", node.source().begin.line);
}

json parsed(const NetworkMap& map) {
  try {
    return to_json(toml::parse(map.text, map.where));
  } catch (const toml::parse_error& error) {
    fail("line {}: {}", error.source().begin.line, error.description());
  }
}

void check_known(const json& table, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : table.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail("{} has no key '{}'; did you mean '{}'?", where, key, nearest(key, known));
}

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

bool maps_any(const json& tensors, const std::string& ending) {
  for (const auto& [name, how] : tensors.items())
    if (name.ends_with(ending)) return true;
  return false;
}

// As many layers as the source has numbers for, from 0 on, under any of the patterns.
int64_t layers_found(const json& tensors, const TensorShapes& shapes) {
  int64_t layers = 0;
  for (const auto& [name, how] : tensors.items()) {
    const json& from = how.is_object() && how.contains("from") ? how["from"] : how;
    if (!from.is_string() || from.get<std::string>().find("{layer}") == std::string::npos) continue;
    int64_t count = 0;
    while (any_source(with_number(from.get<std::string>(), "layer", count), shapes)) ++count;
    layers = std::max(layers, count);
  }
  return layers;
}

// What the tensors say and what nobody would want to spell out; then the map's own words.
ModelSpec spec_of(const json& model, const json& tensors, const TensorShapes& shapes) {
  const json usual = json::parse(varve::to_json(ModelSpec{}));
  std::vector<std::string> known = keys_of(usual);
  known.push_back("name");
  check_known(model, known, "[model]");
  if (model.contains("rope")) {
    if (!model["rope"].is_object()) fail("[model] rope is not a table");
    check_known(model["rope"], keys_of(usual["rope"]), "[model.rope]");
  }
  json spec = usual;
  const auto said = [&model](const char* key, const json& otherwise) { return model.value(key, otherwise); };
  const bool attention = said("attention", true) == true, mlp = said("mlp", true) == true;
  for (const char* key : {"d_model", "vocab", "heads", "d_mlp"}) {
    const bool needed = std::string(key) == "heads" ? attention : std::string(key) == "d_mlp" ? mlp : true;
    if (needed && !model.contains(key)) fail("[model] needs '{}'; {}", key, template_hint);
    spec[key] = said(key, 1);
  }
  for (const char* key : {"d_model", "heads", "vocab", "d_mlp"})
    if (!spec[key].is_number_integer() || spec[key] < 1)
      fail("[model] {} is {}, expected a whole number from 1 on", key, spec[key].dump());
  if (attention && !model.contains("d_head") &&
      spec["d_model"].get<int64_t>() % spec["heads"].get<int64_t>() != 0)
    fail("[model] d_model {} is no multiple of heads {}; say d_head", spec["d_model"].dump(),
         spec["heads"].dump());
  spec["d_head"] = std::max<int64_t>(1, spec["d_model"].get<int64_t>() / spec["heads"].get<int64_t>());
  spec["kv_heads"] = spec["heads"];
  spec["positions"] = "none";
  spec["norm_has_gain"] = maps_any(tensors, "ln1.w") || maps_any(tensors, "ln2.w") ||
                          maps_any(tensors, "ln_final.w") || maps_any(tensors, "_post.w");
  spec["norm_has_bias"] = maps_any(tensors, "ln1.b") || maps_any(tensors, "ln2.b") ||
                          maps_any(tensors, "ln_final.b") || maps_any(tensors, "_post.b");
  spec["pre_norm"] = said("norm", "layer") != "none" && said("norm_after_sum", false) != true;
  spec["context"] = 1 << 20;  // nothing says so where positions are not looked up
  if (said("positions", "none") == "learned" && !model.contains("context"))
    fail("[model] needs 'context', the number of learned positions; {}", template_hint);
  const int64_t layers = layers_found(tensors, shapes);
  if (layers == 0 && !model.contains("layers"))
    fail("no tensor fits a pattern with {{layer}}, and [model] does not say how many layers there are");
  spec["layers"] = std::max<int64_t>(1, layers);
  for (const auto& [key, value] : model.items())
    if (key != "name" && key != "rope") spec[key] = value;
  spec["rope"]["dims"] = spec["d_head"];
  if (model.contains("rope"))
    for (const auto& [key, value] : model["rope"].items()) spec["rope"][key] = value;
  spec["family"] = "map";
  spec["architecture"] =
      model.contains("name") && model["name"].is_string() ? model["name"] : json("home-made network");
  return spec_from_json(spec.dump());
}

struct Rule {
  std::string pattern;  // canonical, with {layer} and {expert}
  MapSteps steps;
};

std::vector<Rule> rules_of(const json& tensors, const ModelSpec& spec) {
  std::vector<Rule> rules;
  for (const auto& [name, how] : tensors.items()) rules.push_back({name, read_steps(name, how, spec)});
  return rules;
}

// Every canonical tensor the rule speaks of, planned; false where its source is absent and may be.
void plan_rule(const Rule& rule, const ModelSpec& spec, const TensorShapes& shapes,
               const std::map<std::string, CanonicalTensor>& canonical, TensorRecipe& recipe) {
  const bool by_layer = rule.pattern.find("{layer}") != std::string::npos;
  const bool by_expert = rule.pattern.find("{expert}") != std::string::npos;
  bool known = false;
  for (int64_t layer = 0; layer < (by_layer ? spec.layers : 1); ++layer)
    for (int64_t expert = 0; expert < (by_expert ? spec.experts : 1); ++expert) {
      const auto filled = [&](const std::string& pattern) {
        return with_number(with_number(pattern, "layer", layer), "expert", expert);
      };
      const auto found = canonical.find(filled(rule.pattern));
      if (found == canonical.end()) continue;
      known = true;
      MapSteps steps = rule.steps;
      steps.from = filled(steps.from);
      add_take(found->first, steps, found->second, spec, shapes, recipe);
    }
  if (known) return;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : canonical) names.push_back(name);
  const std::string example = with_number(with_number(rule.pattern, "layer", 0), "expert", 0);
  fail("'{}' is no tensor of the model that [model] describes; did you mean '{}'?", rule.pattern,
       nearest(example, names));
}

void check_whole(const TensorRecipe& recipe, const std::map<std::string, CanonicalTensor>& canonical) {
  const bool one_hot = recipe.contains("embed.W_in");
  std::vector<std::string> missing;
  for (const auto& [name, tensor] : canonical) {
    const bool there =
        recipe.contains(name) || recipe.contains(name + "#0.0") || recipe.contains(name + "#1.0");
    if (tensor.required && !there && !(name == "embed.W_E" && one_hot))
      missing.push_back(fmt::format("{} {}", name, show_shape(tensor.shape)));
  }
  if (!missing.empty())
    fail(
        "{} tensor{} of the model {} not mapped: {}. Add {} to [tensors], or say in [model] that the network "
        "has "
        "none (norm, final_norm, tied, mlp, attention)",
        missing.size(), missing.size() == 1 ? "" : "s", missing.size() == 1 ? "is" : "are",
        show_names(missing), missing.size() == 1 ? "it" : "them");
}

void check_leftovers(const FamilyReading& reading, const TensorShapes& shapes) {
  std::set<std::string> used(reading.ignored.begin(), reading.ignored.end());
  for (const auto& [name, take] : reading.recipe) used.insert(take.source);
  std::vector<std::string> leftover;
  for (const auto& [name, shape] : shapes)
    if (!used.contains(name)) leftover.push_back(fmt::format("{} {}", name, show_shape(shape)));
  if (!leftover.empty())
    fail(
        "{} tensor{} of the file {} not mapped: {}. Map {}, or list {} under ignore if nothing computes with "
        "{}",
        leftover.size(), leftover.size() == 1 ? "" : "s", leftover.size() == 1 ? "is" : "are",
        show_names(leftover), leftover.size() == 1 ? "it" : "them", leftover.size() == 1 ? "it" : "them",
        leftover.size() == 1 ? "it" : "them");
}

FamilyReading read_all(const NetworkMap& map, const TensorShapes& shapes) {
  const json root = parsed(map);
  check_known(root, {"ignore", "model", "tensors"}, "the map");
  for (const char* part : {"model", "tensors"})
    if (!root.contains(part) || !root[part].is_object()) fail("there is no [{}]; {}", part, template_hint);
  FamilyReading reading;
  for (const json& glob : root.value("ignore", json::array())) {
    if (!glob.is_string()) fail("'ignore' must be a list of tensor names or globs, not {}", glob.dump());
    for (const auto& [name, shape] : shapes)
      if (glob_match(glob.get<std::string>(), name)) reading.ignored.push_back(name);
  }
  reading.spec = spec_of(root["model"], root["tensors"], shapes);
  const std::map<std::string, CanonicalTensor> canonical = canonical_tensors(reading.spec);
  for (const Rule& rule : rules_of(root["tensors"], reading.spec))
    plan_rule(rule, reading.spec, shapes, canonical, reading.recipe);
  check_whole(reading.recipe, canonical);
  check_leftovers(reading, shapes);
  return reading;
}

}  // namespace

NetworkMap read_map(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    fail("{}: there is no such map; {}", file.string(), template_hint);
  return {read_file(file, map_limit), file.string()};
}

FamilyReading read_mapped(const NetworkMap& map, const TensorShapes& tensors) {
  try {
    return read_all(map, tensors);
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}: {}", map.where, error.what()));
  } catch (const json::exception& error) {
    fail("{}: {}", map.where, error.what());
  }
}

}  // namespace varve
