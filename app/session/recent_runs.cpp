// Recent runs as JSON.
#include "app/session/recent_runs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

namespace {

constexpr int64_t limit_bytes = 4 << 20;

const char* word_of(RunForm::Steps steps) {
  return steps == RunForm::Steps::all ? "all" : steps == RunForm::Steps::list ? "list" : "pinned";
}

RunForm::Steps steps_of(const std::string& word) {
  return word == "list"     ? RunForm::Steps::list
         : word == "pinned" ? RunForm::Steps::pinned
                            : RunForm::Steps::all;
}

}  // namespace

std::string forms_to_json(const std::vector<RunForm>& forms) {
  nlohmann::json all = nlohmann::json::array();
  for (const RunForm& form : forms)
    all.push_back({{"analysis", form.analysis},
                   {"settings", form.settings},
                   {"text", form.text},
                   {"steps", word_of(form.steps)},
                   {"list", form.list},
                   {"compute", form.compute},
                   {"memory", form.memory},
                   {"inputs", form.inputs}});
  return all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<RunForm> forms_from_json(const std::string& json) {
  std::vector<RunForm> forms;
  try {
    for (const nlohmann::json& one : nlohmann::json::parse(json)) {
      RunForm form;
      form.analysis = one.at("analysis").get<std::string>();
      form.settings = one.value("settings", SettingValues{});
      form.text = one.value("text", "");
      form.steps = steps_of(one.value("steps", "all"));
      form.list = one.value("list", form.list);
      form.compute = one.value("compute", form.compute);
      form.memory = one.value("memory", "");
      form.inputs = one.value("inputs", SettingValues{});
      forms.push_back(std::move(form));
    }
  } catch (const nlohmann::json::exception& problem) {
    fail("this is no list of recent runs: {}", problem.what());
  }
  return forms;
}

void remember_run(std::vector<RunForm>& forms, const RunForm& form) {
  std::erase(forms, form);
  forms.insert(forms.begin(), form);
  if (forms.size() > most_recent_runs) forms.resize(most_recent_runs);
}

std::vector<RunForm> read_recent_runs(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return forms_from_json(read_file(file, limit_bytes));
  } catch (const Error& error) {
    fail("{}: {}. Remove the file to begin anew.", file.string(), error.what());
  }
}

void write_recent_runs(const std::filesystem::path& file, const std::vector<RunForm>& forms) {
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, forms_to_json(forms));
}

}  // namespace varve
