// What the family readers share: config keys with defaults, rope and window settings, and a plan of which
// tensor becomes what.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loaders/family.h"

namespace varve {

// Keys of config.json. A key that is null counts as absent, as in transformers.
class ConfigKeys {
 public:
  ConfigKeys(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}
  bool has(const std::string& key) const;
  bool given_as_null(const std::string& key) const;
  const nlohmann::json* find(const std::string& key) const;  // nullptr where absent or null
  int64_t size(const std::string& key) const;                // essential; 1 to 2^31 - 1
  int64_t size(const std::string& key, int64_t otherwise) const;
  double real(const std::string& key) const;  // essential, finite
  double real(const std::string& key, double otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;

 private:
  const nlohmann::json& need(const std::string& key) const;
  const nlohmann::json& object_;
  std::string where_;  // "config.json", "config.json rope_scaling"
};

// A number of layers that a model could have: lists with an entry for each can be made from it.
int64_t layer_count(const ConfigKeys& config, const std::string& key);
// Throws Error naming the value and those that are supported.
Activation activation_from(const std::string& name);
// rope_theta and rope_scaling (keys `type` or `rope_type`), or the newer rope_parameters. dims is left to the
// family; context is max_position_embeddings.
Rope read_rope(const ConfigKeys& config, double default_theta, int64_t context);
// partial_rotary_factor of d_head, from either place; part 0: only whole heads are supported.
int64_t rotary_dims(const ConfigKeys& config, int64_t d_head, double part);
// Dynamic scaling is there for prompts beyond max_position_embeddings: up to factor times as many.
int64_t usable_context(const Rope& rope, int64_t context);

// sliding_window: null and 0 mean none, absent means the class's default (0: none).
std::optional<int64_t> sliding_window(const ConfigKeys& config, int64_t otherwise);
// A window for each layer, by layer_types where the config has them, else by `slides`; empty where all
// attention is whole.
std::vector<int64_t> windows_of(const ConfigKeys& config, int64_t layers, std::optional<int64_t> window,
                                const std::function<bool(int64_t layer)>& slides);
// Throws Error where the config asks for something this family's reader does not do.
void refuse_if_set(const ConfigKeys& config, const std::string& key, const std::string& what);

// Collects the recipe; finish() names what is missing.
class TensorPlan {
 public:
  TensorPlan(const TensorShapes& tensors, TensorRecipe& recipe, std::string family)
      : tensors_(tensors), recipe_(recipe), family_(std::move(family)) {}
  bool has(const std::string& source) const { return tensors_.contains(source); }
  // The source as it is; `shape` is what both the file and the result must have.
  void whole(const std::string& canonical, const std::string& source, const std::vector<int64_t>& shape);
  // A source stored [in, out]; `shape` is the result's [out, in].
  void transposed(const std::string& canonical, const std::string& source, const std::vector<int64_t>& shape);
  // Anything else: `found` is what the file must have.
  void take(const std::string& canonical, const std::vector<int64_t>& found, TensorTake how);
  void finish() const;
  // finish() early once so much is missing that a config claiming a million layers would only list more of
  // it.
  void stop_if_hopeless() const;

 private:
  const TensorShapes& tensors_;
  TensorRecipe& recipe_;
  std::string family_;
  std::set<std::string> missing_;
};

std::string show_shape(const std::vector<int64_t>& shape);  // "[64, 192]"
// "a, b, c, d, e and 12 more"
std::string show_names(const std::vector<std::string>& names);

}  // namespace varve
