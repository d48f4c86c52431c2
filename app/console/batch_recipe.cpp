// Reads a batch recipe; everything that can be wrong without opening a store is an error here.
#include "app/console/batch_recipe.h"

#include <toml++/toml.h>
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr int64_t recipe_limit_bytes = 16 << 20;

const Names prompt_keys = {"tokens", "text", "text_file", "probes", "task"};

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// One table of the recipe, as its errors name it.
struct Part {
  const toml::table& table;
  std::string where;  // "night.toml: run 2"
  fs::path base;

  void check_keys(const Names& known) const {
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) == known.end())
        fail("{}: the key '{}' is not known; did you mean '{}'? There are {}.", where, name,
             nearest(name, known), fmt::join(known, ", "));
    }
  }
  bool has(const std::string& key) const { return table.contains(key); }
  std::string text(const std::string& key, const std::string& otherwise = "") const {
    const toml::node* node = table.get(key);
    if (!node) return otherwise;
    const std::optional<std::string> value = node->value_exact<std::string>();
    if (!value || value->empty()) fail("{}: '{}' must be text in quotes", where, key);
    return *value;
  }
  bool flag(const std::string& key) const {
    const toml::node* node = table.get(key);
    if (!node) return false;
    const std::optional<bool> value = node->value_exact<bool>();
    if (!value) fail("{}: '{}' must be true or false", where, key);
    return *value;
  }
  // Relative to the recipe; a path that is whole already stays so.
  std::string path(const std::string& key) const {
    const std::string value = text(key);
    return value.empty() ? "" : placed(value);
  }
  std::string placed(const std::string& value) const { return (base / value).lexically_normal().string(); }
};

// A value as it would stand after --set: the number 0.5, true, or the text itself.
std::string value_text(const toml::node& node, const std::string& where, const std::string& key) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto whole = node.value_exact<int64_t>()) return fmt::format("{}", *whole);
  if (const auto real = node.value_exact<double>()) return fmt::format("{}", *real);
  fail("{}: '{}' must be a text, a number, true or false", where, key);
}

// The table `key` as words like "top_k=3".
Names words_of(const Part& part, const std::string& key) {
  const toml::node* node = part.table.get(key);
  if (!node) return {};
  const toml::table* table = node->as_table();
  if (!table) fail("{}: '{}' is a table, as in {} = {{ name = \"value\" }}", part.where, key, key);
  Names words;
  for (const auto& [name, value] : *table)
    words.push_back(fmt::format("{}={}", name.str(),
                                value_text(value, part.where, fmt::format("{}.{}", key, name.str()))));
  return words;
}

Names texts_of(const Part& part) {
  const toml::node* node = part.table.get("text");
  if (!node) return {};
  const toml::array* list = node->as_array();
  if (!list) return {part.text("text")};
  Names texts;
  for (const toml::node& one : *list) {
    const std::optional<std::string> text = one.value_exact<std::string>();
    if (!text) fail("{}: 'text' is a text or a list of texts", part.where);
    texts.push_back(*text);
  }
  if (texts.empty()) fail("{}: 'text' is an empty list", part.where);
  return texts;
}

ProbeOptions prompts_of(const Part& part) {
  Names given;
  for (const std::string& key : prompt_keys)
    if (part.has(key)) given.push_back(key);
  if (given.size() > 1) fail("{}: gives {}; one of them is needed", part.where, fmt::join(given, " and "));
  ProbeOptions prompts;
  prompts.tokens = part.path("tokens");
  prompts.text_file = part.path("text_file");
  prompts.pack = part.text("probes");
  prompts.texts = texts_of(part);
  prompts.task = part.text("task");
  // A task is a file by its ending, else the name of one that is made.
  const std::string kind = fs::path(prompts.task).extension().string();
  if (kind == ".toml" || kind == ".jsonl" || kind == ".csv") prompts.task = part.placed(prompts.task);
  return prompts;
}

// Settings that name a file are paths of the recipe, too.
void place_files(const Part& part, RunWords& run) {
  const Names& files = analyses().get(run.analysis).file_settings;
  for (std::string& word : run.settings) {
    const size_t equals = word.find('=');
    const std::string value = word.substr(equals + 1);
    if (!value.empty() && std::find(files.begin(), files.end(), word.substr(0, equals)) != files.end())
      word = word.substr(0, equals + 1) + part.placed(value);
  }
}

ImportRequest import_of(const Part& part, const std::string& store) {
  part.check_keys({"source", "store", "steps", "branch", "map", "link", "compress"});
  ImportRequest request;
  request.source = part.path("source");
  request.store = part.has("store") ? part.path("store") : store;
  request.map = part.path("map");
  request.steps = part.text("steps");
  request.branch = part.text("branch");
  request.link = part.flag("link");
  request.compress = part.flag("compress");
  if (request.source.empty()) fail("{}: the key 'source' is missing", part.where);
  if (request.store.empty()) fail("{}: the key 'store' is missing, here and at the recipe's top", part.where);
  if (request.link && request.compress)
    fail("{}: 'link' and 'compress' do not go together: linked weights stay as they are", part.where);
  return request;
}

RunWords run_of(const Part& part, const RunWords& defaults) {
  part.check_keys(Names{"analysis", "store", "steps", "branch", "compute", "set", "with", "output"} +
                  prompt_keys);
  RunWords run = defaults;
  run.analysis = part.text("analysis");
  if (run.analysis.empty()) fail("{}: the key 'analysis' is missing; varve list analyses", part.where);
  if (part.has("store")) run.store = part.path("store");
  if (run.store.empty()) fail("{}: the key 'store' is missing, here and at the recipe's top", part.where);
  run.steps = part.text("steps", defaults.steps);
  run.branch = part.text("branch", defaults.branch);
  run.compute = part.text("compute", defaults.compute);
  run.output = part.path("output");
  if (const ProbeOptions own = prompts_of(part); own.given()) run.probes = own;
  run.settings = words_of(part, "set");
  run.inputs = words_of(part, "with");
  for (std::string& word : run.inputs) {
    const size_t equals = word.find('=');
    word = word.substr(0, equals + 1) + part.placed(word.substr(equals + 1));
  }
  try {
    check_words(run);
    place_files(part, run);
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}: {}", part.where, error.what()));
  }
  return run;
}

// The tables of a list like [[run]], each with its name for errors.
std::vector<Part> parts_of(const Part& top, const std::string& key) {
  const toml::node* node = top.table.get(key);
  if (!node) return {};
  const toml::array* list = node->as_array();
  std::vector<Part> parts;
  for (size_t i = 0; list && i < list->size(); ++i) {
    const toml::table* table = (*list)[i].as_table();
    if (table) parts.push_back({*table, fmt::format("{}: {} {}", top.where, key, i + 1), top.base});
  }
  if (!list || parts.size() != list->size())
    fail("{}: '{}' is a list of tables, each begun with [[{}]]", top.where, key, key);
  return parts;
}

void check_outputs(const std::vector<RunWords>& runs, const std::string& where) {
  for (size_t i = 0; i < runs.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (!runs[i].output.empty() && runs[i].output == runs[j].output)
        fail("{}: run {} and run {} would both write {}", where, j + 1, i + 1, runs[i].output.string());
}

}  // namespace

BatchRecipe read_batch_recipe(const fs::path& file) {
  toml::table table;
  try {
    table = toml::parse(read_file(file, recipe_limit_bytes), file.string());
  } catch (const toml::parse_error& error) {
    fail("{}, line {}: {}", file.string(), error.source().begin.line, error.description());
  }
  const Part top{table, file.string(), file.has_parent_path() ? file.parent_path() : fs::path(".")};
  top.check_keys(Names{"store", "steps", "branch", "compute", "import", "run"} + prompt_keys);
  RunWords defaults;
  defaults.store = top.path("store");
  defaults.steps = top.text("steps");
  defaults.branch = top.text("branch", defaults.branch);
  defaults.compute = top.text("compute", defaults.compute);
  defaults.probes = prompts_of(top);
  BatchRecipe recipe;
  for (const Part& part : parts_of(top, "import"))
    recipe.imports.push_back(import_of(part, defaults.store.string()));
  for (const Part& part : parts_of(top, "run")) recipe.runs.push_back(run_of(part, defaults));
  if (recipe.imports.empty() && recipe.runs.empty())
    fail("{}: asks for nothing; write [[run]] with analysis = \"logit-lens\", or [[import]]", file.string());
  check_outputs(recipe.runs, file.string());
  return recipe;
}

}  // namespace varve
