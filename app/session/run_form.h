// The form that starts a run: what stands in its fields, what is wrong with them, and what the run would
// cost.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/estimate.h"
#include "app/session/opened.h"

namespace varve {

// Everything as text, as it was typed; what is not in `settings` is at its default.
struct RunForm {
  enum class Steps { all, list, pinned };
  std::string analysis;
  SettingValues settings = {};
  std::string text = {};  // the prompts, as read_prompt takes them
  Steps steps = Steps::all;
  std::string list = "first,last";  // which steps, as after --steps
  std::string compute = "f32";
  std::string memory = {};    // "2 GB"; empty: as much as it takes
  SettingValues inputs = {};  // what it reads beside the checkpoints, each as words_of_input takes it
  bool operator==(const RunForm&) const = default;
};

struct FieldProblem {
  std::string field;  // "prompt", "steps", "memory", "set top_k", "with metric"
  std::string label;  // as the form writes it
  std::string words;  // what it needs: "1 or more"
};

// Where the run would take place.
struct RunPlace {
  std::shared_ptr<const Opened> opened;
  std::string branch;
  std::vector<int64_t> steps;  // of the branch
  int64_t now = 0;
  std::optional<int64_t> pin;  // A
  int64_t max_memory = 0;      // where the form says none; 0: no limit
};

struct FormReading {
  std::vector<FieldProblem> problems;
  RunRequest request;       // where there is no problem; of its inputs only the names
  SettingValues inputs;     // name -> STORE:KEY or FILE[:ARRAY]
  std::string off() const;  // "Run is off: starts needs 1 or more."; empty where it can begin
};
FormReading read_form(const RunForm& form, const RunPlace& place);

// Names among the fields, which have a "steps" of their own: "set steps", "with metric".
std::string setting_field(const SettingInfo& info);
std::string input_field(const InputInfo& input);

// What a setting needs, where `value` is none that it takes: "1 or more", "a whole number", "1 to 64".
std::optional<std::string> setting_problem(const SettingInfo& info, const std::string& value);
// Only what differs from the defaults, in its normal form: the same run is then known as the same.
SettingValues changed_settings(const std::vector<SettingInfo>& declared, const SettingValues& given);
int64_t memory_in(const std::string& words);         // "2 GB" in bytes, "" is 0; throws Error
std::string setting_label(const std::string& name);  // "top_k" -> "top k"

// One line each: what is there already, time, what is read and computed, memory.
std::vector<std::string> cost_lines(const Estimate& estimate, const RunRequest& request);
std::string show_flops(double flops);  // "3.42 TFLOP"

// The `varve run` line of the form; empty while something is wrong with it.
std::string command_of(const RunForm& form, const RunPlace& place);

// "16 of 16 steps · The king said": how recent runs and jobs name a form.
std::string form_words(const RunForm& form);

}  // namespace varve
