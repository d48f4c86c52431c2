// Copy as command line.
#include "app/session/command_line.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "app/session/plot_recipe.h"

namespace varve {

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view safe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(safe) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

namespace {

// How the prompt is given to the program; ids need a file, which a line before makes. None where there are
// too many.
constexpr size_t most_ids = 10'000;

std::optional<std::string> prompt_words(const Session& session, const Run& run, const std::string& text,
                                        std::string& before) {
  if (run.request.probes.prompts.empty()) return "";
  if (const auto named = named_prompts(text)) return " " + named->option + " " + shell_quoted(named->name);
  const bool is_text = text.rfind("ids:", 0) != 0 && text.rfind("as in:", 0) != 0;
  if (is_text && session.opened()->tokenizer) return " --text " + shell_quoted(text);
  const std::vector<std::vector<int64_t>>& prompts = run.request.probes.prompts;
  size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  // No shell takes a word of any length; the result's key says the same prompts.
  if (prompts.size() * longest > most_ids) return std::nullopt;
  std::string rows, lengths;
  for (std::vector<int64_t> prompt : prompts) {
    lengths += (lengths.empty() ? "" : ", ") + std::to_string(prompt.size());
    prompt.resize(longest, 0);
    rows += (rows.empty() ? "[" : ", [") + fmt::format("{}", fmt::join(prompt, ", ")) + "]";
  }
  if (prompts.size() == 1) {
    before = "python3 -c 'import numpy; numpy.save(\"prompt.npy\", [" + rows + "])'\n";
    return " --tokens prompt.npy";
  }
  before = "python3 -c 'import numpy; numpy.savez(\"prompts.npz\", ids=[" + rows + "], lengths=[" + lengths +
           "])'\n";
  return " --tokens prompts.npz:ids";
}

}  // namespace

std::string command_line_of(const Session& session, const OpenView& view, const ViewContent& content) {
  if (!content.view || !content.data || content.key.empty()) return "";
  const std::string store = session.opened()->store->folder().string();
  std::string lines;
  const Run* run = session.run_of(content.analysis);
  if (run && view.result.which != ResultRef::Which::stored) {
    std::string before;
    const std::optional<std::string> prompt =
        prompt_words(session, *run, session.choice().asked.at(content.analysis).text, before);
    if (prompt) {
      lines = before + "varve run " + run->request.analysis + " " + shell_quoted(store);
      if (view.result.which == ResultRef::Which::cell) lines += " --steps " + std::to_string(content.step);
      lines += *prompt;
      for (const auto& [name, where] : run->inputs) lines += " --with " + shell_quoted(name + "=" + where);
      if (run->request.branch != "main") lines += " --branch " + shell_quoted(run->request.branch);
      for (const auto& [name, value] : run->request.settings)
        lines += " --set " + shell_quoted(name + "=" + value);
      lines += "\n";
    }
  }
  PlotRecipe recipe;
  recipe.result = store + ":" + content.key;
  if (!content.pinned_key.empty()) {
    const bool is_series = content.pinned_key == content.key;
    recipe.against =
        is_series ? fmt::format("step={}", content.pinned_step) : store + ":" + content.pinned_key;
    recipe.step = content.step;
    recipe.against_step = content.pinned_step;
  }
  recipe.view = content.view->name;
  recipe.options = content.options;
  recipe.selection = content.selection;
  const std::string of = content.step >= 0 ? "-step" + std::to_string(content.step) : "";
  recipe.output = content.view->name + of + ".svg";
  return lines + plot_line(recipe, *content.data) + "\n";
}

std::string python_of(const Session& session, const OpenView& view, const ViewContent& content) {
  if (!content.view || !content.data || content.key.empty()) return "";
  // JSON's text literals are Python's, too; so are its numbers.
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(-1, ' ', true); };
  std::string options, places;
  for (const SettingInfo& info : content.view->options)
    if (const std::string& value = content.options.at(info.name); value != info.default_text)
      options += (options.empty() ? "" : ", ") + quoted(info.name) + ": " + quoted(value);
  for (const auto& [axis, index] : content.selection.at) {
    const Array* ticks = axis == "step" ? content.data->coord(axis) : nullptr;
    places += (places.empty() ? "" : ", ") + quoted(axis) + ": " +
              (ticks ? ticks->text(index) : std::to_string(index));
  }
  std::string lines = "import varve\n\n";
  lines += "store = varve.open(" + quoted(session.opened()->store->folder().string()) + ")\n";
  lines += "result = store.result(" + quoted(content.key) + ")  # " + content.analysis;
  if (view.result.which == ResultRef::Which::cell) lines += " at step " + std::to_string(content.step);
  lines += "\nresult.plot(" + quoted(content.view->name + ".svg") + ", view=" + quoted(content.view->name) +
           ", options={" + options + "}, select={" + places + "})\n";
  return lines;
}

}  // namespace varve
