// Inputs of a run from words.
#include "app/session/run_inputs.h"

#include <filesystem>

#include "analysis/core/error.h"
#include "app/session/trimmed.h"
#include "loaders/table.h"

namespace varve {

namespace {

// "STORE:KEY" apart; an empty store where it names none.
std::pair<std::string, std::string> store_and_key(const std::string& where) {
  const size_t colon = where.rfind(':');
  if (colon == std::string::npos || !RunStore::is_store(where.substr(0, colon))) return {};
  return {where.substr(0, colon), where.substr(colon + 1)};
}

Dataset read_input(const std::string& where) {
  const auto [folder, key] = store_and_key(where);
  Dataset data;
  if (folder.empty()) {
    data = read_table(where);
  } else {
    const auto store = RunStore::open(folder);
    const ResultInfo info = find_result(*store, key);
    std::optional<Dataset> found = store->result(info.analysis, info.key);
    if (!found) fail("{}: the result vanished while it was being read", where);
    data = std::move(*found);
  }
  data.provenance["source"] = where;
  return data;
}

}  // namespace

ResultInfo find_result(const RunStore& store, const std::string& key_prefix) {
  if (key_prefix.empty()) fail_usage("the key is empty; varve info --json lists the keys of a store");
  std::vector<ResultInfo> found;
  for (const ResultInfo& one : store.results())
    if (one.key.rfind(key_prefix, 0) == 0) found.push_back(one);
  if (found.empty())
    fail("{}: no result has a key that begins with '{}'; varve info --json lists the keys",
         store.folder().string(), key_prefix);
  if (found.size() > 1)
    fail_usage("'{}' begins {} keys, {} of {} and {} of {} among them; give more of it", key_prefix,
               found.size(), found[0].key, found[0].analysis, found[1].key, found[1].analysis);
  return found.front();
}

Inputs read_inputs(const InputWords& words) {
  Inputs inputs;
  for (const auto& [name, where] : words) inputs.emplace(name, read_input(where));
  return inputs;
}

void check_input(const std::string& where) {
  if (const auto [folder, key] = store_and_key(where); !folder.empty()) {
    find_result(*RunStore::open(folder), key);
    return;
  }
  std::error_code problem;
  if (std::filesystem::exists(where, problem)) return;
  const size_t colon = where.rfind(':');
  if (colon != std::string::npos && std::filesystem::exists(where.substr(0, colon), problem)) return;
  fail("{}: no such file or folder, and no STORE:KEY", where);
}

InputWords words_of_input(const InputInfo& input, const std::string& text) {
  InputWords words;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = input.several ? std::min(text.find(';', begin), text.size()) : text.size();
    const std::string one = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (one.empty()) continue;
    const size_t equals = input.several ? one.find('=') : std::string::npos;
    const bool is_labelled = equals != std::string::npos && one.find('/') > equals;
    std::string name = is_labelled ? input.name + "." + trimmed(one.substr(0, equals)) : input.name;
    // Those without a name are counted: set, set.2, set.3.
    for (int number = 2; !is_labelled && words.contains(name); ++number)
      name = input.name + "." + std::to_string(number);
    if (!words.emplace(name, is_labelled ? trimmed(one.substr(equals + 1)) : one).second)
      fail_usage("names that differ, as in 70m=FIRST; 160m=SECOND ('{}' is there twice)", name);
  }
  return words;
}

}  // namespace varve
