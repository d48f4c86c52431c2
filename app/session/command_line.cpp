// Copy as command line.
#include "app/session/command_line.h"

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
  const std::string file = run->request.analysis + "-step" + std::to_string(shown.step);

  std::string line = "varve run " + run->request.analysis + " " + shell_quoted(store);
  line += " --steps " + std::to_string(shown.step);
  line += " --text " + shell_quoted(choice.text);
  for (const auto& [name, value] : run->request.settings)
    line += " --set " + shell_quoted(name + "=" + value);
  line += " -o " + shell_quoted(file + ".h5");

  line += "\nvarve plot " + shell_quoted(file + ".h5") + " --view " + view;
  for (const auto& [name, value] : choice.options) line += " --set " + shell_quoted(name + "=" + value);
  return line + " -o " + shell_quoted(file + ".svg") + "\n";
}

}  // namespace varve
