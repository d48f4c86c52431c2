// Byte-pair encoding of one word: the pair of lowest rank is joined, leftmost first, until none is left.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace varve {

struct BytePiece {
  int32_t id = 0;
  int32_t length = 0;  // bytes of the word
};

struct Merge {
  int32_t left = 0, right = 0, merged = 0;
};

struct BpeTables {
  std::array<int32_t, 256> byte_ids{};             // -1: the byte has no token
  std::vector<Merge> merges;                       // in order of rank
  std::unordered_map<std::string, int32_t> whole;  // words taken before any merge (ignore_merges)
  int32_t unknown_id = -1;                         // for bytes without a token; -1: such a byte is an Error
  bool fuse_unknown = false;                       // neighbouring unknown bytes become one token
};

class Bpe {
 public:
  explicit Bpe(BpeTables tables);
  std::vector<BytePiece> encode(std::string_view word) const;

 private:
  struct Joined {
    int32_t rank = 0, id = 0;
  };
  struct Symbol {
    int32_t id = 0, length = 0;
    int32_t before = -1, after = -1;
  };
  struct PairHash {
    size_t operator()(uint64_t pair) const;
  };

  const Joined* join(int32_t left, int32_t right) const;
  std::vector<Symbol> symbols(std::string_view word) const;
  void merge_by_scan(std::vector<Symbol>& symbols) const;
  void merge_by_heap(std::vector<Symbol>& symbols) const;

  BpeTables tables_;
  std::unordered_map<uint64_t, Joined, PairHash> joined_;
};

}  // namespace varve
