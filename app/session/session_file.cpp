// Reading and writing the session file.
#include "app/session/session_file.h"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/session/choice_json.h"

namespace varve {

namespace {
constexpr int64_t largest_session_file = 8 << 20;
constexpr size_t most_recent = 12;
}  // namespace

Remembered read_session_file(const std::filesystem::path& file) {
  Remembered remembered;
  if (!std::filesystem::exists(file)) return remembered;
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(file, largest_session_file));
    remembered.recent = json.value("recent", std::vector<std::string>{});
    remembered.text = json.value("text", "");
    remembered.theme = json.value("theme", "");
    remembered.geometry = json.value("geometry", "");
    remembered.pinned = json.value("pinned", std::vector<std::string>{});
    remembered.open = json.value("open", std::vector<std::string>{});
    remembered.keys = json.value("keys", std::map<std::string, std::string>{});
    remembered.palette = json.value("palette", std::vector<std::string>{});
    remembered.other = json.value("other", std::map<std::string, std::string>{});
    const nlohmann::json choices = json.value("choices", nlohmann::json::object());
    for (const auto& [series, choice] : choices.items())
      remembered.choices[series] = choice_of(choice.dump());
    const nlohmann::json layouts = json.value("layouts", nlohmann::json::object());
    for (const auto& [number, bench] : layouts.items())
      if (number.size() == 1 && number >= "6" && number <= "9")
        remembered.layouts[number.front() - '0'] = bench_of(bench.dump());
  } catch (const nlohmann::json::exception& problem) {
    fail("{}: the session file cannot be read ({}). Move it away to start afresh.", file.string(),
         problem.what());
  }
  if (remembered.recent.size() > most_recent) remembered.recent.resize(most_recent);
  return remembered;
}

std::string session_text(const Remembered& remembered) {
  nlohmann::json json = {{"version", 2},
                         {"recent", remembered.recent},
                         {"text", remembered.text},
                         {"theme", remembered.theme},
                         {"geometry", remembered.geometry},
                         {"pinned", remembered.pinned},
                         {"open", remembered.open},
                         {"keys", remembered.keys},
                         {"palette", remembered.palette},
                         {"other", remembered.other},
                         {"choices", nlohmann::json::object()},
                         {"layouts", nlohmann::json::object()}};
  for (const auto& [series, choice] : remembered.choices)
    json["choices"][series] = nlohmann::json::parse(json_of(choice));
  for (const auto& [number, bench] : remembered.layouts)
    json["layouts"][std::to_string(number)] = nlohmann::json::parse(json_of(bench));
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void write_session_file(const std::filesystem::path& file, const Remembered& remembered) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, session_text(remembered));
}

std::filesystem::path default_session_file() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config && *config)
    return std::filesystem::path(config) / "varve" / "session.json";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::filesystem::path(home) / ".config" / "varve" / "session.json";
  return std::filesystem::temp_directory_path() / "varve" / "session.json";
}

void remember_series(Remembered& remembered, const std::string& path) {
  std::erase(remembered.recent, path);
  remembered.recent.insert(remembered.recent.begin(), path);
  if (remembered.recent.size() > most_recent) remembered.recent.resize(most_recent);
  const auto is_listed = [&remembered](const std::string& series) {
    return std::find(remembered.recent.begin(), remembered.recent.end(), series) != remembered.recent.end() ||
           std::find(remembered.pinned.begin(), remembered.pinned.end(), series) != remembered.pinned.end();
  };
  std::erase_if(remembered.choices, [&](const auto& entry) { return !is_listed(entry.first); });
}

}  // namespace varve
