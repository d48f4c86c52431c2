// Oniguruma's regular expressions (Ruby syntax, Unicode) rewritten for PCRE2 where the two differ.
#include "analysis/core/error.h"
#include "analysis/model/text_split.h"

namespace varve {
namespace {

// PCRE2 counts U+180E as white space and, before 10.43, leaves marks and connectors out of \w; Unicode does
// not.
constexpr std::string_view space = "\\p{White_Space}", not_space = "\\P{White_Space}";
constexpr std::string_view word_members = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

[[noreturn]] void refuse(const std::string& pattern, size_t at, std::string_view what) {
  fail(
      "pre_tokenizer: pattern '{}' uses {} at character {}, which this program cannot match as the "
      "tokenizer's own "
      "library does. Give token ids instead of text",
      pattern, what, at);
}

struct Translator {
  const std::string& from;
  std::string to;
  size_t at = 0;
  bool in_class = false;

  void escape() {
    if (at + 1 >= from.size()) refuse(from, at, "a backslash at its end");
    const char kind = from[at + 1];
    at += 2;
    switch (kind) {
      case 's':
        to += space;
        return;
      case 'S':
        to += not_space;
        return;
      case 'w':
        to += in_class ? std::string(word_members) : fmt::format("[{}]", word_members);
        return;
      case 'W':
        if (in_class) refuse(from, at - 2, "\\W inside [...]");
        to += fmt::format("[^{}]", word_members);
        return;
      case 'h':
      case 'H':
        refuse(from, at - 2, "\\h");
      case 'p':
      case 'P':
        return property(kind);
      default:
        to += {'\\', kind};
    }
  }

  // Copied whole, so that its closing brace is not taken for a repeat's.
  void property(char kind) {
    to += {'\\', kind};
    if (at >= from.size() || from[at] != '{') return;
    const size_t close = from.find('}', at);
    if (close == std::string::npos) refuse(from, at, "an open property name");
    to.append(from, at, close + 1 - at);
    at = close + 1;
  }

  void class_character(size_t opened) {
    const char c = from[at];
    const bool first = at == opened + 1 || (at == opened + 2 && from[opened + 1] == '^');
    if (c == ']' && !first) in_class = false;
    if (c == '[' && from.compare(at, 2, "[:") != 0) refuse(from, at, "a class inside a class");
    if (from.compare(at, 2, "&&") == 0) refuse(from, at, "an intersection of classes");
    if (c == '[') {
      const size_t close = from.find(":]", at);
      if (close == std::string::npos) refuse(from, at, "an open class name");
      to.append(from, at, close + 2 - at);
      at = close + 2;
      return;
    }
    to += c;
    ++at;
  }

  std::string run() {
    size_t opened = 0;
    while (at < from.size()) {
      if (from[at] == '\\') {
        escape();
      } else if (in_class) {
        class_character(opened);
      } else {
        if (from[at] == '[') in_class = true, opened = at;
        if (from.compare(at, 2, "(*") == 0) refuse(from, at, "a verb");
        if (from.compare(at, 2, "}+") == 0) refuse(from, at, "a plus after {...}");
        if (from.compare(at, 3, "(?m") == 0) refuse(from, at, "the option m");
        to += from[at++];
      }
    }
    return to;
  }
};

}  // namespace

std::string pcre2_pattern(const std::string& oniguruma) {
  return Translator{.from = oniguruma, .to = {}}.run();
}

}  // namespace varve
