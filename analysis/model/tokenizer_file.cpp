// Reads Hugging Face's tokenizer.json: byte-level BPE is taken, everything else refused by its name.
#include "analysis/model/tokenizer_file.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/model/json_fields.h"

namespace varve {
namespace {

using nlohmann::json;

[[noreturn]] void unsupported(const std::string& key, const std::string& found, std::string_view supported) {
  fail("tokenizer.json: {} is {}; supported is {}. Give token ids instead of text", key, found, supported);
}

constexpr std::string_view supported_model = "BPE on bytes (a ByteLevel pre_tokenizer)";

void read_vocabulary(const Fields& model, TokenizerFile& file) {
  const json* vocabulary = model.find("vocab");
  if (!vocabulary || !vocabulary->is_object()) {
    wrong_type("model.vocab", vocabulary ? *vocabulary : json(), "an object of token to id");
  }
  std::unordered_map<int32_t, const std::string*> holder;
  file.vocabulary.reserve(vocabulary->size());
  holder.reserve(vocabulary->size());
  for (const auto& [token, value] : vocabulary->items()) {
    const int32_t id = read_id(value, "model.vocab['" + token + "']");
    const auto [entry, fresh] = file.vocabulary.emplace(token, id);
    const auto [held, is_free] = holder.emplace(id, &entry->first);
    if (fresh && !is_free) {
      fail("tokenizer.json: model.vocab gives id {} to both '{}' and '{}'. Is the file whole?", id,
           *held->second, token);
    }
  }
}

std::pair<std::string, std::string> merge_halves(const json& merge, const std::string& path) {
  if (merge.is_array()) {
    if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
      wrong_type(path, merge, "two texts");
    }
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  if (!merge.is_string()) wrong_type(path, merge, "a text or a pair of texts");
  const std::string both = merge.get<std::string>();
  const size_t space = both.find(' ');
  if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos) {
    fail("tokenizer.json: {} is '{}', which is not two parts with one space between. Is the file whole?",
         path, both);
  }
  return {both.substr(0, space), both.substr(space + 1)};
}

void read_merges(const Fields& model, TokenizerFile& file) {
  const json& merges = model.array("merges");
  file.merges.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    const std::string path = "model.merges[" + std::to_string(i) + "]";
    // The header line of a merges.txt, which some writers carried over.
    if (merges[i].is_string() && merges[i].get_ref<const std::string&>().starts_with("#version")) continue;
    const auto [left, right] = merge_halves(merges[i], path);
    const auto id = [&](const std::string& token) {
      const auto found = file.vocabulary.find(token);
      if (found == file.vocabulary.end()) {
        fail("tokenizer.json: {} needs token '{}', which model.vocab does not have. Is the file whole?", path,
             token);
      }
      return found->second;
    };
    file.merges.push_back({id(left), id(right), id(left + right)});
  }
}

void read_model(const Fields& model, TokenizerFile& file) {
  // Files from before 2021 have no type; only BPE has merges.
  const std::string type = model.text("type", model.find("merges") ? "BPE" : "absent");
  if (type != "BPE") unsupported("model.type", "'" + type + "'", supported_model);
  if (model.flag("byte_fallback", false)) unsupported("model.byte_fallback", "true", supported_model);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const std::string affix = model.text(key, "");
    if (!affix.empty()) unsupported(model.path(key), "'" + affix + "'", "none");
  }
  if (const json* dropout = model.find("dropout")) {
    if (!dropout->is_number()) wrong_type("model.dropout", *dropout, "a number");
    if (dropout->get<double>() != 0)
      unsupported("model.dropout", dropout->dump(), "none (ids must not be random)");
  }
  file.ignore_merges = model.flag("ignore_merges", false);
  file.fuse_unknown = model.flag("fuse_unk", false);
  read_vocabulary(model, file);
  read_merges(model, file);
  const std::string unknown = model.text("unk_token", "");
  const auto found = file.vocabulary.find(unknown);
  if (found != file.vocabulary.end()) file.unknown_id = found->second;
}

void read_added(const Fields& root, TokenizerFile& file) {
  if (!root.find("added_tokens")) return;
  const json& added = root.array("added_tokens");
  std::unordered_map<int32_t, std::string> holder;
  for (const auto& [token, id] : file.vocabulary) holder.emplace(id, token);
  std::unordered_set<std::string> known;
  for (size_t i = 0; i < added.size(); ++i) {
    const Fields entry(added[i], "added_tokens[" + std::to_string(i) + "]");
    AddedToken token;
    const json* id = entry.find("id");
    token.id = read_id(id ? *id : json(), entry.path("id"));
    token.content = entry.text("content", "");
    token.special = entry.flag("special", false);
    token.single_word = entry.flag("single_word", false);
    token.lstrip = entry.flag("lstrip", false);
    token.rstrip = entry.flag("rstrip", false);
    token.normalized = entry.flag("normalized", !token.special);
    if (token.content.empty()) continue;
    const auto [held, is_free] = holder.emplace(token.id, token.content);
    const auto own = file.vocabulary.find(token.content);
    const bool contradicts = own != file.vocabulary.end() && own->second != token.id;
    if (contradicts || (!is_free && held->second != token.content)) {
      fail("tokenizer.json: {} gives id {} to '{}', but {}. Is the file whole?", entry.path("id"), token.id,
           token.content,
           contradicts ? fmt::format("model.vocab gives it id {}", own->second)
                       : fmt::format("that id belongs to '{}'", held->second));
    }
    if (!known.insert(token.content).second) {
      fail("tokenizer.json: {} lists '{}' a second time. Is the file whole?", entry.path("content"),
           token.content);
    }
    file.added.push_back(std::move(token));
  }
}

// The entries of a section that is one thing or a Sequence of things. Deeper nesting is refused.
std::vector<Fields> members(const Fields& root, std::string_view section, std::string_view list) {
  std::vector<Fields> found;
  if (!root.find(section)) return found;
  const Fields one = root.object(section);
  if (one.text("type", "absent") != "Sequence") return {one};
  const json& all = one.array(list);
  for (size_t i = 0; i < all.size(); ++i) {
    found.emplace_back(all[i], one.path(list) + "[" + std::to_string(i) + "]");
  }
  return found;
}

void read_normalizer(const Fields& root, TokenizerFile& file) {
  for (const Fields& entry : members(root, "normalizer", "normalizers")) {
    const std::string type = entry.text("type", "absent");
    if (type != "NFC") unsupported(entry.path("type"), "'" + type + "'", "NFC or none");
    file.normal_form = NormalForm::composed;
  }
}

SplitRule read_split(const Fields& entry) {
  SplitRule rule;
  const Fields pattern = entry.object("pattern");
  rule.literal = pattern.find("Regex") == nullptr;
  rule.pattern = pattern.text(rule.literal ? "String" : "Regex", "");
  rule.invert = entry.flag("invert", false);
  const std::string behavior = entry.text("behavior", "absent");
  const std::pair<const char*, Delimiter> behaviors[] = {
      {"Isolated", Delimiter::isolated},
      {"Removed", Delimiter::removed},
      {"MergedWithPrevious", Delimiter::merged_with_previous},
      {"MergedWithNext", Delimiter::merged_with_next},
      {"Contiguous", Delimiter::contiguous},
  };
  for (const auto& [name, delimiter] : behaviors) {
    if (behavior == name) {
      rule.delimiter = delimiter;
      return rule;
    }
  }
  unsupported(entry.path("behavior"), "'" + behavior + "'",
              "Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
}

void read_pre_tokenizer(const Fields& root, TokenizerFile& file) {
  bool has_byte_level = false;
  for (const Fields& entry : members(root, "pre_tokenizer", "pretokenizers")) {
    const std::string type = entry.text("type", "absent");
    if (has_byte_level)
      unsupported(entry.path("type"), "'" + type + "' after ByteLevel", "ByteLevel as the last");
    if (type == "Split") {
      file.splits.push_back(read_split(entry));
    } else if (type == "Digits") {
      const bool each = entry.flag("individual_digits", false);
      file.splits.push_back(
          {.pattern = "\\p{N}", .delimiter = each ? Delimiter::isolated : Delimiter::contiguous});
    } else if (type == "ByteLevel") {
      has_byte_level = true;
      file.add_prefix_space = entry.flag("add_prefix_space", true);
      file.byte_level_splits = entry.flag("use_regex", true);
    } else {
      unsupported(entry.path("type"), "'" + type + "'",
                  "ByteLevel, or a Sequence of Split and Digits that ends in it");
    }
  }
  if (!has_byte_level) unsupported("pre_tokenizer", "without ByteLevel", supported_model);
}

void check_decoder(const Fields& root) {
  for (const Fields& entry : members(root, "decoder", "decoders")) {
    const std::string type = entry.text("type", "absent");
    if (type != "ByteLevel") unsupported(entry.path("type"), "'" + type + "'", "ByteLevel");
  }
}

void note_what_is_not_followed(const Fields& root, TokenizerFile& file) {
  for (const char* key : {"truncation", "padding"}) {
    if (root.find(key)) {
      file.notes.push_back(
          fmt::format("tokenizer.json asks for {}; texts are neither cut nor padded here", key));
    }
  }
  for (const Fields& entry : members(root, "post_processor", "processors")) {
    const std::string type = entry.text("type", "absent");
    if (type == "ByteLevel") continue;
    file.notes.push_back(fmt::format(
        "tokenizer.json has post_processor {}, which may add tokens; none is added here, the text says all",
        type));
  }
}

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view text) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    fail("tokenizer.json is not JSON from byte {} on. Is the file whole?", error.byte);
  } catch (const json::out_of_range&) {
    fail(
        "tokenizer.json holds a number larger than any a program can hold. Is it the tokenizer of this "
        "model?");
  }
  const Fields root(document, "");
  TokenizerFile file;
  read_model(root.object("model"), file);
  read_added(root, file);
  read_normalizer(root, file);
  read_pre_tokenizer(root, file);
  check_decoder(root);
  note_what_is_not_followed(root, file);
  return file;
}

}  // namespace varve
