// Tokens that are cut out of a text by their spelling before anything else looks at it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace varve {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = false;   // looked for in the normalized text
};

struct Stretch {
  size_t begin = 0, end = 0;
  int32_t id = -1;  // -1: text that still has to be encoded
};

// Finds the longest of its tokens at the leftmost place, again and again.
class TokenFinder {
 public:
  void add(const AddedToken& token);  // content must not be empty
  std::vector<Stretch> cut(std::string_view text) const;

 private:
  struct Found {
    size_t end = 0;
    int32_t token = -1;
  };
  Found longest_at(std::string_view text, size_t begin) const;

  std::vector<AddedToken> tokens_;
  std::vector<int32_t> ending_{-1};                 // of each node of the prefix tree: its token, or -1
  std::unordered_map<uint64_t, int32_t> children_;  // node * 256 + byte -> node
};

}  // namespace varve
