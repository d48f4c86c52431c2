// UTF-8 read with care: characters, stray bytes, word and space classes, and normal form C with its way back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

struct Character {
  int32_t code = -1;  // -1: a stray byte
  size_t length = 1;
};
Character character_at(std::string_view text, size_t at);            // at < text.size()
Character character_before(std::string_view text, size_t end);       // end > 0
size_t end_of_run(std::string_view text, size_t at, bool is_stray);  // of characters, or of stray bytes

bool is_control(int32_t code);
bool is_space(int32_t code);  // Unicode White_Space
bool is_word(int32_t code);   // Unicode UTS 18, \w

struct Span {
  int64_t begin = 0, end = 0;
};

// A text in normal form C; stray bytes stay as they are.
struct Normalized {
  std::string text;
  std::vector<Span> origin;  // of each byte, in the text before; empty where nothing changed

  Span back(int64_t begin, int64_t end) const;  // the stretch of the text before that [begin, end) came from
};
Normalized normal_form_c(std::string_view text);

}  // namespace varve
