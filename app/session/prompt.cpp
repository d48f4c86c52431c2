// From typed text to checked token ids: of one prompt, or of many.
#include "app/session/prompt.h"

#include <charconv>
#include <optional>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/tasks.h"

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

// What stands after `word`, without spaces around it; nothing where the text begins otherwise.
std::optional<std::string> after(const std::string& word, const std::string& text) {
  if (text.rfind(word, 0) != 0) return std::nullopt;
  const size_t begin = text.find_first_not_of(" \t", word.size());
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<int64_t> ids_of(const std::string& text, const Opened& opened) {
  if (const auto ids = after("ids:", text)) return read_ids(*ids);
  if (!opened.tokenizer) return read_ids(text);
  std::vector<int64_t> ids;
  for (const Token& token : opened.tokenizer->encode(text)) ids.push_back(token.id);
  return ids;
}

Probes probes_of_lines(const std::string& file, const Opened& opened) {
  constexpr int64_t limit_bytes = 256 << 10;  // read again whenever the field changes
  Probes probes{.prompts = {}, .name = "text"};
  for (std::string& line : split(read_file(file, limit_bytes), '\n')) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) probes.prompts.push_back(ids_of(line, opened));
  }
  if (probes.prompts.empty()) fail("{} holds no prompts. Write one a line.", file);
  return probes;
}

// The prompts are part of every result: tokens [prompt, pos], -1 after a prompt's end.
Probes probes_of_result(const std::string& place, const Opened& opened) {
  const size_t slash = place.find('/');
  if (slash == std::string::npos) fail("'{}' names no result. Write it as logit-lens/KEY.", place);
  const std::string analysis = place.substr(0, slash), key = place.substr(slash + 1);
  const std::optional<Dataset> result = opened.store->result(analysis, key);
  if (!result) fail("{} holds no result {} / {}.", opened.name(), analysis, key);
  const auto name = result->provenance.find("probes");
  Probes probes{.prompts = {}, .name = name == result->provenance.end() ? "text" : name->second};
  const Array& tokens = (*result)["tokens"];
  for (int64_t prompt = 0; prompt < result->extent("prompt"); ++prompt) {
    const Array row = tokens.at("prompt", prompt);
    std::vector<int64_t> ids;
    for (int64_t pos = 0; pos < row.size() && row.number(pos) >= 0; ++pos)
      ids.push_back(static_cast<int64_t>(row.number(pos)));
    probes.prompts.push_back(std::move(ids));
  }
  return probes;
}

Probes probes_of(const std::string& text, const Opened& opened) {
  if (const auto pack = after("pack:", text)) return make_pack(*pack, opened.spec.vocab);
  if (const auto task = after("task:", text))
    return read_task(*task, opened.store->series().tokenizer, opened.spec.vocab);
  if (const auto file = after("lines:", text)) return probes_of_lines(*file, opened);
  if (const auto place = after("as in:", text)) return probes_of_result(*place, opened);
  Probes probes{.prompts = {}, .name = "text"};
  if (std::vector<int64_t> ids = ids_of(text, opened); !ids.empty()) probes.prompts.push_back(std::move(ids));
  return probes;
}

std::string piece_of(int64_t id, const Opened& opened) {
  const std::string bytes = opened.tokenizer ? opened.tokenizer->piece(id) : "";
  return bytes.empty() ? "#" + std::to_string(id) : show_piece(bytes);
}

}  // namespace

std::optional<NamedPrompts> named_prompts(const std::string& text) {
  const std::pair<const char*, const char*> kinds[] = {
      {"pack:", "--probes"}, {"task:", "--task"}, {"lines:", "--text-file"}};
  for (const auto& [word, option] : kinds)
    if (const auto name = after(word, text)) return NamedPrompts{option, *name};
  return std::nullopt;
}

Prompt read_prompt(const std::string& text, const Opened& opened) {
  Prompt prompt;
  prompt.text = text;
  if (text.empty()) return prompt;
  try {
    prompt.probes = probes_of(text, opened);
    if (prompt.probes.prompts.empty()) return prompt;
    check_probes(prompt.probes, opened.spec.vocab, opened.spec.context);
    prompt.ids = prompt.probes.prompts.front();
    for (int64_t id : prompt.ids) prompt.pieces.push_back(piece_of(id, opened));
  } catch (const Error& error) {
    prompt.problem = error.what();
    prompt.pieces.clear();
    prompt.probes = {};
  }
  return prompt;
}

std::string layer_name(int64_t index, int64_t layers) {
  if (index == 0) return "embed";
  if (index == layers) return "out " + std::to_string(index);
  return "L" + std::to_string(index);
}

}  // namespace varve
