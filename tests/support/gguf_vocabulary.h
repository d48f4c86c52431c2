// The token and merge lists out of a GGUF v3 file, for tests; everything else in the file is stepped over.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace varve::support {

// GGUF v3, little endian: 1. magic "GGUF", version u32, tensor count u64, entry count u64; 2. entries of key
// (u64 length, bytes), type u32, value; a text is u64 length and bytes, a list is type u32, u64 count,
// values.
class GgufReader {
 public:
  explicit GgufReader(std::string_view bytes) : bytes_(bytes) {}

  std::map<std::string, std::vector<std::string>> text_lists() {
    if (take(4) != "GGUF" || number<uint32_t>() != 3) throw std::runtime_error("not GGUF v3");
    number<uint64_t>();
    const auto entries = number<uint64_t>();
    std::map<std::string, std::vector<std::string>> lists;
    for (uint64_t i = 0; i < entries; ++i) {
      const std::string key(text());
      const auto type = number<uint32_t>();
      if (type != list_type) {
        skip(type);
        continue;
      }
      const auto member = number<uint32_t>();
      const auto count = number<uint64_t>();
      for (uint64_t k = 0; k < count; ++k) {
        if (member == text_type) {
          lists[key].emplace_back(text());
        } else {
          skip(member);
        }
      }
    }
    return lists;
  }

 private:
  static constexpr uint32_t text_type = 8, list_type = 9;

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) throw std::runtime_error("GGUF file ends early");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number<uint64_t>()); }
  void skip(uint32_t type) {
    constexpr uint64_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == text_type) {
      text();
    } else if (type < std::size(sizes) && sizes[type] > 0) {
      take(sizes[type]);
    } else {
      throw std::runtime_error("GGUF value of unknown type");
    }
  }

  std::string_view bytes_;
  uint64_t at_ = 0;
};

}  // namespace varve::support
