// series.toml: a hand-written list of checkpoints, for runs whose folders do not say what they are.
//   name = "my run"             optional
//   tokenizer = "tok.json"      optional
//   [[checkpoint]]
//   path = "runs/a/final"       folder with config.json and weights, relative to the manifest
//   step = 1000                 may be left out where the folder's name says it
//   tokens = 2097152000         optional
//   label = "final"             optional
//   branch = "seed2"            optional
#include <toml++/toml.h>
#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "loaders/series_parts.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr int64_t manifest_limit = 64'000'000;

void check_keys(const toml::table& table, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail("{}: the key '{}' is not known; did you mean '{}'?", where, name, nearest(name, known));
  }
}

std::optional<std::string> text_of(const toml::table& table, const char* key, const std::string& where) {
  const toml::node* node = table.get(key);
  if (!node) return std::nullopt;
  const std::optional<std::string> text = node->value_exact<std::string>();
  if (!text || text->empty()) fail("{}: '{}' must be text in quotes", where, key);
  return text;
}

std::optional<int64_t> count_of(const toml::table& table, const char* key, const std::string& where) {
  const toml::node* node = table.get(key);
  if (!node) return std::nullopt;
  const std::optional<int64_t> count = node->value_exact<int64_t>();
  if (!count || *count < 0) fail("{}: '{}' must be a whole number from 0", where, key);
  return count;
}

CheckpointSource only_checkpoint(const fs::path& file, const std::string& where) {
  std::vector<std::string> notes;
  std::vector<CheckpointSource> found = checkpoints_in_file(file, file.parent_path(), notes);
  if (found.size() != 1)
    fail("{}: {} holds {} checkpoints; give it alone as the source, not in a list", where, file.string(),
         found.size());
  return found.front();
}

CheckpointSource read_entry(const toml::table& entry, const fs::path& base, const std::string& where,
                            Described described) {
  check_keys(entry, {"path", "step", "tokens", "label", "branch"}, where);
  const std::optional<std::string> path = text_of(entry, "path", where);
  if (!path) fail("{}: the key 'path' is missing", where);
  const fs::path named_path = (base / *path).lexically_normal();
  const fs::path plain = named_path.has_filename() ? named_path : named_path.parent_path();
  const bool file = fs::is_regular_file(plain);
  if (!file && !fs::is_directory(plain)) fail("{}: there is no folder or file {}", where, plain.string());
  if (!file && described == Described::by_config && !fs::exists(plain / "config.json"))
    fail("{}: {} has no config.json", where, plain.string());
  const std::string own_name = file ? plain.stem().string() : plain.filename().string();
  CheckpointSource checkpoint = file ? only_checkpoint(plain, where) : checkpoint_in(plain, own_name);
  const std::optional<RevisionName> named = parse_revision(own_name);
  const std::optional<int64_t> step = count_of(entry, "step", where);
  if (!step && !(named && named->step >= 0))
    fail("{}: 'step' is missing and the name '{}' says none", where, own_name);
  if (step) checkpoint.step = *step;
  checkpoint.tokens = count_of(entry, "tokens", where).value_or(checkpoint.tokens);
  checkpoint.label = text_of(entry, "label", where).value_or(checkpoint.label);
  checkpoint.branch = text_of(entry, "branch", where).value_or(checkpoint.branch);
  return checkpoint;
}

}  // namespace

SeriesSource read_manifest(const fs::path& file, Described described) {
  toml::table table;
  try {
    table = toml::parse(read_file(file, manifest_limit), file.string());
  } catch (const toml::parse_error& error) {
    fail("{}: line {}: {}", file.string(), error.source().begin.line, error.description());
  }
  check_keys(table, {"name", "tokenizer", "checkpoint"}, file.string());
  SeriesSource series;
  series.kind = "manifest";
  const fs::path base = file.has_parent_path() ? file.parent_path() : fs::path(".");
  series.name = text_of(table, "name", file.string())
                    .value_or(fs::absolute(base).lexically_normal().filename().string());
  if (const auto tokenizer = text_of(table, "tokenizer", file.string())) {
    series.tokenizer = base / *tokenizer;
    if (!fs::is_regular_file(*series.tokenizer))
      fail("{}: there is no tokenizer file {}", file.string(), series.tokenizer->string());
  }
  const toml::array* entries = table["checkpoint"].as_array();
  if (!entries || entries->empty())
    fail("{}: lists no checkpoint; each needs a [[checkpoint]] with path and step", file.string());
  for (size_t i = 0; i < entries->size(); ++i) {
    const std::string where = fmt::format("{}: checkpoint {}", file.string(), i + 1);
    const toml::table* entry = (*entries)[i].as_table();
    if (!entry) fail("{}: not a [[checkpoint]] table", where);
    series.checkpoints.push_back(read_entry(*entry, base, where, described));
  }
  return series;
}

}  // namespace varve
