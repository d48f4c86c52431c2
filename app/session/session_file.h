// What outlives a window: recent series, theme, prompt and geometry, in one small JSON file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace varve {

struct Remembered {
  std::vector<std::string> recent;  // newest first, at most 12
  std::string text;                 // last prompt
  std::string theme;                // "light", "dark", "" follows the system
  std::string geometry;             // the window's own, opaque
};

// Defaults where the file is absent. A damaged file is an Error that names it.
Remembered read_session_file(const std::filesystem::path& file);
void write_session_file(const std::filesystem::path& file, const Remembered& remembered);  // atomic
std::filesystem::path default_session_file();  // $XDG_CONFIG_HOME/varve/session.json, else ~/.config/...
void remember_series(Remembered& remembered, const std::string& path);  // to the front, once

}  // namespace varve
