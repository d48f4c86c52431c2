// What a RESULT argument stands for: a .h5 file, or STORE:KEY.
#include "app/console/result_option.h"

#include <filesystem>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "app/console/source.h"

namespace varve {

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

Dataset open_result(const std::string& argument) {
  std::error_code problem;
  if (std::filesystem::is_regular_file(argument, problem)) return read_dataset(argument);
  const size_t colon = argument.rfind(':');
  if (colon == std::string::npos) {
    require_exists(argument);
    fail_usage("{}: a result is a .h5 file or STORE:KEY", argument);
  }
  const auto store = open_store(argument.substr(0, colon));
  const ResultInfo info = find_result(*store, argument.substr(colon + 1));
  std::optional<Dataset> data = store->result(info.analysis, info.key);
  if (!data) fail("{}: the result vanished while it was being read", argument);
  return std::move(*data);
}

SettingValues settings_of(const std::vector<std::string>& words) {
  SettingValues values;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) fail_usage("'{}' is no key=value", word);
    if (!values.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      fail_usage("'{}' is given twice", word.substr(0, equals));
  }
  return values;
}

}  // namespace varve
