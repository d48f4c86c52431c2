// Reading and writing the session file.
#include "app/session/session_file.h"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

namespace {
constexpr int64_t largest_session_file = 1 << 20;
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
  } catch (const nlohmann::json::exception& problem) {
    fail("{}: the session file cannot be read ({}). Move it away to start afresh.", file.string(),
         problem.what());
  }
  if (remembered.recent.size() > most_recent) remembered.recent.resize(most_recent);
  return remembered;
}

void write_session_file(const std::filesystem::path& file, const Remembered& remembered) {
  const nlohmann::json json = {{"version", 1},
                               {"recent", remembered.recent},
                               {"text", remembered.text},
                               {"theme", remembered.theme},
                               {"geometry", remembered.geometry}};
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, json.dump(2) + "\n");
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
}

}  // namespace varve
