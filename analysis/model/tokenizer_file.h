// What a tokenizer.json says, checked, before any table is built from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/model/added_tokens.h"
#include "analysis/model/bpe.h"
#include "analysis/model/text_split.h"

namespace varve {

enum class NormalForm { as_written, composed };

struct TokenizerFile {
  std::unordered_map<std::string, int32_t> vocabulary;
  std::vector<Merge> merges;
  int32_t unknown_id = -1;  // -1: none
  bool fuse_unknown = false;
  bool ignore_merges = false;  // a word that is a token is taken whole
  std::vector<AddedToken> added;
  NormalForm normal_form = NormalForm::as_written;
  std::vector<SplitRule> splits;   // in order, before ByteLevel
  bool byte_level_splits = false;  // ByteLevel uses its own pattern after them
  bool add_prefix_space = false;   // ByteLevel puts a space before what it is given
  std::vector<std::string> notes;  // what the file asks for that is not followed
};

TokenizerFile read_tokenizer_file(std::string_view json);  // throws Error naming the key

}  // namespace varve
