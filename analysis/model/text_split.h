// Cutting text into words by the regular expressions of a tokenizer file (written for Oniguruma, run by
// PCRE2).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

// What becomes of a match: a word of its own, dropped, or joined to a neighbour.
enum class Delimiter { isolated, removed, merged_with_previous, merged_with_next, contiguous };

struct SplitRule {
  std::string pattern;
  bool literal = false;  // the pattern is plain text
  Delimiter delimiter = Delimiter::isolated;
  bool invert = false;  // what does not match is the delimiter
};

struct Cut {
  size_t begin = 0, end = 0;
};

class Splitter {
 public:
  explicit Splitter(const SplitRule& rule);  // throws Error naming the pattern and the place in it
  ~Splitter();
  Splitter(Splitter&&) noexcept;
  std::vector<Cut> split(std::string_view text) const;  // stray bytes are cuts of their own

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

// The same set of matches in PCRE2's syntax; what the two read differently is an Error.
std::string pcre2_pattern(const std::string& oniguruma);

extern const char* const gpt2_pattern;  // what ByteLevel uses where use_regex is true

}  // namespace varve
