// varve import: brings the checkpoints of a source into a store, adding only what it does not hold yet.
#include "loaders/import.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "app/console/json_text.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"
#include "loaders/map.h"

namespace varve {
namespace {

int draft(const std::filesystem::path& source, Console& console) {
  require_exists(source);
  const std::string text = draft_map(source);
  console.print(console.json ? json_text(Json{{"map", text}}) : text);
  return 0;
}

int import(const ImportRequest& request, Console& console) {
  if (request.source.empty()) fail_usage("SOURCE is required");
  if (request.store.empty()) fail_usage("--output is required: the store to make or to add to");
  require_exists(request.source);
  const std::string store = request.store.string();
  console.kept =
      fmt::format("checkpoints finished before are kept in {}; the same command goes on from there", store);
  const ImportReport report = import_series(request, console.task);
  if (console.json) {
    console.print(json_text(Json{{"store", store},
                                 {"added", report.added},
                                 {"already", report.already},
                                 {"bytes_read", report.bytes_read},
                                 {"bytes_written", report.bytes_written},
                                 {"tensors_shared", report.tensors_shared},
                                 {"notes", report.notes}}));
    return 0;
  }
  std::string text =
      fmt::format("{}: {} checkpoint{} added", store, report.added, report.added == 1 ? "" : "s");
  if (report.already > 0) text += fmt::format(", {} already there", report.already);
  text +=
      fmt::format("\n  read {}, wrote {}", show_bytes(report.bytes_read), show_bytes(report.bytes_written));
  if (report.tensors_shared > 0)
    text += fmt::format(", {} tensors equal to ones already held", show_count(report.tensors_shared));
  // Notes that the task took are told on stderr already.
  const std::vector<std::string> told = console.task.progress()->notes();
  for (const std::string& note : report.notes)
    if (std::find(told.begin(), told.end(), note) == told.end()) text += "\n  note: " + note;
  console.print(text);
  return 0;
}

}  // namespace

void add_import(VerbCatalog& catalog) {
  catalog.add(
      {"import", "bring checkpoints into a store", "varve import runs/pythia-70m -o pythia-70m.varve",
       [](CLI::App& command) {
         auto request = std::make_shared<ImportRequest>();
         command.add_option("SOURCE", request->source,
                            "a model folder, a folder of step folders, a Hugging Face cache repository "
                            "(models--org--name) or a series.toml manifest");
         command.add_option("-o,--output", request->store, "the store to make or to add to (NAME.varve)")
             ->type_name("STORE");
         auto drafted = std::make_shared<std::filesystem::path>();
         command
             .add_option("--map", request->map,
                         "how the tensors of a home-made network become a model (TOML)")
             ->type_name("FILE");
         command
             .add_option("--map-template", *drafted,
                         "print a first draft of a map for the tensors of DIR, and import nothing")
             ->type_name("DIR");
         command.add_flag("--link", request->link,
                          "leave the weights where they are and record path, size and digest");
         CLI::Option* link = command.get_option("--link");
         command
             .add_flag("--compress", request->compress,
                       "keep weights as packed differences to earlier checkpoints (lossless)")
             ->excludes(link);
         command
             .add_option("--steps", request->steps,
                         "which steps, as in 0,1,2,4:512:x2,1000:143000:1000,last; all by default")
             ->type_name("LIST");
         command.add_option("--branch", request->branch, "branch name for everything imported")
             ->type_name("NAME");
         return [request, drafted](Console& console) {
           return drafted->empty() ? import(*request, console) : draft(*drafted, console);
         };
       }});
}

}  // namespace varve
