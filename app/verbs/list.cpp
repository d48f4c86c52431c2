// varve list: what there is to work with, by kind.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "app/console/describe.h"
#include "app/console/json_text.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"
#include "loaders/family.h"
#include "loaders/format.h"
#include "viz/view.h"

namespace varve {
namespace {

Json settings_json(const std::vector<SettingInfo>& settings) {
  Json out = Json::array();
  for (const SettingInfo& setting : settings) out.push_back(to_json(setting));
  return out;
}

Json analyses_json() {
  Json out = Json::array();
  for (const Analysis& one : analyses().items())
    out.push_back({{"name", one.name},
                   {"summary", one.summary},
                   {"version", one.version},
                   {"needs_probes", one.needs_probes},
                   {"series", has_reduce(one)},
                   {"settings", settings_json(one.settings)}});
  return out;
}

Json views_json() {
  Json out = Json::array();
  for (const View& one : views().items())
    out.push_back({{"name", one.name}, {"summary", one.summary}, {"settings", settings_json(one.options)}});
  return out;
}

Json formats_json() {
  Json out = Json::array();
  for (const Format& one : formats().items())
    out.push_back({{"name", one.name}, {"summary", one.summary}, {"endings", one.endings}});
  return out;
}

Json families_json() {
  Json out = Json::array();
  for (const Family& one : families().items())
    out.push_back({{"name", one.name},
                   {"summary", one.summary},
                   {"model_types", one.model_types},
                   {"architectures", one.architectures}});
  return out;
}

// The shelf of datasets: VARVE_DATASETS, or the folder `datasets` of the tree this program was built in.
std::filesystem::path datasets_shelf() {
  if (const char* const named = std::getenv("VARVE_DATASETS")) return named;
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (folder.has_relative_path() && !std::filesystem::is_directory(folder / "datasets"))
    folder = folder.parent_path();
  return folder / "datasets";
}

// A dataset's summary is its README's first line.
Json datasets_json() {
  const std::filesystem::path shelf = datasets_shelf();
  std::vector<std::filesystem::path> folders;
  if (std::filesystem::is_directory(shelf))
    for (const auto& entry : std::filesystem::directory_iterator(shelf))
      if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  Json out = Json::array();
  for (const std::filesystem::path& folder : folders) {
    std::ifstream readme(folder / "README.md");
    std::string line;
    std::getline(readme, line);
    line.erase(0, line.find_first_not_of("# "));
    out.push_back({{"name", folder.filename().string()}, {"summary", line}, {"path", folder.string()}});
  }
  return out;
}

Json items_of(const std::string& kind) {
  if (kind == "analyses") return analyses_json();
  if (kind == "views") return views_json();
  if (kind == "formats") return formats_json();
  if (kind == "families") return families_json();
  if (kind == "datasets") return datasets_json();
  return Json::array();  // this build comes with no plugins
}

int list(const std::string& kind, Console& console) {
  static const std::vector<std::string> kinds = {"analyses", "views",   "formats",
                                                 "families", "plugins", "datasets"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    fail_usage("there is no list of '{}'; did you mean '{}'? There are {}.", kind, nearest(kind, kinds),
               fmt::join(kinds, ", "));
  const Json items = items_of(kind);
  if (console.json) {
    console.print(json_text(items));
    return 0;
  }
  if (items.empty()) {
    console.remark(fmt::format("there are no {} here", kind));
    return 0;
  }
  TextTable table({"name", "what it is"});
  for (const Json& item : items)
    table.row({item["name"].get<std::string>(), item["summary"].get<std::string>()});
  console.print(table.text());
  return 0;
}

}  // namespace

void add_list(VerbCatalog& catalog) {
  catalog.add({"list", "list analyses, views, formats, families, plugins or datasets", "varve list analyses",
               [](CLI::App& command) {
                 auto kind = std::make_shared<std::string>();
                 command.add_option("KIND", *kind, "analyses, views, formats, families, plugins or datasets")
                     ->required();
                 return [kind](Console& console) { return list(*kind, console); };
               }});
}

}  // namespace varve
