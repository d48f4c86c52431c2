// The vocabulary of a GGUF file as tokenizer.json: byte-level BPE, split into words as its kind asks for.
#include <fmt/format.h>

#include "loaders/gguf_file.h"

namespace varve {
namespace {

using nlohmann::json;

constexpr int control_token = 3, user_token = 4;

// The words a text is cut into before merging, by the name llama.cpp gives the rule; null: not known here.
json words_of(const std::string& rule) {
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto split = [&bytes](const char* pattern) {
    return json{
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}},
          bytes}}};
  };
  if (rule == "gpt-2" || rule == "olmo" || rule == "mpt")
    return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  if (rule == "llama-bpe")
    return split(
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
  if (rule == "qwen2")
    return split(
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
  return nullptr;
}

std::string text_of(const json& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found != metadata.end() && found->is_string() ? found->get<std::string>() : "";
}

bool all_texts(const json& list) {
  if (!list.is_array()) return false;
  for (const json& item : list)
    if (!item.is_string()) return false;
  return true;
}

}  // namespace

std::string gguf_tokenizer_gap(const json& metadata) {
  const std::string kind = text_of(metadata, "tokenizer.ggml.model");
  if (kind.empty() || !gguf_tokenizer(metadata).empty()) return "";
  const std::string rule = text_of(metadata, "tokenizer.ggml.pre");
  return fmt::format(
      "its vocabulary of the kind '{}'{} is left out: only byte-level BPE ('gpt2') with a known splitting of "
      "words is "
      "read. Texts cannot be tokenised; put a tokenizer.json beside the file, or give --tokens",
      kind, rule.empty() ? "" : fmt::format(" with words split by '{}'", rule));
}

std::string gguf_tokenizer(const json& metadata) {
  const auto tokens = metadata.find("tokenizer.ggml.tokens"), merges = metadata.find("tokenizer.ggml.merges"),
             types = metadata.find("tokenizer.ggml.token_type");
  const json words = words_of(text_of(metadata, "tokenizer.ggml.pre"));
  if (text_of(metadata, "tokenizer.ggml.model") != "gpt2" || words.is_null() || tokens == metadata.end() ||
      merges == metadata.end() || !all_texts(*tokens) || !all_texts(*merges))
    return "";
  json vocabulary = json::object(), added = json::array();
  for (size_t id = 0; id < tokens->size(); ++id) {
    const std::string piece = (*tokens)[id];
    vocabulary[piece] = id;
    const bool typed = types != metadata.end() && types->is_array() && id < types->size() &&
                       (*types)[id].is_number_integer();
    const int64_t type = typed ? (*types)[id].get<int64_t>() : 1;
    if (type == control_token || type == user_token)
      added.push_back(
          {{"id", id}, {"content", piece}, {"special", type == control_token}, {"normalized", false}});
  }
  const json file = {{"added_tokens", added},
                     {"pre_tokenizer", words},
                     {"decoder", {{"type", "ByteLevel"}}},
                     {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", *merges}}}};
  return file.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace varve
