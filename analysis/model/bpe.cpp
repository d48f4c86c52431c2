// Byte-pair merging (Sennrich et al. 2016, section 3.2): a scan for short words, a heap for long ones.
#include "analysis/model/bpe.h"

#include <queue>
#include <tuple>
#include <utility>

#include "analysis/core/error.h"

namespace varve {
namespace {

// Below this a scan over the word beats a heap; above it the scan's square would show.
constexpr size_t longest_scanned = 48;

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

}  // namespace

// The mix of splitmix64: ids are small and dense, so the plain value would fill few buckets.
size_t Bpe::PairHash::operator()(uint64_t pair) const {
  pair = (pair ^ (pair >> 30)) * 0xbf58476d1ce4e5b9u;
  pair = (pair ^ (pair >> 27)) * 0x94d049bb133111ebu;
  return pair ^ (pair >> 31);
}

Bpe::Bpe(BpeTables tables) : tables_(std::move(tables)) {
  joined_.reserve(tables_.merges.size());
  int32_t rank = 0;
  // A pair listed twice keeps its later rank, as in the library that writes these files.
  for (const Merge& merge : tables_.merges) {
    joined_.insert_or_assign(pair_key(merge.left, merge.right), Joined{rank++, merge.merged});
  }
}

const Bpe::Joined* Bpe::join(int32_t left, int32_t right) const {
  const auto found = joined_.find(pair_key(left, right));
  return found == joined_.end() ? nullptr : &found->second;
}

std::vector<Bpe::Symbol> Bpe::symbols(std::string_view word) const {
  std::vector<Symbol> result;
  result.reserve(word.size());
  bool unknown_before = false;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    int32_t id = tables_.byte_ids[byte];
    const bool unknown = id < 0;
    if (unknown) {
      id = tables_.unknown_id;
      if (id < 0) {
        fail("the text has byte 0x{:02x}, for which this tokenizer has no token. Is the text UTF-8?", byte);
      }
    }
    if (unknown && unknown_before && tables_.fuse_unknown) {
      ++result.back().length;
    } else {
      result.push_back({.id = id, .length = 1});
    }
    unknown_before = unknown;
  }
  for (size_t i = 0; i < result.size(); ++i) {
    result[i].before = static_cast<int32_t>(i) - 1;
    result[i].after = i + 1 < result.size() ? static_cast<int32_t>(i) + 1 : -1;
  }
  return result;
}

void Bpe::merge_by_scan(std::vector<Symbol>& symbols) const {
  while (symbols.size() > 1) {
    const Joined* best = nullptr;
    size_t at = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Joined* found = join(symbols[i].id, symbols[i + 1].id);
      if (found && (!best || found->rank < best->rank)) best = found, at = i;
    }
    if (!best) return;
    symbols[at].id = best->id;
    symbols[at].length += symbols[at + 1].length;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

void Bpe::merge_by_heap(std::vector<Symbol>& symbols) const {
  // Lowest rank first, then leftmost. An entry whose pair has changed since is skipped when it comes up.
  using Entry = std::tuple<int32_t, int32_t, int32_t>;  // rank, left symbol, merged id
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap;
  const auto offer = [&](int32_t left) {
    if (left < 0 || symbols[left].after < 0) return;
    if (const Joined* found = join(symbols[left].id, symbols[symbols[left].after].id)) {
      heap.emplace(found->rank, left, found->id);
    }
  };
  for (size_t i = 0; i < symbols.size(); ++i) offer(static_cast<int32_t>(i));
  while (!heap.empty()) {
    const auto [rank, left, merged] = heap.top();
    heap.pop();
    Symbol& symbol = symbols[left];
    if (symbol.length == 0 || symbol.after < 0) continue;
    Symbol& next = symbols[symbol.after];
    const Joined* found = join(symbol.id, next.id);
    if (!found || found->rank != rank) continue;
    symbol.id = merged;
    symbol.length += std::exchange(next.length, 0);
    symbol.after = next.after;
    if (symbol.after >= 0) symbols[symbol.after].before = left;
    offer(symbol.before);
    offer(left);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

std::vector<BytePiece> Bpe::encode(std::string_view word) const {
  if (!tables_.whole.empty()) {
    const auto found = tables_.whole.find(std::string(word));
    if (found != tables_.whole.end()) return {{found->second, static_cast<int32_t>(word.size())}};
  }
  std::vector<Symbol> merged = symbols(word);
  merged.size() <= longest_scanned ? merge_by_scan(merged) : merge_by_heap(merged);
  std::vector<BytePiece> pieces;
  pieces.reserve(merged.size());
  for (const Symbol& symbol : merged) pieces.push_back({symbol.id, symbol.length});
  return pieces;
}

}  // namespace varve
