// varve verify: every promise of a store checked; 1 where one is broken.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/store/run_store.h"
#include "app/console/json_text.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

int verify(const std::filesystem::path& path, Console& console) {
  const auto store = open_store(path);
  const std::vector<StoreFinding> findings = store->verify(console.task);
  const auto broken =
      std::count_if(findings.begin(), findings.end(), [](const auto& one) { return one.broken; });
  if (console.json) {
    Json list = Json::array();
    for (const StoreFinding& one : findings) list.push_back({{"what", one.what}, {"broken", one.broken}});
    console.print(json_text(Json{{"store", path.string()}, {"ok", broken == 0}, {"findings", list}}));
  } else {
    std::string text;
    for (const StoreFinding& one : findings) text += (one.broken ? "BROKEN " : "note   ") + one.what + "\n";
    text += broken == 0 ? fmt::format("{}: {} checkpoints and {} results are whole", path.string(),
                                      store->series().checkpoints.size(), store->results().size())
                        : fmt::format("{}: {} broken", path.string(), broken);
    console.print(text);
  }
  return broken == 0 ? 0 : static_cast<int>(Blame::check);
}

}  // namespace

void add_verify(VerbCatalog& catalog) {
  catalog.add(
      {"verify", "check that a store is whole", "varve verify pythia-70m.varve", [](CLI::App& command) {
         auto path = std::make_shared<std::filesystem::path>();
         command.add_option("STORE", *path, "the store")->required();
         return [path](Console& console) { return verify(*path, console); };
       }});
}

}  // namespace varve
