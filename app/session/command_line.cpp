// Copy as command line.
#include "app/session/command_line.h"

#include <fmt/ranges.h>

#include <string_view>

namespace varve {

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view safe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(safe) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_line_of(const Session& session, const std::string& view) {
  const Run* run = session.current_run();
  const Shown shown = session.shown();
  if (!run || !shown.data) return "";
  const Choice& choice = session.choice();
  const std::string store = session.opened()->store->folder().string();
  const std::string step = std::to_string(shown.step);

  std::string lines;
  std::string prompt = "--text " + shell_quoted(choice.text);
  if (choice.text.rfind("ids:", 0) == 0 || !session.opened()->tokenizer) {
    // The program takes ids from a file only.
    const std::string ids = fmt::format("[[{}]]", fmt::join(run->request.probes.prompts.front(), ", "));
    lines = "python3 -c 'import numpy; numpy.save(\"prompt.npy\", " + ids + ")'\n";
    prompt = "--tokens prompt.npy";
  }
  lines +=
      "varve run " + run->request.analysis + " " + shell_quoted(store) + " --steps " + step + " " + prompt;
  if (run->request.branch != "main") lines += " --branch " + shell_quoted(run->request.branch);
  for (const auto& [name, value] : run->request.settings)
    lines += " --set " + shell_quoted(name + "=" + value);

  lines += "\nvarve plot " + shell_quoted(store + ":" + shown.key) + " --view " + view;
  for (const auto& [name, value] : choice.options) lines += " --set " + shell_quoted(name + "=" + value);
  for (const auto& [axis, index] : choice.selection.at)
    lines += " --select " + axis + "=" + std::to_string(index);
  return lines + " -o " + shell_quoted(view + "-step" + step + ".svg") + "\n";
}

}  // namespace varve
