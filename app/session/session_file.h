// What outlives a window, in one small JSON file: series, what was chosen in each, theme, keys, geometry.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "app/session/history.h"

namespace varve {

struct Remembered {
  std::vector<std::string> recent;           // newest first, at most 12
  std::string text;                          // last prompt
  std::string theme;                         // "light", "dark", "" follows the system
  std::string geometry;                      // the window's own, opaque
  std::vector<std::string> pinned;           // series that stay listed
  std::vector<std::string> open;             // series that were open, the one looked at first
  std::map<std::string, Choice> choices;     // what was chosen, by series; of the recent ones
  std::map<int, Bench> layouts;              // the person's own, by key: 6 to 9
  std::map<std::string, std::string> keys;   // action -> key, where it was rebound
  std::vector<std::string> palette;          // what was done through it, newest first
  std::map<std::string, std::string> other;  // what other parts keep, by their own names
};

// Defaults where the file is absent. A damaged file is an Error that names it.
Remembered read_session_file(const std::filesystem::path& file);
std::string session_text(const Remembered& remembered);
void write_session_file(const std::filesystem::path& file, const Remembered& remembered);  // atomic
std::filesystem::path default_session_file();  // $XDG_CONFIG_HOME/varve/session.json, else ~/.config/...
void remember_series(Remembered& remembered, const std::string& path);  // to the front, once

}  // namespace varve
