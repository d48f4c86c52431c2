// A prefix tree over the added tokens, and the rules by which a find becomes a token.
#include "analysis/model/added_tokens.h"

#include <algorithm>
#include <utility>

#include "analysis/model/unicode_text.h"

namespace varve {
namespace {

bool touches_a_word(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_word(character_before(text, begin).code)) ||
         (end < text.size() && is_word(character_at(text, end).code));
}

size_t spaces_before(std::string_view text, size_t begin, size_t floor) {
  while (begin > floor) {
    const Character character = character_before(text, begin);
    if (!is_space(character.code) || begin - floor < character.length) break;
    begin -= character.length;
  }
  return begin;
}

size_t spaces_after(std::string_view text, size_t end) {
  while (end < text.size()) {
    const Character character = character_at(text, end);
    if (!is_space(character.code)) break;
    end += character.length;
  }
  return end;
}

uint64_t child_key(int32_t node, char byte) {
  return static_cast<uint64_t>(node) * 256 + static_cast<unsigned char>(byte);
}

}  // namespace

void TokenFinder::add(const AddedToken& token) {
  int32_t node = 0;
  for (const char byte : token.content) {
    const auto [child, fresh] =
        children_.emplace(child_key(node, byte), static_cast<int32_t>(ending_.size()));
    if (fresh) ending_.push_back(-1);
    node = child->second;
  }
  ending_[node] = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
}

TokenFinder::Found TokenFinder::longest_at(std::string_view text, size_t begin) const {
  Found found;
  int32_t node = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    const auto child = children_.find(child_key(node, text[at]));
    if (child == children_.end()) break;
    node = child->second;
    if (ending_[node] >= 0) found = {at + 1, ending_[node]};
  }
  return found;
}

std::vector<Stretch> TokenFinder::cut(std::string_view text) const {
  std::vector<Stretch> stretches;
  size_t done = 0;
  for (size_t at = 0; !tokens_.empty() && at < text.size();) {
    const Found found = longest_at(text, at);
    if (found.token < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[found.token];
    const size_t place = std::exchange(at, found.end);
    // A find refused here still used up its text; and one inside white space already taken is gone.
    if (place < done || (token.single_word && touches_a_word(text, place, found.end))) continue;
    const size_t begin = token.lstrip ? spaces_before(text, place, done) : place;
    const size_t end = token.rstrip ? spaces_after(text, found.end) : found.end;
    if (done < begin) stretches.push_back({done, begin, -1});
    stretches.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size()) stretches.push_back({done, text.size(), -1});
  return stretches;
}

}  // namespace varve
