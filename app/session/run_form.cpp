// Reading the fields of the run form.
#include "app/session/run_form.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/command_line.h"
#include "app/session/prompt.h"
#include "app/session/run_inputs.h"

namespace varve {

namespace {

// Settings without bounds carry numbers of this size; nobody types those.
constexpr double unbounded = 1e15;

std::string bound(const SettingInfo& info, double value) {
  return info.kind == SettingKind::integer ? show_count(static_cast<int64_t>(value)) : show_number(value);
}

std::string need_of(const SettingInfo& info) {
  if (info.kind == SettingKind::choice) {
    std::string words = "one of ";
    for (size_t i = 0; i < info.choices.size(); ++i) words += (i == 0 ? "" : ", ") + info.choices[i];
    return words;
  }
  if (info.kind == SettingKind::boolean) return "true or false";
  const bool low = info.range.low > -unbounded, high = info.range.high < unbounded;
  if (low && high) return bound(info, info.range.low) + " to " + bound(info, info.range.high);
  if (low) return bound(info, info.range.low) + " or more";
  if (high) return bound(info, info.range.high) + " or less";
  return info.kind == SettingKind::integer ? "a whole number" : "a number";
}

// What `read` throws becomes the problem of that field.
template <class Read>
void field(FormReading& reading, const std::string& name, const std::string& label, Read read) {
  try {
    read();
  } catch (const Error& error) {
    reading.problems.push_back({name, label, error.what()});
  }
}

void read_steps(FormReading& reading, const RunForm& form, const RunPlace& place) {
  if (form.steps == RunForm::Steps::all) return;
  if (form.steps == RunForm::Steps::pinned) {
    if (!place.pin) {
      reading.problems.push_back(
          {"steps", "checkpoints", "a pinned step: press A on the one to compare with"});
      return;
    }
    reading.request.steps = {std::min(*place.pin, place.now), std::max(*place.pin, place.now)};
    if (*place.pin == place.now) reading.request.steps.pop_back();
    return;
  }
  field(reading, "steps", "checkpoints", [&] {
    reading.request.steps = parse_steps(form.list, place.steps);
    if (reading.request.steps.empty()) fail("steps that exist, as in 0,1:512:x2,last");
  });
}

}  // namespace

int64_t memory_in(const std::string& words) {
  std::string size = words;
  std::erase(size, ' ');
  if (size.empty()) return 0;
  try {
    if (const int64_t bytes = parse_bytes(size); bytes > 0) return bytes;
  } catch (const Error&) {
  }
  fail("a size, as in 2 GB; empty for no limit");
}

std::string setting_label(const std::string& name) {
  std::string label = name;
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

std::optional<std::string> setting_problem(const SettingInfo& info, const std::string& value) {
  try {
    normalise({info}, {{info.name, value}}, "");
  } catch (const Error&) {
    return need_of(info);
  }
  return std::nullopt;
}

SettingValues changed_settings(const std::vector<SettingInfo>& declared, const SettingValues& given) {
  SettingValues changed;
  const SettingValues normal = normalise(declared, given, "these settings");
  for (const SettingInfo& info : declared)
    if (normal.at(info.name) != info.default_text) changed[info.name] = normal.at(info.name);
  return changed;
}

namespace {

// Only words: files and results are read by the run itself.
void read_inputs_of(FormReading& reading, const RunForm& form, const Analysis& analysis) {
  for (const InputInfo& input : analysis.inputs) {
    const auto given = form.inputs.find(input.name);
    field(reading, input_field(input), setting_label(input.name), [&] {
      const InputWords words = words_of_input(input, given == form.inputs.end() ? "" : given->second);
      if (words.empty() && input.needed) fail("{}", input.help);
      for (const auto& [name, where] : words) {
        check_input(where);
        reading.request.inputs.emplace(name, Dataset());
        reading.inputs.emplace(name, where);
      }
    });
  }
}

}  // namespace

std::string setting_field(const SettingInfo& info) { return "set " + info.name; }
std::string input_field(const InputInfo& input) { return "with " + input.name; }

FormReading read_form(const RunForm& form, const RunPlace& place) {
  FormReading reading;
  const Analysis& analysis = analyses().get(form.analysis);
  RunRequest& request = reading.request;
  request.analysis = form.analysis;
  request.branch = place.branch;
  for (const SettingInfo& info : analysis.settings) {
    const auto given = form.settings.find(info.name);
    if (given == form.settings.end()) continue;
    if (const auto problem = setting_problem(info, given->second))
      reading.problems.push_back({setting_field(info), setting_label(info.name), *problem});
    else
      request.settings[info.name] = given->second;
  }
  if (reading.problems.empty()) request.settings = changed_settings(analysis.settings, request.settings);
  read_inputs_of(reading, form, analysis);
  if (analysis.needs_probes && makes_cells(analysis, request.inputs)) {
    const Prompt prompt = read_prompt(form.text, *place.opened);
    if (!prompt.problem.empty())
      reading.problems.push_back({"prompt", "prompt", prompt.problem});
    else if (prompt.probes.prompts.empty())
      reading.problems.push_back({"prompt", "prompt", "some text"});
    request.probes = prompt.probes;
  }
  read_steps(reading, form, place);
  field(reading, "precision", "precision", [&] { request.compute = compute_from(form.compute); });
  request.max_memory = place.max_memory;
  if (!form.memory.empty())
    field(reading, "memory", "memory", [&] { request.max_memory = memory_in(form.memory); });
  return reading;
}

std::string FormReading::off() const {
  if (problems.empty()) return "";
  std::string words = problems.front().words;
  if (!words.empty() && words.back() == '.') words.pop_back();
  return "Run is off: “" + problems.front().label + "” needs " + words + ".";
}

std::string show_flops(double flops) {
  struct Unit {
    double size;
    const char* name;
  };
  for (const Unit& unit : {Unit{1e18, "EFLOP"}, {1e15, "PFLOP"}, {1e12, "TFLOP"}, {1e9, "GFLOP"}})
    if (flops >= unit.size) return show_number(flops / unit.size) + " " + unit.name;
  return show_number(flops / 1e6) + " MFLOP";
}

std::vector<std::string> cost_lines(const Estimate& estimate, const RunRequest& request) {
  const int64_t all = estimate.cells_cached + estimate.cells_to_compute;
  std::vector<std::string> lines;
  if (all == 0) return {"Made of what is given", "no checkpoint is read"};
  if (estimate.cells_to_compute == 0) {
    lines.push_back(all == 1 ? "The cell is there" : "All " + show_count(all) + " cells are there");
    lines.emplace_back("nothing to compute");
    return lines;
  }
  lines.push_back(show_count(estimate.cells_cached) + " of " + show_count(all) +
                  (estimate.cells_cached == 1 ? " cells is there" : " cells are there"));
  if (!request.probes.prompts.empty()) {
    const auto prompts = static_cast<int64_t>(request.probes.prompts.size());
    lines.push_back(
        show_count(estimate.cells_to_compute) + (estimate.cells_to_compute == 1 ? " step, " : " steps, ") +
        (prompts == 1 ? "1 prompt" : show_count(prompts) + " prompts") + " of " +
        show_count(request.probes.tokens()) + (request.probes.tokens() == 1 ? " token" : " tokens"));
  }
  // Where nothing is read by a forward the estimate knows no time; then it says none.
  if (estimate.flops > 0) {
    lines.push_back("about " + show_seconds(std::max(estimate.seconds, 0.1)) + " · " +
                    show_bytes(estimate.bytes_to_read) + " to read");
    lines.push_back(show_flops(estimate.flops) + " · peak " + show_bytes(estimate.peak_bytes));
  } else {
    lines.emplace_back("reads weights only, no forward");
  }
  if (estimate.passes > 1)
    lines.push_back(show_count(estimate.passes) + " passes over the weights, to stay within the memory");
  return lines;
}

std::string command_of(const RunForm& form, const RunPlace& place) {
  const FormReading reading = read_form(form, place);
  if (!reading.problems.empty()) return "";
  const RunRequest& request = reading.request;
  std::string before,
      line = "varve run " + request.analysis + " " + shell_quoted(place.opened->store->folder().string());
  if (form.steps == RunForm::Steps::list) line += " --steps " + shell_quoted(form.list);
  if (form.steps == RunForm::Steps::pinned) line += fmt::format(" --steps {}", fmt::join(request.steps, ","));
  if (request.branch != "main") line += " --branch " + shell_quoted(request.branch);
  if (!request.probes.prompts.empty()) {
    const auto after = [&](const char* word) { return form.text.rfind(word, 0) == 0; };
    if (const auto named = named_prompts(form.text)) {
      line += " " + named->option + " " + shell_quoted(named->name);
    } else if (after("ids:") || after("as in:") || !place.opened->tokenizer) {
      // The program takes ids from a file only; short prompts are filled up with -1 and their lengths said.
      std::string rows, lengths;
      for (const std::vector<int64_t>& prompt : request.probes.prompts) {
        std::vector<int64_t> row = prompt;
        row.resize(static_cast<size_t>(request.probes.longest()), -1);
        rows += fmt::format("{}[{}]", rows.empty() ? "" : ", ", fmt::join(row, ", "));
        lengths += fmt::format("{}{}", lengths.empty() ? "" : ", ", prompt.size());
      }
      before = "python3 -c 'import numpy; numpy.savez(\"prompts.npz\", tokens=numpy.array([" + rows +
               "]), lengths=numpy.array([" + lengths + "]))'\n";
      line += " --tokens prompts.npz";
    } else {
      line += " --text " + shell_quoted(form.text);
    }
  }
  for (const auto& [name, where] : reading.inputs) line += " --with " + shell_quoted(name + "=" + where);
  for (const auto& [name, value] : request.settings) line += " --set " + shell_quoted(name + "=" + value);
  if (request.compute != Compute::f32) line += " --compute " + name_of(request.compute);
  if (request.max_memory > 0) line += fmt::format(" --max-memory {}", request.max_memory);
  return before + line + "\n";
}

std::string form_words(const RunForm& form) {
  std::string words;
  for (const auto& [name, value] : form.settings)
    words += (words.empty() ? "" : ", ") + setting_label(name) + " " + value;
  for (const auto& [name, where] : form.inputs)
    if (!where.empty())
      words += (words.empty() ? "" : ", ") + setting_label(name) + " " +
               std::filesystem::path(where).filename().string();
  if (!form.text.empty()) words += (words.empty() ? "" : " · ") + form.text;
  if (form.steps == RunForm::Steps::list) words += " · steps " + form.list;
  if (form.steps == RunForm::Steps::pinned) words += " · A and now";
  if (form.compute != "f32") words += " · " + form.compute;
  return words.empty() ? "as declared" : words;
}

}  // namespace varve
