// JSON as every verb prints it: two spaces, and no invalid UTF-8 whatever the input held.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace varve {

using Json = nlohmann::ordered_json;

inline std::string json_text(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace varve
