// Finding entries by a few letters.
#include "app/session/palette.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <tuple>

#include "analysis/core/text.h"
#include "app/session/trimmed.h"

namespace varve {

namespace {

char small(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string small(std::string_view text) {
  std::string all(text);
  std::transform(all.begin(), all.end(), all.begin(), [](char c) { return small(c); });
  return all;
}

bool is_word_start(std::string_view text, size_t at) {
  const auto is_letter = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || (static_cast<unsigned char>(c) & 0x80U) != 0;
  };
  return is_letter(text[at]) && (at == 0 || !is_letter(text[at - 1]));
}

std::optional<int64_t> word_begun(std::string_view typed, std::string_view words, size_t from) {
  for (size_t at = words.find(typed, from); at != std::string_view::npos; at = words.find(typed, at + 1))
    if (is_word_start(words, at)) return static_cast<int64_t>(at);
  return std::nullopt;
}

std::optional<int64_t> words_begun(std::string_view typed, std::string_view words) {
  size_t from = 0;
  std::optional<int64_t> first;
  for (const std::string& part : split(std::string(typed), ' ')) {
    if (part.empty()) continue;
    const auto at = word_begun(part, words, from);
    if (!at) return std::nullopt;
    if (!first) first = at;
    from = static_cast<size_t>(*at) + part.size();
  }
  return first;
}

std::optional<int64_t> letters_in_order(std::string_view typed, std::string_view words) {
  size_t at = 0;
  std::optional<size_t> first;
  for (const char c : typed) {
    if (c == ' ') continue;
    at = words.find(c, at);
    if (at == std::string_view::npos) return std::nullopt;
    if (!first) first = at;
    ++at;
  }
  return static_cast<int64_t>(at - first.value_or(0));
}

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

// "512", "16k", "1.5M".
std::optional<int64_t> step_number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const char last = small(text.back());
  const double factor = last == 'k' ? 1e3 : last == 'm' ? 1e6 : 1;
  const std::string digits = factor == 1 ? text : text.substr(0, text.size() - 1);
  double number = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const double step = number * factor;
  if (!(step >= 0 && step < 1e15)) return std::nullopt;
  return static_cast<int64_t>(std::llround(step));
}

void add_step(const std::string& text, const Extents& extents, std::vector<GoTo>& places) {
  const auto wanted = step_number(text);
  if (!wanted || extents.steps.empty()) return;
  const auto nearest = std::min_element(
      extents.steps.begin(), extents.steps.end(),
      [&](int64_t a, int64_t b) { return std::llabs(a - *wanted) < std::llabs(b - *wanted); });
  std::string words = "step " + show_count(*nearest);
  if (*nearest != *wanted) words += ", the nearest to " + show_count(*wanted);
  places.push_back({.words = words, .step = *nearest, .at = {}});
}

void add_place(const char* axis, const std::string& text, int64_t extent, std::vector<GoTo>& places) {
  if (const auto index = whole_number(text); index && *index < extent)
    places.push_back({.words = std::string(axis) + " " + text, .step = {}, .at = {{axis, *index}}});
}

void add_tokens(const std::string& text, const Extents& extents, std::vector<GoTo>& places) {
  const std::string wanted = small(text);
  for (size_t pos = 0; pos < extents.pieces.size() && !wanted.empty(); ++pos)
    if (small(extents.pieces[pos]).find(wanted) != std::string::npos)
      places.push_back({.words = "token " + extents.pieces[pos] + " at position " + std::to_string(pos),
                        .step = {},
                        .at = {{"pos", static_cast<int64_t>(pos)}}});
}

// "l5h1", "l5", "h1", "e7".
void add_letters(const std::string& text, const Extents& extents, std::vector<GoTo>& places) {
  GoTo place;
  size_t at = 0;
  while (at < text.size()) {
    const char axis = text[at++];
    size_t end = at;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    const auto number = whole_number(text.substr(at, end - at));
    const char* name = axis == 'l' ? "layer" : axis == 'h' ? "head" : axis == 'e' ? "expert" : nullptr;
    if (!number || !name || place.at.contains(name)) return;
    const int64_t extent = axis == 'l' ? extents.layers + 1 : axis == 'h' ? extents.heads : extents.experts;
    if (*number >= extent) return;
    place.at[name] = *number;
    place.words += (place.words.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(*number);
    at = end;
  }
  if (!place.at.empty()) places.push_back(std::move(place));
}

}  // namespace

Fit fit_of(std::string_view typed_as_is, std::string_view words_as_are) {
  const std::string typed = small(typed_as_is), words = small(words_as_are);
  if (typed.empty()) return {.tier = 0, .spread = 0};
  if (words.compare(0, typed.size(), typed) == 0) return {.tier = 0, .spread = 0};
  if (const auto at = word_begun(typed, words, 0)) return {.tier = 1, .spread = *at};
  if (const auto at = words_begun(typed, words)) return {.tier = 2, .spread = *at};
  if (const auto spread = letters_in_order(typed, words)) return {.tier = 3, .spread = *spread};
  return {};
}

std::vector<size_t> ranked(const std::string& typed, const std::vector<PaletteEntry>& entries,
                           const std::vector<std::string>& recent_ids, size_t most) {
  const std::string text = trimmed(typed);
  const char mark = text.empty() ? ' ' : text.front();
  const char* only = mark == '>' ? "action" : mark == ':' ? "go to" : mark == '=' ? "setting" : nullptr;
  const std::string wanted = only ? trimmed(text.substr(1)) : text;
  std::map<std::string_view, size_t> age;
  for (size_t i = 0; i < recent_ids.size(); ++i) age.emplace(recent_ids[i], i);

  struct Found {
    int tier;
    size_t age;
    int64_t spread;
    size_t length, place;
    bool operator<(const Found& other) const {
      return std::tie(tier, age, spread, length, place) <
             std::tie(other.tier, other.age, other.spread, other.length, other.place);
    }
  };
  std::vector<Found> found;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (only && entries[i].kind != only) continue;
    // "run circuit" means the analysis as much as "circuit" does.
    const bool says_run = entries[i].kind == "analysis" && small(wanted.substr(0, 4)) == "run ";
    const Fit fit = fit_of(says_run ? trimmed(wanted.substr(4)) : wanted, entries[i].words);
    if (fit.tier < 0) continue;
    const auto known = age.find(entries[i].id);
    found.push_back({.tier = fit.tier,
                     .age = known == age.end() ? recent_ids.size() : known->second,
                     .spread = fit.spread,
                     .length = wanted.empty() ? 0 : entries[i].words.size(),
                     .place = i});
  }
  const size_t count = std::min(most, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  std::vector<size_t> places;
  for (size_t i = 0; i < count; ++i) places.push_back(found[i].place);
  return places;
}

std::vector<GoTo> places_named(const std::string& typed, const Extents& extents) {
  std::string text = trimmed(typed);
  if (!text.empty() && text.front() == ':') text = trimmed(text.substr(1));
  std::vector<GoTo> places;
  const size_t space = text.find(' ');
  const std::string first = small(text.substr(0, space));
  const std::string rest = space == std::string::npos ? "" : trimmed(text.substr(space + 1));
  if (first == "step") add_step(rest, extents, places);
  if (first == "layer") add_place("layer", rest, extents.layers + 1, places);
  if (first == "head") add_place("head", rest, extents.heads, places);
  if (first == "expert") add_place("expert", rest, extents.experts, places);
  if (first == "pos" || first == "position")
    add_place("pos", rest, static_cast<int64_t>(extents.pieces.size()), places);
  if (first == "token") add_tokens(rest, extents, places);
  if (rest.empty()) {
    if (!first.empty() && std::isdigit(static_cast<unsigned char>(first.front())))
      add_step(first, extents, places);
    else
      add_letters(first, extents, places);
  }
  return places;
}

}  // namespace varve
