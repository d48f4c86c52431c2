// Typed access to JSON that names the key in every complaint.
#include "analysis/model/json_fields.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "analysis/core/error.h"

namespace varve {

using nlohmann::json;

void wrong_type(const std::string& path, const json& found, std::string_view wanted) {
  fail("tokenizer.json: {} should be {} but is {}. Is the file whole?", path, wanted, found.type_name());
}

int32_t read_id(const json& value, const std::string& path) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (!value.is_number_integer()) wrong_type(path, value, "a whole number");
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= static_cast<uint64_t>(most)
                                               : value.get<int64_t>() >= 0;
  if (!fits)
    fail("tokenizer.json: {} is {}; ids go from 0 to {}. Is the file whole?", path, value.dump(), most);
  return value.get<int32_t>();
}

Fields::Fields(const json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object()) wrong_type(path_.empty() ? "the file" : path_, object, "an object");
}

std::string Fields::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const json* Fields::find(std::string_view key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool Fields::flag(std::string_view key, bool otherwise) const {
  const json* found = find(key);
  if (!found) return otherwise;
  if (!found->is_boolean()) wrong_type(path(key), *found, "true or false");
  return found->get<bool>();
}

std::string Fields::text(std::string_view key, std::string_view otherwise) const {
  const json* found = find(key);
  if (!found) return std::string(otherwise);
  if (!found->is_string()) wrong_type(path(key), *found, "a text");
  return found->get<std::string>();
}

Fields Fields::object(std::string_view key) const {
  const json* found = find(key);
  if (!found) fail("tokenizer.json: {} is missing. Is the file whole?", path(key));
  return {*found, path(key)};
}

const json& Fields::array(std::string_view key) const {
  const json* found = find(key);
  if (!found) fail("tokenizer.json: {} is missing. Is the file whole?", path(key));
  if (!found->is_array()) wrong_type(path(key), *found, "a list");
  return *found;
}

}  // namespace varve
