// A pickle's bytes, taken from front to back; taking more than there are is an Error that says where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/core/error.h"

namespace varve {

class PickleBytes {
 public:
  // Both must outlive it.
  PickleBytes(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  template <class... Args>
  [[noreturn]] void broken(fmt::format_string<Args...> text, Args&&... args) const {
    fail("{}: the pickle is damaged at byte {}: {}", where_, opcode_at_,
         fmt::format(text, std::forward<Args>(args)...));
  }
  std::string place() const { return fmt::format("{}: pickle byte {}", where_, opcode_at_); }
  size_t taken() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

  char take_opcode() {
    opcode_at_ = at_;
    if (left() == 0) broken("it ends without STOP; was the file cut short?");
    return bytes_[at_++];
  }
  std::string_view take_bytes(uint64_t count) {
    if (count > left())
      broken("it promises {} bytes where {} are left; was the file cut short?", count, left());
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  uint64_t take_number(int size) {  // least byte first
    uint64_t value = 0;
    const std::string_view raw = take_bytes(static_cast<uint64_t>(size));
    for (size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return value;
  }
  std::string_view take_line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) broken("a line does not end");
    const std::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

 private:
  std::string_view bytes_;
  const std::string& where_;
  size_t at_ = 0, opcode_at_ = 0;
};

}  // namespace varve
