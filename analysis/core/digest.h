// Content digests: 128-bit xxHash as 32 hex digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace varve {

class Digest {
 public:
  Digest();
  ~Digest();
  void add(const void* bytes, size_t count);
  void add(std::string_view text);  // its length first, so that "ab","c" differs from "a","bc"
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest_of(const void* bytes, size_t count);

}  // namespace varve
