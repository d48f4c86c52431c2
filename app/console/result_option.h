// What a RESULT argument stands for: a .h5 file, or STORE:KEY.
#pragma once

#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/settings.h"
#include "analysis/store/run_store.h"

namespace varve {

Dataset open_result(const std::string& argument);  // throws Error

// "key=value" words as settings. Throws Error (usage).
SettingValues settings_of(const std::vector<std::string>& words);

}  // namespace varve
