// From typed text to checked token ids.
#include "app/session/prompt.h"

#include <charconv>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/probes.h"

namespace varve {

namespace {

std::vector<int64_t> read_ids(std::string text) {
  for (char& c : text)
    if (c == ',' || c == '\n' || c == '\t') c = ' ';
  std::vector<int64_t> ids;
  for (const std::string& word : split(text, ' ')) {
    if (word.empty()) continue;
    int64_t id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size())
      fail("'{}' is not a token id. Ids are whole numbers, as in 0 17 42.", word);
    ids.push_back(id);
  }
  return ids;
}

std::string piece_of(int64_t id, const Opened& opened) {
  const std::string bytes = opened.tokenizer ? opened.tokenizer->piece(id) : "";
  return bytes.empty() ? "#" + std::to_string(id) : show_piece(bytes);
}

}  // namespace

Prompt read_prompt(const std::string& text, const Opened& opened) {
  Prompt prompt;
  prompt.text = text;
  if (text.empty()) return prompt;
  try {
    if (text.rfind("ids:", 0) == 0)
      prompt.ids = read_ids(text.substr(4));
    else if (!opened.tokenizer)
      prompt.ids = read_ids(text);
    else
      for (const Token& token : opened.tokenizer->encode(text)) prompt.ids.push_back(token.id);
    if (prompt.ids.empty()) return prompt;
    check_probes({.prompts = {prompt.ids}, .name = "text"}, opened.spec.vocab, opened.spec.context);
    for (int64_t id : prompt.ids) prompt.pieces.push_back(piece_of(id, opened));
  } catch (const Error& error) {
    prompt.problem = error.what();
    prompt.pieces.clear();
  }
  return prompt;
}

std::string layer_name(int64_t index, int64_t layers) {
  if (index == 0) return "embed";
  if (index == layers) return "out " + std::to_string(index);
  return "L" + std::to_string(index);
}

}  // namespace varve
