// Models and settings in words and as JSON, alike in every verb.
#pragma once

#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/settings.h"
#include "analysis/model/spec.h"
#include "app/console/json_text.h"

namespace varve {

std::string describe(const ModelSpec& spec);       // "gpt_neox, 4 layers, d_model 64, 4 heads of 16 ..."
std::string describe(const SettingInfo& setting);  // "top_k INTEGER (1 to 1000, default 5)  how many ..."
Json to_json(const SettingInfo& setting);
Json checks_json(const std::vector<Check>& checks);
// "6 checks passed", or the ones that failed, a line each.
std::string describe(const std::vector<Check>& checks);

}  // namespace varve
