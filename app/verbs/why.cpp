// varve why: what a result's key is made of, and in which of these parts its siblings differ.
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "app/console/json_text.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

using Parts = std::map<std::string, std::string>;

// A series' key is made of its cells' keys as well, which are recorded beside the other parts.
Parts parts_of(const ResultInfo& result) {
  const auto recorded = result.provenance.find("key_parts");
  if (recorded == result.provenance.end())
    fail("{} {}: the result does not say what its key is made of", result.analysis, result.key);
  const nlohmann::json json = nlohmann::json::parse(recorded->second, nullptr, false);
  if (!json.is_object()) fail("{} {}: what its key is made of is damaged", result.analysis, result.key);
  Parts parts;
  for (const auto& [name, value] : json.items())
    parts[name] = value.is_string() ? value.get<std::string>() : value.dump();
  for (const char* const name : {"analysis", "cells"})
    if (const auto found = result.provenance.find(name); found != result.provenance.end())
      parts.emplace(name, found->second);
  return parts;
}

int why(const std::string& key, const std::filesystem::path& path, Console& console) {
  const auto store = open_store(path);
  const ResultInfo result = find_result(*store, key);
  const Parts parts = parts_of(result);
  std::map<std::string, std::set<std::string>> values;
  int64_t siblings = 0;
  for (const ResultInfo& other : store->results()) {
    if (other.analysis != result.analysis || other.key == result.key) continue;
    ++siblings;
    for (const auto& [name, value] : parts_of(other)) values[name].insert(value);
  }
  std::vector<std::string> differing;
  for (const auto& [name, others] : values) {
    const auto own = parts.find(name);
    if (own == parts.end() || others.size() > 1 || others.count(own->second) == 0) differing.push_back(name);
  }
  if (console.json) {
    console.print(json_text(Json{{"analysis", result.analysis},
                                 {"key", result.key},
                                 {"title", result.title},
                                 {"parts", parts},
                                 {"others", siblings},
                                 {"differ_in", differing},
                                 {"provenance", result.provenance}}));
    return 0;
  }
  TextTable table({"part", "value"});
  for (const auto& [name, value] : parts) {
    if (name != "cells") {
      table.row({name, value});
      continue;
    }
    // "step:key step:key": a line each. Older results named the keys alone.
    for (const std::string& cell : split(value, ' ')) {
      const size_t colon = cell.find(':');
      if (cell.empty()) continue;
      table.row({colon == std::string::npos ? "cell" : fmt::format("cell of step {}", cell.substr(0, colon)),
                 cell.substr(colon == std::string::npos ? 0 : colon + 1)});
    }
  }
  std::string text = fmt::format("{} {}\n\n{}\n", result.analysis, result.key, table.text());
  if (siblings == 0)
    text += fmt::format("The store holds no other result of {}.", result.analysis);
  else
    text +=
        fmt::format("The {} other results of {} differ from this one or from each other in: {}.", siblings,
                    result.analysis,
                    differing.empty() ? "nothing recorded" : fmt::format("{}", fmt::join(differing, ", ")));
  console.print(text);
  return 0;
}

}  // namespace

void add_why(VerbCatalog& catalog) {
  catalog.add({"why", "explain what a result's key is made of", "varve why 3f9a1c pythia-70m.varve",
               [](CLI::App& command) {
                 auto key = std::make_shared<std::string>();
                 auto path = std::make_shared<std::filesystem::path>();
                 command.add_option("KEY", *key, "a key, or the beginning of one")->required();
                 command.add_option("STORE", *path, "the store")->required();
                 return [key, path](Console& console) { return why(*key, *path, console); };
               }});
}

}  // namespace varve
