// The byte alphabet of byte-level BPE: each of the 256 bytes is written as one printable character.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace varve {

// "Ġhello" -> " hello"; nothing where a character is outside the alphabet (then the text means itself).
std::optional<std::string> bytes_from_stand_ins(std::string_view text);
std::string stand_in(unsigned char byte);  // the character of one byte, as UTF-8

}  // namespace varve
