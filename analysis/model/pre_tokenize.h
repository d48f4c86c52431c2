// The words of a stretch of text, in the order of a tokenizer file's pre_tokenizer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/model/text_split.h"
#include "analysis/model/tokenizer_file.h"

namespace varve {

// A stretch of text on its way to become a word; a space put before it has no place of its own.
struct Piece {
  std::string_view text;
  int64_t begin = 0;
  int64_t prefix = 0;  // bytes of `text` that are not from the text

  int64_t place(int64_t i) const { return begin + std::max<int64_t>(0, i - prefix); }
  Piece part(const Cut& cut) const;
};

class PreTokenizer {
 public:
  explicit PreTokenizer(const TokenizerFile& file);
  // Prefixed copies are kept in `store`, which must outlive the pieces.
  std::vector<Piece> words(const Piece& whole, std::deque<std::string>& store) const;

 private:
  std::vector<Splitter> before_;      // Split and Digits, in order
  std::vector<Splitter> byte_level_;  // ByteLevel's own pattern, or none
  bool add_prefix_space_ = false;
};

}  // namespace varve
