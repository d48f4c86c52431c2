// Copy as command line.
#include "app/session/command_line.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
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

// How the prompt is given to the program; ids need a file, which a line before makes.
std::string prompt_words(const Session& session, const Run& run, const std::string& text,
                         std::string& before) {
  if (run.request.probes.prompts.empty()) return "";
  if (text.rfind("ids:", 0) != 0 && session.opened()->tokenizer) return " --text " + shell_quoted(text);
  const std::string ids = fmt::format("[[{}]]", fmt::join(run.request.probes.prompts.front(), ", "));
  before = "python3 -c 'import numpy; numpy.save(\"prompt.npy\", " + ids + ")'\n";
  return " --tokens prompt.npy";
}

}  // namespace

std::string command_line_of(const Session& session, const OpenView& view, const ViewContent& content) {
  if (!content.view || !content.data || content.key.empty()) return "";
  const std::string store = session.opened()->store->folder().string();
  std::string lines;
  const Run* run = session.run_of(content.analysis);
  if (run && view.result.which != ResultRef::Which::stored) {
    std::string before;
    const std::string prompt =
        prompt_words(session, *run, session.choice().asked.at(content.analysis).text, before);
    lines = before + "varve run " + run->request.analysis + " " + shell_quoted(store);
    if (view.result.which == ResultRef::Which::cell) lines += " --steps " + std::to_string(content.step);
    lines += prompt;
    if (run->request.branch != "main") lines += " --branch " + shell_quoted(run->request.branch);
    for (const auto& [name, value] : run->request.settings)
      lines += " --set " + shell_quoted(name + "=" + value);
    lines += "\n";
  }
  PlotRecipe recipe;
  recipe.result = store + ":" + content.key;
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
