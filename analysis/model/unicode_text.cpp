// UTF-8 decoding by hand (outside bytes are hostile) and Unicode's own tables by way of ICU.
#include "analysis/model/unicode_text.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

bool continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

const icu::Normalizer2& composer() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status))
    fail("ICU has no data for normal form C: {}. Is libicu installed whole?", u_errorName(status));
  return *found;
}

// Appends the normal form of `valid`, which begins at `base` of the text before.
void append_composed(std::string_view valid, int64_t base, Normalized& result) {
  UErrorCode status = U_ZERO_ERROR;
  icu::Edits edits;
  icu::StringByteSink<std::string> sink(&result.text);
  const icu::StringPiece piece(valid.data(), static_cast<int32_t>(valid.size()));
  composer().normalizeUTF8(0, piece, sink, &edits, status);
  if (U_FAILURE(status)) fail("text could not be brought into normal form C: {}", u_errorName(status));
  icu::Edits::Iterator change = edits.getFineIterator();
  while (change.next(status) && U_SUCCESS(status)) {
    const int64_t begin = base + change.sourceIndex();
    const int64_t whole = begin + change.oldLength();
    for (int32_t i = 0; i < change.newLength(); ++i) {
      // A changed character came from all of its source; an unchanged stretch maps byte for byte.
      result.origin.push_back(change.hasChange() ? Span{begin, whole} : Span{begin + i, begin + i + 1});
    }
  }
}

}  // namespace

Character character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return {};
  int32_t code = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!continues(byte(i))) return {};
    code = (code << 6) | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, length};
}

Character character_before(std::string_view text, size_t end) {
  for (size_t length = 1; length <= std::min<size_t>(4, end); ++length) {
    const Character found = character_at(text.substr(0, end), end - length);
    if (found.code >= 0) return found.length == length ? found : Character{};
  }
  return {};
}

size_t end_of_run(std::string_view text, size_t at, bool is_stray) {
  while (at < text.size()) {
    const Character character = character_at(text, at);
    if ((character.code < 0) != is_stray) break;
    at += character.length;
  }
  return at;
}

bool is_control(int32_t code) { return u_charType(code) == U_CONTROL_CHAR; }

bool is_space(int32_t code) { return code >= 0 && u_hasBinaryProperty(code, UCHAR_WHITE_SPACE); }

bool is_word(int32_t code) {
  return code >= 0 &&
         (u_hasBinaryProperty(code, UCHAR_ALPHABETIC) || u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL) ||
          (U_GET_GC_MASK(code) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0);
}

Span Normalized::back(int64_t begin, int64_t end) const {
  if (origin.empty()) return {begin, end};
  if (begin >= static_cast<int64_t>(origin.size())) return {origin.back().end, origin.back().end};
  const Span first = origin[begin];
  return end > begin ? Span{first.begin, origin[end - 1].end} : Span{first.begin, first.begin};
}

Normalized normal_form_c(std::string_view text) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    fail("text of {} bytes is too long to tokenize at once. Cut it into pieces below 2 GB", text.size());
  }
  Normalized result;
  bool changed = false;
  for (size_t at = 0; at < text.size();) {
    const size_t valid_end = end_of_run(text, at, false);
    const std::string_view valid = text.substr(at, valid_end - at);
    UErrorCode status = U_ZERO_ERROR;
    const bool composed = composer().isNormalizedUTF8(
        icu::StringPiece(valid.data(), static_cast<int32_t>(valid.size())), status);
    changed = changed || !composed;
    const size_t stray_end = end_of_run(text, valid_end, true);
    at = stray_end;
  }
  if (!changed) {
    result.text = text;
    return result;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t valid_end = end_of_run(text, at, false);
    append_composed(text.substr(at, valid_end - at), static_cast<int64_t>(at), result);
    const size_t stray_end = end_of_run(text, valid_end, true);
    for (size_t i = valid_end; i < stray_end; ++i) {
      result.origin.push_back({static_cast<int64_t>(i), static_cast<int64_t>(i) + 1});
    }
    result.text.append(text, valid_end, stray_end - valid_end);
    at = stray_end;
  }
  return result;
}

}  // namespace varve
