// What the family readers share: config keys with defaults, rope settings, and a plan of which tensor becomes
// what.
#include "loaders/family_reader.h"

#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr size_t names_shown = 5;

int64_t checked_size(const nlohmann::json& value, const std::string& key, const std::string& where) {
  if (!value.is_number_integer() || value.get<double>() < 1 ||
      value.get<double>() > std::numeric_limits<int32_t>::max())
    fail("{}: '{}' is {}, expected a whole number from 1 to 2147483647", where, key,
         value.dump().substr(0, 80));
  return value.get<int64_t>();
}

double checked_real(const nlohmann::json& value, const std::string& key, const std::string& where) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    fail("{}: '{}' is {}, expected a number", where, key, value.dump().substr(0, 80));
  return value.get<double>();
}

}  // namespace

const nlohmann::json* ConfigKeys::find(const std::string& key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigKeys::has(const std::string& key) const { return find(key) != nullptr; }

bool ConfigKeys::given_as_null(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && found->is_null();
}

const nlohmann::json& ConfigKeys::need(const std::string& key) const {
  const nlohmann::json* value = find(key);
  if (!value) fail("{}: the essential key '{}' is missing; is the file complete?", where_, key);
  return *value;
}

int64_t ConfigKeys::size(const std::string& key) const { return checked_size(need(key), key, where_); }

int64_t ConfigKeys::size(const std::string& key, int64_t otherwise) const {
  const nlohmann::json* value = find(key);
  return value ? checked_size(*value, key, where_) : otherwise;
}

double ConfigKeys::real(const std::string& key) const { return checked_real(need(key), key, where_); }

double ConfigKeys::real(const std::string& key, double otherwise) const {
  const nlohmann::json* value = find(key);
  return value ? checked_real(*value, key, where_) : otherwise;
}

bool ConfigKeys::flag(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = find(key);
  if (!value) return otherwise;
  if (!value->is_boolean())
    fail("{}: '{}' is {}, expected true or false", where_, key, value->dump().substr(0, 80));
  return value->get<bool>();
}

std::string ConfigKeys::text(const std::string& key, const std::string& otherwise) const {
  const nlohmann::json* value = find(key);
  if (!value) return otherwise;
  if (!value->is_string()) fail("{}: '{}' is {}, expected text", where_, key, value->dump().substr(0, 80));
  return value->get<std::string>();
}

Activation activation_from(const std::string& name) {
  if (name == "gelu") return Activation::gelu;
  // Three spellings of one tanh formula; gelu_fast writes sqrt(2/pi) as a decimal of ten digits.
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") return Activation::gelu_tanh;
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "relu") return Activation::relu;
  if (name == "quick_gelu") return Activation::quick_gelu;
  fail(
      "config.json: the activation '{}' is not supported; gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, "
      "silu, swish, "
      "relu and quick_gelu are",
      name);
}

Rope read_rope(const ConfigKeys& config, double default_theta, int64_t context) {
  Rope rope;
  rope.theta = config.real("rope_theta", default_theta);
  const bool newer = config.has("rope_parameters");
  const std::string place = newer ? "rope_parameters" : "rope_scaling";
  const nlohmann::json* scaling = config.find(place);
  if (scaling && !scaling->is_object())
    fail("config.json: '{}' is {}, expected an object", place, scaling->dump().substr(0, 80));
  if (scaling) {
    const ConfigKeys keys(*scaling, "config.json: " + place);
    rope.theta = keys.real("rope_theta", rope.theta);
    const std::string type = keys.text("rope_type", keys.text("type", newer ? "default" : ""));
    if (type == "linear" || type == "dynamic" || type == "llama3") {
      rope.factor = keys.real("factor");
      if (rope.factor <= 0)
        fail("config.json: {} factor is {}, expected a positive number", place, rope.factor);
    }
    if (type == "linear") {
      rope.scaling = RopeScaling::linear;
    } else if (type == "dynamic") {
      rope.scaling = RopeScaling::dynamic;
      rope.original_context = static_cast<double>(keys.size("original_max_position_embeddings", context));
    } else if (type == "llama3") {
      rope.scaling = RopeScaling::llama3;
      rope.low_freq_factor = keys.real("low_freq_factor");
      rope.high_freq_factor = keys.real("high_freq_factor");
      rope.original_context = static_cast<double>(keys.size("original_max_position_embeddings"));
      if (rope.low_freq_factor <= 0 || rope.high_freq_factor <= rope.low_freq_factor)
        fail("config.json: {} needs 0 < low_freq_factor < high_freq_factor, found {} and {}", place,
             rope.low_freq_factor, rope.high_freq_factor);
    } else if (type != "default") {
      fail("config.json: {} of type '{}' is not supported; default, linear, dynamic and llama3 are", place,
           type);
    }
  }
  if (rope.theta <= 0) fail("config.json: rope_theta is {}, expected a positive number", rope.theta);
  return rope;
}

void TensorPlan::take(const std::string& canonical, const std::vector<int64_t>& found, TensorTake how) {
  const auto tensor = tensors_.find(how.source);
  if (tensor == tensors_.end()) {
    missing_.insert(how.source);
    return;
  }
  if (tensor->second != found)
    fail("tensor '{}' is {} but the {} family expects {} from the config. Is the config from another model?",
         how.source, show_shape(tensor->second), family_, show_shape(found));
  recipe_[canonical] = std::move(how);
}

void TensorPlan::whole(const std::string& canonical, const std::string& source,
                       const std::vector<int64_t>& shape) {
  TensorTake how;
  how.source = source;
  how.shape = shape;
  take(canonical, shape, std::move(how));
}

void TensorPlan::transposed(const std::string& canonical, const std::string& source,
                            const std::vector<int64_t>& shape) {
  TensorTake how;
  how.source = source;
  how.permute = {1, 0};
  how.shape = shape;
  take(canonical, {shape[1], shape[0]}, std::move(how));
}

void TensorPlan::finish() const {
  if (missing_.empty()) return;
  fail(
      "{} tensor{} that the {} family needs {} missing: {}. Is a shard left out, or the config from another "
      "model?",
      missing_.size(), missing_.size() == 1 ? "" : "s", family_, missing_.size() == 1 ? "is" : "are",
      show_names({missing_.begin(), missing_.end()}));
}

void TensorPlan::stop_if_hopeless() const {
  constexpr size_t hopeless = 1000;
  if (missing_.size() >= hopeless) finish();
}

std::string show_shape(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string show_names(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), names_shown);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace varve
