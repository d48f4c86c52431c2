// What a RESULT argument stands for: a .h5 file, or STORE:KEY.
#include "app/console/result_option.h"

#include <filesystem>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "app/console/source.h"
#include "app/session/run_inputs.h"

namespace varve {

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
