// Runs the split rules one after the other, and puts ByteLevel's space where it belongs.
#include "analysis/model/pre_tokenize.h"

#include <fmt/format.h>

namespace varve {
namespace {

std::vector<Piece> split_each(const std::vector<Piece>& pieces, const Splitter& splitter) {
  std::vector<Piece> parts;
  for (const Piece& piece : pieces) {
    for (const Cut& cut : splitter.split(piece.text)) parts.push_back(piece.part(cut));
  }
  return parts;
}

}  // namespace

Piece Piece::part(const Cut& cut) const {
  const auto from = static_cast<int64_t>(cut.begin);
  return {text.substr(cut.begin, cut.end - cut.begin), place(from), std::max<int64_t>(0, prefix - from)};
}

PreTokenizer::PreTokenizer(const TokenizerFile& file) : add_prefix_space_(file.add_prefix_space) {
  for (const SplitRule& rule : file.splits) before_.emplace_back(rule);
  if (file.byte_level_splits) byte_level_.emplace_back(SplitRule{.pattern = gpt2_pattern});
}

std::vector<Piece> PreTokenizer::words(const Piece& whole, std::deque<std::string>& store) const {
  std::vector<Piece> pieces = {whole};
  for (const Splitter& splitter : before_) pieces = split_each(pieces, splitter);
  for (Piece& piece : pieces) {
    if (!add_prefix_space_ || piece.text.starts_with(' ')) continue;
    piece.text = store.emplace_back(fmt::format(" {}", piece.text));
    piece.prefix = 1;
  }
  for (const Splitter& splitter : byte_level_) pieces = split_each(pieces, splitter);
  return pieces;
}

}  // namespace varve
