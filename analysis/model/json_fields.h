// Fields of a hostile JSON object read with their path in every complaint; for tokenizer files.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace varve {

// One object of the file and the path by which complaints name it ("model.vocab").
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string path);  // throws where it is no object

  const nlohmann::json* find(std::string_view key) const;  // null and absent are the same: nullptr
  bool flag(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key, std::string_view otherwise) const;
  Fields object(std::string_view key) const;
  const nlohmann::json& array(std::string_view key) const;
  std::string path(std::string_view key) const;

 private:
  const nlohmann::json& object_;
  std::string path_;
};

int32_t read_id(const nlohmann::json& value, const std::string& path);  // 0 to 2^31 - 1
[[noreturn]] void wrong_type(const std::string& path, const nlohmann::json& found, std::string_view wanted);

}  // namespace varve
