// What a run reads beside its checkpoints, as --with and the form name it: results of a store, and tables.
#pragma once

#include <string>

#include "analysis/core/settings.h"
#include "analysis/inputs.h"
#include "analysis/store/run_store.h"

namespace varve {

// Name of the input -> STORE:KEY or FILE[:ARRAY] or a folder.
using InputWords = SettingValues;

// The one result whose key begins so. Throws Error: none, or several, naming them.
ResultInfo find_result(const RunStore& store, const std::string& key_prefix);

Inputs read_inputs(const InputWords& words);  // throws Error

// Only whether it is there, without reading it. Throws Error.
void check_input(const std::string& where);

// An input that may be given several times is one text: "70m=a.varve:3f9a; 160m=b.varve:77c1".
InputWords words_of_input(const InputInfo& input, const std::string& text);

}  // namespace varve
