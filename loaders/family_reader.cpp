// Config keys with defaults, and a plan of which tensor becomes what.
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

int64_t layer_count(const ConfigKeys& config, const std::string& key) {
  constexpr int64_t most = 100'000;
  const int64_t layers = config.size(key);
  if (layers > most) fail("config.json: '{}' is {}; at most {} layers are read", key, layers, most);
  return layers;
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
