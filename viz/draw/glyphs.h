// Words as they are put on a canvas: code points one by one, and tokens with their blanks made visible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

// The code point at `at`, which is moved past it. A byte that is no UTF-8 gives -1 - byte.
int32_t next_code_point(std::string_view text, size_t& at);
std::string utf8_of(int32_t code_point);

// Leading space as an open box, newline and tab as arrows, other control and stray bytes as \x0a.
std::string token_label(std::string_view token);

std::string minus_signed(std::string number);  // a leading or exponent hyphen becomes the real minus

}  // namespace varve
