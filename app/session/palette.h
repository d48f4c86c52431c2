// The command palette without its window: what is found for a few letters, and places written as words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

struct PaletteEntry {
  std::string kind;     // "action", "view", "analysis", "result", "setting", "go to", "event", "set", "help"
  std::string words;    // what is read and matched
  std::string key;      // "Ctrl+Z"; empty: none
  std::string id;       // by which it is remembered and done; unique
  std::string why_off;  // why it cannot be done now; empty where it can
};

// How well an entry's words fit what was typed: 0 at its start, 1 at the start of a word, 2 its words begin
// words in order, 3 letters in order; -1 not at all. Case does not matter.
struct Fit {
  int tier = -1;
  int64_t spread = 0;  // how far apart the letters lie, or where the word begins; smaller is better
};
Fit fit_of(std::string_view typed, std::string_view words);

// Places in `entries`, best first: by tier, then recent ones first, then spread, then the shorter words. '>'
// in front leaves actions only, ':' places, '=' settings. With nothing typed: recent ones, then all in order.
std::vector<size_t> ranked(const std::string& typed, const std::vector<PaletteEntry>& entries,
                           const std::vector<std::string>& recent_ids, size_t most);

// What a place in words may name.
struct Extents {
  std::vector<int64_t> steps;
  int64_t layers = 0, heads = 0, experts = 0;
  std::vector<std::string> pieces;  // of the prompt
};
struct GoTo {
  std::string words;  // "step 16,000", "layer 5, head 1"
  std::optional<int64_t> step;
  std::map<std::string, int64_t> at;
};
// "step 16k", "L5H1", "layer 9", "pos 13", "token Mary", "E7": every place it may mean, or none.
std::vector<GoTo> places_named(const std::string& typed, const Extents& extents);

}  // namespace varve
