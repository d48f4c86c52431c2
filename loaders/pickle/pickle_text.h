// The texts of a pickle's oldest opcodes, which are written as Python literals on a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varve {

// 'it\'s' or "it's" with Python's escapes -> bytes; nullopt where it is no literal.
std::optional<std::string> unquoted(std::string_view literal);
// A line of raw-unicode-escape -> UTF-8; nullopt where an escape is broken.
std::optional<std::string> raw_unicode(std::string_view line);
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace varve
