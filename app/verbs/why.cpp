// varve why: what a result's key is made of, and in which of these parts its siblings differ.
#include "app/session/why.h"

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "app/console/json_text.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/session/run_inputs.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

int why(const std::string& key, const std::filesystem::path& path, Console& console) {
  const auto store = open_store(path);
  const ResultInfo result = find_result(*store, key);
  const WhyReport report = why_of(*store, result);
  if (console.json) {
    console.print(json_text(Json{{"analysis", result.analysis},
                                 {"key", result.key},
                                 {"title", result.title},
                                 {"parts", report.parts},
                                 {"others", report.others},
                                 {"differ_in", report.differ_in},
                                 {"provenance", result.provenance}}));
    return 0;
  }
  TextTable table({"part", "value"});
  for (const WhyRow& row : rows_of(report)) table.row({row.part, row.value});
  console.print(fmt::format("{} {}\n\n{}\n{}", result.analysis, result.key, table.text(),
                            siblings_sentence(report, result.analysis)));
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
