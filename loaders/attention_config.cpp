// Rotary positions and sliding windows as config.json spells them, in its older and newer forms.
#include <algorithm>
#include <cmath>

#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

double positive(const std::string& key, const std::string& place, double value) {
  if (!(value > 0)) fail("config.json: {} {} is {}, expected a positive number", place, key, value);
  return value;
}

double yarn_amplitude(double factor, double scale) {
  return factor > 1 ? 0.1 * scale * std::log(factor) + 1 : 1;
}

// Peng et al. 2023; the factor may be left to the two context lengths, and DeepSeek's pair of scales replaces
// the paper's amplitude.
void read_yarn(Rope& rope, const ConfigKeys& keys, const std::string& place, int64_t context) {
  rope.scaling = RopeScaling::yarn;
  rope.original_context = static_cast<double>(keys.size("original_max_position_embeddings", context));
  rope.factor = positive("factor", place,
                         keys.has("original_max_position_embeddings")
                             ? keys.real("factor", static_cast<double>(context) / rope.original_context)
                             : keys.real("factor"));
  rope.beta_fast = positive("beta_fast", place, keys.real("beta_fast", 32));
  rope.beta_slow = positive("beta_slow", place, keys.real("beta_slow", 1));
  rope.truncate = keys.flag("truncate", true);
  const double scale = keys.real("mscale", 0), whole_scale = keys.real("mscale_all_dim", 0);
  const double usual = scale != 0 && whole_scale != 0
                           ? yarn_amplitude(rope.factor, scale) / yarn_amplitude(rope.factor, whole_scale)
                           : yarn_amplitude(rope.factor, 1);
  rope.attention_factor = positive("attention_factor", place, keys.real("attention_factor", usual));
}

void read_llama3(Rope& rope, const ConfigKeys& keys, const std::string& place) {
  rope.scaling = RopeScaling::llama3;
  rope.factor = positive("factor", place, keys.real("factor"));
  rope.low_freq_factor = keys.real("low_freq_factor");
  rope.high_freq_factor = keys.real("high_freq_factor");
  rope.original_context = static_cast<double>(keys.size("original_max_position_embeddings"));
  if (rope.low_freq_factor <= 0 || rope.high_freq_factor <= rope.low_freq_factor)
    fail("config.json: {} needs 0 < low_freq_factor < high_freq_factor, found {} and {}", place,
         rope.low_freq_factor, rope.high_freq_factor);
}

void read_scaling(Rope& rope, const ConfigKeys& keys, const std::string& place, const std::string& type,
                  int64_t context) {
  if (keys.has("mrope_section"))
    fail("config.json: {} has an mrope_section; rotary positions in several axes are not supported", place);
  if (type == "default") return;
  if (type == "linear") {
    rope.scaling = RopeScaling::linear;
    rope.factor = positive("factor", place, keys.real("factor"));
  } else if (type == "dynamic") {
    // transformers measures from max_position_embeddings, whatever original_max_position_embeddings says.
    rope.scaling = RopeScaling::dynamic;
    rope.factor = positive("factor", place, keys.real("factor"));
    rope.original_context = static_cast<double>(context);
  } else if (type == "llama3") {
    read_llama3(rope, keys, place);
  } else if (type == "yarn") {
    read_yarn(rope, keys, place, context);
  } else {
    fail("config.json: {} of type '{}' is not supported; default, linear, dynamic, llama3 and yarn are",
         place, type);
  }
}

}  // namespace

Rope read_rope(const ConfigKeys& config, double default_theta, int64_t context) {
  Rope rope;
  rope.theta = config.real("rope_theta", default_theta);
  const bool newer = config.has("rope_parameters");
  const std::string place = newer ? "rope_parameters" : "rope_scaling";
  const nlohmann::json* scaling = config.find(place);
  if (scaling && !scaling->is_object())
    fail("config.json: '{}' is {}, expected an object", place, scaling->dump().substr(0, 80));
  if (scaling) {
    for (const auto& [key, value] : scaling->items())
      if (value.is_object())
        fail(
            "config.json: {} has settings of its own for '{}'; rotary positions that differ between layers "
            "are not supported",
            place, key);
    const ConfigKeys keys(*scaling, "config.json: " + place);
    rope.theta = keys.real("rope_theta", rope.theta);
    read_scaling(rope, keys, place, keys.text("rope_type", keys.text("type", newer ? "default" : "")),
                 context);
  }
  if (rope.theta <= 0) fail("config.json: rope_theta is {}, expected a positive number", rope.theta);
  return rope;
}

int64_t rotary_dims(const ConfigKeys& config, int64_t d_head, double part) {
  double wanted = config.real("partial_rotary_factor", part > 0 ? part : 1);
  if (const nlohmann::json* newer = config.find("rope_parameters"))
    wanted = ConfigKeys(*newer, "config.json: rope_parameters").real("partial_rotary_factor", wanted);
  if (part <= 0 && wanted != 1)
    fail("config.json: partial_rotary_factor is {}; this family rotates whole heads only", wanted);
  if (!(wanted > 0) || wanted > 1)
    fail("config.json: partial_rotary_factor is {}, expected more than 0 and at most 1", wanted);
  return static_cast<int64_t>(static_cast<double>(d_head) * wanted);
}

int64_t usable_context(const Rope& rope, int64_t context) {
  constexpr double longest = 1e9;
  if (rope.scaling != RopeScaling::dynamic || rope.factor <= 1) return context;
  return static_cast<int64_t>(std::min(longest, static_cast<double>(context) * rope.factor));
}

std::optional<int64_t> sliding_window(const ConfigKeys& config, int64_t otherwise) {
  const nlohmann::json* found = config.find("sliding_window");
  const bool none = found ? found->is_number_integer() && *found == 0
                          : otherwise == 0 || config.given_as_null("sliding_window");
  if (none) return std::nullopt;
  return config.size("sliding_window", otherwise);
}

std::vector<int64_t> windows_of(const ConfigKeys& config, int64_t layers, std::optional<int64_t> window,
                                const std::function<bool(int64_t layer)>& slides) {
  std::vector<int64_t> windows(static_cast<size_t>(layers), 0);
  const nlohmann::json* types = config.find("layer_types");
  if (types && (!types->is_array() || static_cast<int64_t>(types->size()) != layers))
    fail("config.json: 'layer_types' must be a list with one entry for each of the {} layers", layers);
  for (size_t layer = 0; layer < windows.size(); ++layer) {
    bool slide = window && slides(static_cast<int64_t>(layer));
    if (types) {
      const nlohmann::json& type = (*types)[layer];
      if (type != "sliding_attention" && type != "full_attention")
        fail(
            "config.json: layer_types has {} for layer {}; sliding_attention and full_attention are "
            "supported",
            type.dump().substr(0, 80), layer);
      slide = type == "sliding_attention";
      if (slide && !window)
        fail(
            "config.json: layer_types asks for sliding_attention in layer {} but no sliding_window is in use",
            layer);
    }
    if (slide) windows[layer] = *window;
  }
  if (std::all_of(windows.begin(), windows.end(), [](int64_t one) { return one == 0; })) return {};
  return windows;
}

void refuse_if_set(const ConfigKeys& config, const std::string& key, const std::string& what) {
  if (config.flag(key, false)) fail("config.json: {} is set; {} is not supported", key, what);
}

}  // namespace varve
