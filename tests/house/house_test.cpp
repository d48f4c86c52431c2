// The house rules that a machine can check: who may include whom, where each library lives, how long files
// are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace varve {
namespace {

struct Line {
  std::string file;  // "analysis/core/array.h"
  int number = 0;
  std::string text;
};

std::vector<std::string> files_under(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    const std::filesystem::path top = std::filesystem::path(VARVE_SOURCE) / folder;
    if (!std::filesystem::exists(top)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
      const std::string ending = entry.path().extension().string();
      if (ending == ".h" || ending == ".cpp")
        files.push_back(std::filesystem::relative(entry.path(), VARVE_SOURCE).string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Line> lines_of(const std::vector<std::string>& files) {
  std::vector<Line> lines;
  for (const std::string& name : files) {
    std::ifstream file(std::filesystem::path(VARVE_SOURCE) / name);
    int number = 0;
    for (std::string text; std::getline(file, text);) lines.push_back({name, ++number, text});
  }
  return lines;
}

const std::vector<std::string> all_rooms = {"analysis", "loaders", "viz", "plugins", "app"};

std::string place(const Line& line) {
  return line.file + ":" + std::to_string(line.number) + ": " + line.text;
}

// The room a file of ours belongs to, by its longest known folder; files at a folder's top have names of
// their own.
std::string room_of(const std::string& file) {
  static const std::vector<std::pair<std::string, std::string>> rooms = {
      {"analysis/core/", "core"},
      {"analysis/store/", "store"},
      {"analysis/model/", "model"},
      {"analysis/train/", "train"},
      {"analysis/catalog/", "catalog"},
      {"analysis/", "study"},
      {"loaders/formats/", "formats"},
      {"loaders/families/", "families"},
      {"loaders/pickle/", "formats"},
      {"loaders/format", "formats"},
      {"loaders/strided", "formats"},
      {"loaders/gguf", "formats"},
      {"loaders/numpy_tensor", "formats"},
      {"loaders/zip_archive", "formats"},
      {"loaders/expert_plan", "families"},
      {"loaders/llama_plan", "families"},
      {"loaders/gemma_spec", "families"},
      {"loaders/attention_config", "families"},
      {"loaders/npy", "formats"},
      {"loaders/npz", "formats"},
      {"loaders/family", "families"},
      {"loaders/", "import"},
      {"viz/draw/", "draw"},
      {"viz/host/", "host"},
      {"viz/", "views"},
      {"plugins/", "plugins"},
      {"app/session/", "session"},
      {"app/desktop/", "desktop"},
      {"app/varve_desktop", "desktop"},
      {"app/", "verbs"}};
  for (const auto& [folder, room] : rooms)
    if (file.rfind(folder, 0) == 0) return room;
  return "";
}

const std::map<std::string, std::set<std::string>>& may_include() {
  static const std::set<std::string> below_session = {"core",    "store",    "model",  "study", "catalog",
                                                      "formats", "families", "import", "draw",  "views"};
  static const std::map<std::string, std::set<std::string>> table = [] {
    std::map<std::string, std::set<std::string>> rooms = {
        {"core", {}},
        {"store", {"core"}},
        {"model", {"core"}},
        {"train", {"core", "model"}},
        {"study", {"core", "store", "model"}},
        {"catalog", {"core", "model", "study"}},
        // A format hands out the tensor views that the store's header defines, as data.
        {"formats", {"core", "store"}},
        // A family turns a config into the model's spec and recipe, as data.
        {"families", {"core", "model"}},
        {"import", {"core", "store", "model", "formats", "families"}},
        {"draw", {"core"}},
        {"views", {"core", "draw"}},
        {"host", {"core", "draw", "views"}},
        {"session", below_session},
        {"plugins", {"core", "store", "study", "import", "views"}}};
    std::set<std::string> verbs = below_session;
    verbs.insert({"session", "plugins"});
    rooms["verbs"] = verbs;
    verbs.insert("host");
    rooms["desktop"] = verbs;
    return rooms;
  }();
  return table;
}

TEST(House, RoomsIncludeOnlyRoomsBelowThem) {
  static const std::regex ours("^#include \"([a-z_]+/[^\"]+)\"");
  for (const Line& line : lines_of(files_under(all_rooms))) {
    std::smatch match;
    if (!std::regex_search(line.text, match, ours)) continue;
    const std::string own = room_of(line.file), other = room_of(match[1].str());
    ASSERT_FALSE(own.empty()) << line.file << " belongs to no room";
    EXPECT_TRUE(own == other || may_include().at(own).count(other) > 0)
        << own << " may not include " << other << " at " << place(line);
  }
}

// One home for each library: a pattern of its headers, and the folders that may include them.
TEST(House, EveryLibraryHasOneHome) {
  struct Home {
    const char* library;
    std::regex headers;  // after #include < or "
    std::vector<std::string> folders;
  };
  const std::vector<Home> homes = {
      {"HDF5", std::regex("^#include [<\"](hdf5|H5[A-Z]\\w*)\\.h"), {"analysis/store/"}},
      {"BLAS", std::regex("^#include [<\"](cblas|openblas\\w*)\\.h"), {"analysis/model/"}},
      {"LAPACK", std::regex("^#include [<\"]lapacke?\\.h"), {"analysis/core/"}},
      {"PCRE2", std::regex("^#include [<\"]pcre2\\.h"), {"analysis/model/"}},
      {"zstd", std::regex("^#include [<\"]zstd\\.h"), {"analysis/store/"}},
      {"xxHash", std::regex("^#include [<\"]xxhash\\.h"), {"analysis/core/"}},
      {"Cairo", std::regex("^#include [<\"](cairo|fontconfig/|ft2build)"), {"viz/draw/"}},
      {"ImGui", std::regex("^#include [<\"]imgui"), {"viz/host/"}},
      {"Qt", std::regex("^#include [<\"]Q[A-Z]\\w+>"), {"app/desktop/", "app/varve_desktop.cpp"}},
      {"pybind11", std::regex("^#include [<\"]pybind11/"), {"plugins/"}},
      {"zlib", std::regex("^#include [<\"]zlib\\.h"), {"loaders/"}},
      {"CLI11", std::regex("^#include [<\"]CLI/"), {"app/verbs/", "app/console/"}}};
  for (const Line& line : lines_of(files_under(all_rooms))) {
    if (line.text.rfind("#include <", 0) != 0 && line.text.rfind("#include \"", 0) != 0) continue;
    for (const Home& home : homes) {
      if (!std::regex_search(line.text, home.headers)) continue;
      EXPECT_TRUE(std::any_of(home.folders.begin(), home.folders.end(),
                              [&line](const std::string& folder) { return line.file.rfind(folder, 0) == 0; }))
          << home.library << " does not live at " << place(line);
    }
  }
}

// Calls that print, end the process or ask; the engine hands results and errors over instead.
TEST(House, TheEngineNeverPrintsOrExits) {
  const std::regex forbidden(
      "(\\bstd::(cout|cerr|clog|cin)\\b|\\b(std::)?(printf|puts|putchar|exit|abort|quick_exit|_exit|system|"
      "getchar)\\(|"
      "\\bfprintf\\((stdout|stderr)|fmt::print\\()");
  for (const Line& line : lines_of(files_under({"analysis", "loaders", "viz"})))
    EXPECT_FALSE(std::regex_search(line.text.substr(0, line.text.find("//")), forbidden)) << place(line);
}

TEST(House, OnlyJobsAndThePoolStartThreads) {
  const std::set<std::string> starters = {"analysis/core/jobs.h", "analysis/core/jobs.cpp",
                                          "analysis/core/pool.h", "analysis/core/pool.cpp"};
  const std::regex thread("\\bstd::(j?thread\\b(?!::hardware)|async\\b)|\\bpthread_create\\b");
  for (const Line& line : lines_of(files_under(all_rooms)))
    if (starters.count(line.file) == 0) {
      EXPECT_FALSE(std::regex_search(line.text.substr(0, line.text.find("//")), thread)) << place(line);
    }
}

TEST(House, FilesAreShortOrHaveAReason) {
  constexpr int longest = 400;
  // file -> why it is one idea all the same
  const std::map<std::string, std::string> allowed = {};
  std::map<std::string, int> lengths;
  std::vector<std::string> folders = all_rooms;
  folders.push_back("tests");
  for (const Line& line : lines_of(files_under(folders))) lengths[line.file] = line.number;
  for (const auto& [file, length] : lengths)
    if (allowed.count(file) == 0) {
      EXPECT_LE(length, longest) << file << " is long: look for the second idea";
    }
  for (const auto& [file, reason] : allowed)
    EXPECT_GT(lengths[file], longest) << file << " is short again: take it off the list";
}

TEST(House, FilesBeginWithASentence) {
  std::vector<std::string> folders = all_rooms;
  folders.push_back("tests");
  for (const Line& line : lines_of(files_under(folders)))
    if (line.number == 1) {
      EXPECT_EQ(line.text.rfind("// ", 0), 0U) << place(line);
    }
}

TEST(House, HeadersSayPragmaOnceAndUseNoNamespace) {
  std::map<std::string, bool> once;
  for (const Line& line : lines_of(files_under(all_rooms))) {
    if (!line.file.ends_with(".h")) continue;
    once[line.file] = once[line.file] || line.text == "#pragma once";
    EXPECT_FALSE(line.text.rfind("using namespace", 0) == 0) << place(line);
  }
  for (const auto& [file, said] : once) EXPECT_TRUE(said) << file;
}

// Words that name unfinished work, or machines that only its makers know. Spelled apart, so that this file
// passes its own test.
TEST(House, NoForbiddenWords) {
  const std::vector<std::string> words = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                          std::string("/wo") + "rk/"};
  std::vector<std::string> folders = all_rooms;
  folders.push_back("tests");
  for (const Line& line : lines_of(files_under(folders)))
    for (const std::string& word : words)
      EXPECT_EQ(line.text.find(word), std::string::npos) << "'" << word << "' at " << place(line);
}

// A private constructor is reached by `new` only, so a line that hands it to a pointer type at once may have
// it.
TEST(House, OwnedMemoryIsHeldByTypes) {
  const std::regex owned("\\b(new [A-Za-z_:<]+[({ ;]|delete (\\[\\] )?\\w+;)"), quoted("\"[^\"]*\"");
  for (const Line& line :
       lines_of(files_under({"analysis", "loaders", "viz", "app/session", "app/verbs", "app/console"}))) {
    const std::string code = std::regex_replace(line.text.substr(0, line.text.find("//")), quoted, "");
    if (code.find("_ptr<") == std::string::npos) {
      EXPECT_FALSE(std::regex_search(code, owned)) << place(line);
    }
  }
}

}  // namespace
}  // namespace varve
