// Bytes written as printable characters and back, and token bytes as people read them.
#include "analysis/model/byte_level.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "analysis/model/tokenizer.h"
#include "analysis/model/unicode_text.h"

namespace varve {
namespace {

// The alphabet of GPT-2 (Radford et al. 2019, encoder): bytes that print in Latin-1 stand for themselves, the
// other 68 take the code points from 256 on, in byte order.
constexpr int first_moved = 256, moved_count = 68;

constexpr bool prints_as_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

struct Alphabet {
  std::array<int, 256> character{};
  std::array<int, first_moved + moved_count> byte{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  int next = first_moved;
  for (int byte = 0; byte < 256; ++byte) {
    alphabet.character[byte] = prints_as_itself(byte) ? byte : next++;
    alphabet.byte[alphabet.character[byte]] = byte;
  }
  return alphabet;
}

constexpr Alphabet alphabet = make_alphabet();

}  // namespace

std::string stand_in(unsigned char byte) {
  const int character = alphabet.character[byte];
  if (character < 0x80) return std::string(1, static_cast<char>(character));
  return {static_cast<char>(0xc0 | (character >> 6)), static_cast<char>(0x80 | (character & 0x3f))};
}

std::optional<std::string> bytes_from_stand_ins(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.code < 0 || character.code >= static_cast<int32_t>(alphabet.byte.size())) return {};
    const int byte = alphabet.byte[character.code];
    if (byte < 0) return {};
    bytes += static_cast<char>(byte);
    at += character.length;
  }
  return bytes;
}

std::string show_piece(std::string_view bytes) {
  std::string shown;
  bool leading = true;
  for (size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const unsigned char byte = bytes[at];
    if (byte == ' ' && leading) {
      shown += "\u2423";
    } else if (byte == '\n') {
      shown += "\u23ce";
    } else if (byte == '\t') {
      shown += "\u21e5";
    } else if (character.code < 0 || is_control(character.code)) {
      for (size_t i = 0; i < character.length; ++i) {
        shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[at + i]));
      }
    } else {
      shown.append(bytes, at, character.length);
    }
    leading = leading && byte == ' ';
    at += character.length;
  }
  return shown;
}

}  // namespace varve
