// Text to token ids and back: added tokens are cut out, the rest is normalized, split into words and merged.
#include "analysis/model/tokenizer.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/model/added_tokens.h"
#include "analysis/model/bpe.h"
#include "analysis/model/byte_level.h"
#include "analysis/model/pre_tokenize.h"
#include "analysis/model/tokenizer_file.h"
#include "analysis/model/unicode_text.h"

namespace varve {
namespace {

constexpr size_t longest_text = size_t{1} << 30;  // positions inside a word are 32 bit
constexpr size_t longest_cached_word = 64;

BpeTables tables_of(const TokenizerFile& file) {
  BpeTables tables;
  tables.merges = file.merges;
  tables.unknown_id = file.unknown_id;
  tables.fuse_unknown = file.fuse_unknown;
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = file.vocabulary.find(stand_in(static_cast<unsigned char>(byte)));
    tables.byte_ids[byte] = found == file.vocabulary.end() ? -1 : found->second;
  }
  if (!file.ignore_merges) return tables;
  for (const auto& [token, id] : file.vocabulary) {
    if (const auto bytes = bytes_from_stand_ins(token)) tables.whole.emplace(*bytes, id);
  }
  return tables;
}

}  // namespace

struct Tokenizer::Inner {
  NormalForm normal_form = NormalForm::as_written;
  PreTokenizer pre_tokenizer;
  TokenFinder raw_tokens, normalized_tokens;
  Bpe bpe;
  std::unordered_map<int32_t, std::string> pieces;  // the bytes of each id
  int64_t size = 0;
  std::vector<std::string> notes;

  explicit Inner(const TokenizerFile& file);
};

Tokenizer::Inner::Inner(const TokenizerFile& file)
    : normal_form(file.normal_form), pre_tokenizer(file), bpe(tables_of(file)), notes(file.notes) {
  for (const AddedToken& token : file.added) {
    if (!token.normalized) {
      raw_tokens.add(token);
      continue;
    }
    AddedToken wanted = token;
    if (normal_form == NormalForm::composed) wanted.content = normal_form_c(token.content).text;
    normalized_tokens.add(wanted);
  }
  pieces.reserve(file.vocabulary.size() + file.added.size());
  for (const AddedToken& token : file.added) pieces.emplace(token.id, token.content);
  for (const auto& [token, id] : file.vocabulary) {
    if (!pieces.contains(id)) pieces.emplace(id, bytes_from_stand_ins(token).value_or(token));
  }
  for (const auto& [id, bytes] : pieces) size = std::max<int64_t>(size, int64_t{id} + 1);
}

namespace {

// One run over one text. The cache of words lives here, so that a tokenizer is shared between threads freely.
class Encoding {
 public:
  Encoding(const PreTokenizer& pre_tokenizer, const Bpe& bpe) : pre_tokenizer_(pre_tokenizer), bpe_(bpe) {}

  void add_token(int64_t id, Span place) { tokens_.push_back({id, place.begin, place.end}); }

  // `text` begins at `begin` of `normalized`, which begins at `base` of the text as given.
  void add_text(std::string_view text, int64_t begin, const Normalized& normalized, int64_t base) {
    std::deque<std::string> prefixed;
    for (const Piece& word : pre_tokenizer_.words({text, begin, 0}, prefixed)) {
      int64_t at = 0;
      for (const BytePiece& piece : merged(word.text)) {
        const Span place = normalized.back(word.place(at), word.place(at + piece.length));
        add_token(piece.id, {base + place.begin, base + place.end});
        at += piece.length;
      }
    }
  }

  std::vector<Token> take() { return std::move(tokens_); }

 private:
  const std::vector<BytePiece>& merged(std::string_view word) {
    if (word.size() > longest_cached_word) return long_word_ = bpe_.encode(word);
    const auto [entry, fresh] = cache_.try_emplace(std::string(word));
    if (fresh) entry->second = bpe_.encode(word);
    return entry->second;
  }

  const PreTokenizer& pre_tokenizer_;
  const Bpe& bpe_;
  std::unordered_map<std::string, std::vector<BytePiece>> cache_;
  std::vector<BytePiece> long_word_;
  std::vector<Token> tokens_;
};

}  // namespace

Tokenizer::Tokenizer(std::string_view tokenizer_json)
    : inner_(std::make_unique<Inner>(read_tokenizer_file(tokenizer_json))) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;

std::vector<Token> Tokenizer::encode(std::string_view text) const {
  if (text.size() > longest_text) {
    fail("a text of {} bytes is too long to tokenize at once; cut it into pieces of at most {} bytes",
         text.size(), longest_text);
  }
  Encoding encoding(inner_->pre_tokenizer, inner_->bpe);
  for (const Stretch& raw : inner_->raw_tokens.cut(text)) {
    const auto base = static_cast<int64_t>(raw.begin);
    if (raw.id >= 0) {
      encoding.add_token(raw.id, {base, static_cast<int64_t>(raw.end)});
      continue;
    }
    const std::string_view part = text.substr(raw.begin, raw.end - raw.begin);
    const Normalized normalized = inner_->normal_form == NormalForm::composed
                                      ? normal_form_c(part)
                                      : Normalized{.text = std::string(part), .origin = {}};
    for (const Stretch& stretch : inner_->normalized_tokens.cut(normalized.text)) {
      const auto begin = static_cast<int64_t>(stretch.begin);
      if (stretch.id >= 0) {
        const Span place = normalized.back(begin, static_cast<int64_t>(stretch.end));
        encoding.add_token(stretch.id, {base + place.begin, base + place.end});
        continue;
      }
      const std::string_view words =
          std::string_view(normalized.text).substr(stretch.begin, stretch.end - stretch.begin);
      encoding.add_text(words, begin, normalized, base);
    }
  }
  return encoding.take();
}

std::string Tokenizer::piece(int64_t id) const {
  if (id < 0 || id >= inner_->size) return {};
  const auto found = inner_->pieces.find(static_cast<int32_t>(id));
  return found == inner_->pieces.end() ? std::string() : found->second;
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids) const {
  std::string text;
  for (const int64_t id : ids) {
    const bool in_range = id >= 0 && id < inner_->size;
    const auto found = in_range ? inner_->pieces.find(static_cast<int32_t>(id)) : inner_->pieces.end();
    if (found == inner_->pieces.end()) {
      fail("token id {} is not in the vocabulary, whose ids end at {}. Is the tokenizer of another model?",
           id, inner_->size - 1);
    }
    text += found->second;
  }
  return text;
}

int64_t Tokenizer::size() const { return inner_->size; }

const std::vector<std::string>& Tokenizer::notes() const { return inner_->notes; }

}  // namespace varve
