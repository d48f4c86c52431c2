// The texts of a pickle's oldest opcodes, which are written as Python literals on a line.
#include "loaders/pickle/pickle_text.h"

#include <charconv>

namespace varve {
namespace {

// `digits` digits of `text` at `at` in that base.
std::optional<uint32_t> digits_at(std::string_view text, size_t at, size_t digits, int base) {
  if (at > text.size() || digits > text.size() - at) return std::nullopt;
  uint32_t value = 0;
  const char* const begin = text.data() + at;
  const auto [end, problem] = std::from_chars(begin, begin + digits, value, base);
  if (problem != std::errc() || end != begin + digits) return std::nullopt;
  return value;
}

bool is_octal(char letter) { return letter >= '0' && letter <= '7'; }

}  // namespace

void append_utf8(std::string& out, uint32_t code_point) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::optional<std::string> unquoted(std::string_view literal) {
  if (literal.size() < 2 || (literal.front() != '\'' && literal.front() != '"') ||
      literal.back() != literal.front())
    return std::nullopt;
  const std::string_view text = literal.substr(1, literal.size() - 2);
  static constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (const size_t known = letters.find(text[i]); known != std::string_view::npos) {
      out += meanings[known];
    } else if (text[i] == 'x') {
      const std::optional<uint32_t> value = digits_at(text, i + 1, 2, 16);
      if (!value) return std::nullopt;
      out += static_cast<char>(*value);
      i += 2;
    } else if (is_octal(text[i])) {
      uint32_t value = 0;
      size_t used = 0;
      while (used < 3 && i + used < text.size() && is_octal(text[i + used]))
        value = value * 8 + static_cast<uint32_t>(text[i + used++] - '0');
      out += static_cast<char>(value);
      i += used - 1;
    } else {
      out += '\\';
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> raw_unicode(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U');
    if (!escape) {
      append_utf8(out, static_cast<unsigned char>(line[i]));  // Latin-1 is the first 256 code points
      continue;
    }
    const size_t digits = line[i + 1] == 'u' ? 4 : 8;
    const std::optional<uint32_t> value = digits_at(line, i + 2, digits, 16);
    if (!value || *value > 0x10FFFF) return std::nullopt;
    append_utf8(out, *value);
    i += 1 + digits;
  }
  return out;
}

}  // namespace varve
