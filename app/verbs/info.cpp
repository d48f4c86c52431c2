// varve info: what a store or a source holds, without changing anything.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "analysis/model/spec.h"
#include "analysis/store/run_store.h"
#include "app/console/describe.h"
#include "app/console/json_text.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"
#include "loaders/import.h"
#include "loaders/series.h"

namespace varve {
namespace {

std::string tokens_text(int64_t tokens) { return tokens < 0 ? "–" : show_count(tokens); }

Json store_json(const RunStore& store) {
  const SeriesRecord& series = store.series();
  Json checkpoints = Json::array(), results = Json::array();
  for (const CheckpointRecord& one : series.checkpoints)
    checkpoints.push_back(
        {{"step", one.step},
         {"tokens", one.tokens < 0 ? Json() : Json(one.tokens)},
         {"branch", one.branch},
         {"label", one.label},
         {"source", one.source},
         {"bytes", one.bytes},
         {"nonfinite", one.nonfinite},
         {"change", std::isfinite(one.change) && one.change >= 0 ? Json(one.change) : Json()},
         {"digest", one.digest},
         {"tensors", one.tensors.size()}});
  for (const ResultInfo& one : store.results())
    results.push_back(
        {{"analysis", one.analysis}, {"key", one.key}, {"title", one.title}, {"bytes", one.bytes}});
  Json out{{"kind", "store"},       {"name", series.name},   {"checkpoints", checkpoints},
           {"results", results},    {"notes", series.notes}, {"tokenizer", !series.tokenizer.empty()},
           {"path", store.folder()}};
  if (!series.checkpoints.empty()) out["spec"] = Json::parse(series.checkpoints.front().spec);
  return out;
}

std::string store_text(const RunStore& store) {
  const SeriesRecord& series = store.series();
  std::string text = fmt::format("{}: {} checkpoints\n", series.name, series.checkpoints.size());
  if (!series.checkpoints.empty()) text += describe(spec_from_json(series.checkpoints.front().spec)) + "\n";
  text += series.tokenizer.empty() ? "without a tokenizer\n\n" : "with a tokenizer\n\n";
  TextTable table({">step", ">tokens", "branch", ">size", ">not finite", ">change", "digest", "label"});
  for (const CheckpointRecord& one : series.checkpoints)
    table.row({fmt::format("{}", one.step), tokens_text(one.tokens), one.branch, show_bytes(one.bytes),
               fmt::format("{}", one.nonfinite),
               std::isfinite(one.change) && one.change >= 0 ? show_number(one.change) : "–",
               one.digest.substr(0, 12), one.label});
  text += table.text();
  const std::vector<ResultInfo> results = store.results();
  if (!results.empty()) text += "\n";
  std::string last;
  for (const ResultInfo& one : results) {
    if (one.analysis == last) continue;
    last = one.analysis;
    const auto count = std::count_if(results.begin(), results.end(), [&one](const ResultInfo& other) {
      return other.analysis == one.analysis;
    });
    text += fmt::format("{} result{} of {}\n", count, count == 1 ? "" : "s", one.analysis);
  }
  for (const std::string& note : series.notes) text += "note: " + note + "\n";
  return text;
}

int64_t bytes_of(const CheckpointSource& checkpoint) {
  int64_t sum = 0;
  for (const std::filesystem::path& file : checkpoint.weights)
    sum += static_cast<int64_t>(std::filesystem::file_size(file));
  return sum;
}

Json source_json(const SeriesSource& series, const std::string& spec) {
  Json checkpoints = Json::array();
  for (const CheckpointSource& one : series.checkpoints)
    checkpoints.push_back({{"step", one.step},
                           {"tokens", one.tokens < 0 ? Json() : Json(one.tokens)},
                           {"branch", one.branch},
                           {"label", one.label},
                           {"source", one.folder.string()},
                           {"bytes", bytes_of(one)},
                           {"same_as", one.same_as}});
  return Json{{"kind", series.kind},         {"name", series.name},
              {"checkpoints", checkpoints},  {"spec", Json::parse(spec)},
              {"notes", series.notes},       {"tokenizer", series.tokenizer.has_value()},
              {"path", series.root.string()}};
}

std::string source_text(const SeriesSource& series, const std::string& spec) {
  std::string text = fmt::format("{}: {}, {} checkpoints, not imported yet\n{}\n{}\n\n", series.name,
                                 series.kind, series.checkpoints.size(), describe(spec_from_json(spec)),
                                 series.tokenizer ? "with a tokenizer" : "without a tokenizer");
  TextTable table({">step", ">tokens", "branch", ">size", "label", "same as"});
  for (const CheckpointSource& one : series.checkpoints)
    table.row({fmt::format("{}", one.step), tokens_text(one.tokens), one.branch, show_bytes(bytes_of(one)),
               one.label, one.same_as});
  text += table.text();
  for (const std::string& note : series.notes) text += "note: " + note + "\n";
  return text;
}

int info(const std::filesystem::path& path, Console& console) {
  require_exists(path);
  if (RunStore::is_store(path)) {
    const auto store = RunStore::open(path);
    console.print(console.json ? json_text(store_json(*store)) : store_text(*store));
    return 0;
  }
  const SeriesSource series = find_series(path);
  const std::string spec = open_model(series, series.checkpoints.front()).checkpoint.spec;
  console.print(console.json ? json_text(source_json(series, spec)) : source_text(series, spec));
  return 0;
}

}  // namespace

void add_info(VerbCatalog& catalog) {
  catalog.add(
      {"info", "show what a store or a source holds", "varve info pythia-70m.varve", [](CLI::App& command) {
         auto path = std::make_shared<std::filesystem::path>();
         command.add_option("PATH", *path, "a store, or anything varve import can read")->required();
         return [path](Console& console) { return info(*path, console); };
       }});
}

}  // namespace varve
