// Runs that were started before, newest first, for "Run again" and "Recent settings": one small JSON file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/session/run_form.h"

namespace varve {

constexpr size_t most_recent_runs = 20;

std::string forms_to_json(const std::vector<RunForm>& forms);
std::vector<RunForm> forms_from_json(const std::string& json);  // throws Error on what is no such list

void remember_run(std::vector<RunForm>& forms, const RunForm& form);  // to the front, once
// Empty where the file is absent. A damaged file is an Error that names it.
std::vector<RunForm> read_recent_runs(const std::filesystem::path& file);
void write_recent_runs(const std::filesystem::path& file, const std::vector<RunForm>& forms);  // atomic

}  // namespace varve
