// The prompts of a run: --tokens, --text, --text-file, --probes or --task, one of them.
#include "app/console/probe_options.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/tokenizer.h"
#include "app/console/source.h"
#include "loaders/npy.h"
#include "loaders/tasks.h"

namespace varve {
namespace {

constexpr int64_t array_limit_bytes = int64_t{4} << 30;
constexpr int64_t text_limit_bytes = 64 << 20;

struct TokenFile {
  IntegerArray tokens;
  std::optional<IntegerArray> lengths;
};

TokenFile read_npz(const std::string& path, const std::string& key) {
  const auto members = read_zip(read_file(path, array_limit_bytes), path);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : members) names.push_back(name.substr(0, name.rfind(".npy")));
  const auto find = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) - names.begin();
  };
  const auto count = static_cast<std::ptrdiff_t>(names.size());
  std::ptrdiff_t chosen = key.empty() ? find("tokens") : find(key);
  if (chosen == count && key.empty() && count == 1) chosen = 0;
  if (chosen == count)
    fail("{}: holds no array '{}'; it has {}. Say which with {}:NAME", path, key.empty() ? "tokens" : key,
         fmt::join(names, ", "), path);
  const auto read = [&](std::ptrdiff_t place) {
    const auto& [name, bytes] = members[static_cast<size_t>(place)];
    return read_npy_integers(bytes, path + ":" + name);
  };
  TokenFile file{read(chosen), std::nullopt};
  if (const std::ptrdiff_t lengths = find("lengths"); lengths != count && lengths != chosen)
    file.lengths = read(lengths);
  return file;
}

TokenFile read_token_file(const std::string& argument) {
  // "ids.npz:heldout": only a colon after .npz separates, so that other colons may stand in a path.
  const size_t colon = argument.rfind(".npz:");
  const std::string path = colon == std::string::npos ? argument : argument.substr(0, colon + 4);
  const std::string key = colon == std::string::npos ? "" : argument.substr(colon + 5);
  require_exists(path);
  if (path.ends_with(".npz")) return read_npz(path, key);
  if (!path.ends_with(".npy")) fail_usage("--tokens {}: a .npy or .npz file is needed", argument);
  return {read_npy_integers(read_file(path, array_limit_bytes), path), std::nullopt};
}

Probes probes_from_tokens(const std::string& argument) {
  const TokenFile file = read_token_file(argument);
  const std::vector<int64_t>& shape = file.tokens.shape;
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0)
    fail("{}: the array has shape [{}]; tokens are [prompt, pos]", argument, fmt::join(shape, ", "));
  if (file.lengths && (file.lengths->shape.size() != 1 || file.lengths->shape[0] != shape[0]))
    fail("{}: lengths has shape [{}] but there are {} prompts", argument,
         fmt::join(file.lengths->shape, ", "), shape[0]);
  Probes probes;
  probes.name = "tokens";
  for (int64_t p = 0; p < shape[0]; ++p) {
    const int64_t length = file.lengths ? file.lengths->values[static_cast<size_t>(p)] : shape[1];
    if (length < 1 || length > shape[1])
      fail("{}: prompt {} has length {}, outside 1 to {}", argument, p, length, shape[1]);
    const auto row = file.tokens.values.begin() + p * shape[1];
    probes.prompts.emplace_back(row, row + length);
  }
  return probes;
}

Probes probes_from_texts(const std::vector<std::string>& texts, const std::string& tokenizer_json,
                         const Console& console) {
  if (tokenizer_json.empty())
    fail(
        "the series came without a tokenizer, so texts cannot become tokens; give ids with --tokens "
        "FILE.npy");
  const Tokenizer tokenizer(tokenizer_json);
  constexpr size_t shown_prompts = 8;
  Probes probes;
  probes.name = "text";
  for (const std::string& text : texts) {
    std::vector<int64_t> ids;
    std::vector<std::string> pieces;
    for (const Token& token : tokenizer.encode(text)) {
      ids.push_back(token.id);
      pieces.push_back(show_piece(tokenizer.piece(token.id)));
    }
    if (ids.empty()) fail_usage("prompt {} is empty: it has no tokens", probes.prompts.size());
    if (probes.prompts.size() < shown_prompts)
      console.remark(
          fmt::format("prompt {}: {} tokens: {}", probes.prompts.size(), ids.size(), fmt::join(pieces, "|")));
    probes.prompts.push_back(std::move(ids));
  }
  return probes;
}

std::vector<std::string> lines_of(const std::string& path) {
  require_exists(path);
  std::vector<std::string> lines;
  for (std::string& line : split(read_file(path, text_limit_bytes), '\n')) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) fail("{}: holds no prompts; write one a line", path);
  return lines;
}

int kinds_given(const ProbeOptions& options) {
  return static_cast<int>(!options.tokens.empty()) + static_cast<int>(!options.pack.empty()) +
         static_cast<int>(!options.task.empty()) + static_cast<int>(!options.text_file.empty()) +
         static_cast<int>(!options.texts.empty());
}

}  // namespace

bool ProbeOptions::given() const { return kinds_given(*this) > 0; }

CLI::Option* add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& words,
                          const std::string& help) {
  // A flag-like expected(1) with every use kept: the library's own vectors would swallow later positionals.
  return command.add_option(name, words, help)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_probe_options(CLI::App& command, ProbeOptions& options) {
  command
      .add_option("--tokens", options.tokens,
                  "token ids [prompt, pos] of a .npy, or of a .npz with an optional `lengths`")
      ->type_name("FILE.npy|.npz[:key]");
  add_repeated(command, "--text", options.texts, "a prompt as text; may be repeated")->type_name("STR");
  command.add_option("--text-file", options.text_file, "a file with one prompt a line")->type_name("FILE");
  command
      .add_option("--probes", options.pack,
                  fmt::format("a pack of made prompts, as in repeat-random:prompts=8,period=24,seed=0 ({})",
                              fmt::join(pack_names(), ", ")))
      ->type_name("PACK");
  command
      .add_option(
          "--task", options.task,
          fmt::format("pairs of clean and corrupted prompts with answers: a .toml, .jsonl or .csv, or one "
                      "that is made, as in induction:pairs=16,seed=0 ({})",
                      fmt::join(task_makers(), ", ")))
      ->type_name("FILE|TASK");
}

Probes read_probes(const ProbeOptions& options, const std::string& tokenizer, int64_t vocab,
                   const Console& console) {
  if (kinds_given(options) != 1)
    fail_usage("give one of --tokens, --text, --text-file, --probes and --task ({} kinds are given)",
               kinds_given(options));
  if (!options.tokens.empty()) return probes_from_tokens(options.tokens);
  if (!options.pack.empty()) return make_pack(options.pack, vocab);
  if (!options.task.empty()) return read_task(options.task, tokenizer, vocab);
  return probes_from_texts(options.texts.empty() ? lines_of(options.text_file) : options.texts, tokenizer,
                           console);
}

Array token_array(const Probes& probes) {
  const auto count = static_cast<int64_t>(probes.prompts.size());
  const int64_t longest = probes.longest();
  std::vector<int64_t> ids(static_cast<size_t>(count * longest), -1);
  for (size_t p = 0; p < probes.prompts.size(); ++p)
    std::copy(probes.prompts[p].begin(), probes.prompts[p].end(),
              ids.begin() + static_cast<std::ptrdiff_t>(p) * longest);
  return Array({"prompt", "pos"}, {count, longest}, std::move(ids));
}

Array length_array(const Probes& probes) {
  std::vector<int64_t> lengths;
  for (const auto& prompt : probes.prompts) lengths.push_back(static_cast<int64_t>(prompt.size()));
  const auto count = static_cast<int64_t>(lengths.size());
  return Array({"prompt"}, {count}, std::move(lengths));
}

}  // namespace varve
