// varve info: what a store or a source holds, without changing anything.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/text.h"
#include "analysis/model/spec.h"
#include "analysis/store/run_store.h"
#include "app/console/describe.h"
#include "app/console/json_text.h"
#include "app/console/result_info.h"
#include "app/console/result_option.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"
#include "loaders/checkpoint_files.h"
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

std::string shape_text(const std::vector<int64_t>& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, " x "));
}

// A file of weights by itself: what lies in it, whether or not a network can be made of it.
Json file_json(const std::filesystem::path& path, const TensorFile& file) {
  Json parts = Json::array();
  for (const FilePart& part : file.parts()) {
    Json tensors = Json::array();
    for (const FileTensor& tensor : part.tensors)
      tensors.push_back({{"name", tensor.name},
                         {"dtype", name_of(tensor.view.type)},
                         {"shape", tensor.view.shape},
                         {"bytes", tensor.view.bytes.size()}});
    parts.push_back({{"label", part.label},
                     {"step", part.step < 0 ? Json() : Json(part.step)},
                     {"tensors", tensors},
                     {"notes", part.notes},
                     {"tokenizer", !part.tokenizer.empty()}});
  }
  return Json{{"kind", "file"},
              {"path", path.string()},
              {"bytes", std::filesystem::file_size(path)},
              {"parts", parts}};
}

std::string file_text(const std::filesystem::path& path, const TensorFile& file) {
  std::string text = fmt::format("{}: {} in a file of weights\n", path.filename().string(),
                                 show_bytes(static_cast<int64_t>(std::filesystem::file_size(path))));
  for (const FilePart& part : file.parts()) {
    int64_t bytes = 0;
    TextTable table({"tensor", "dtype", "shape", ">size"});
    for (const FileTensor& tensor : part.tensors) {
      const auto size = static_cast<int64_t>(tensor.view.bytes.size());
      bytes += size;
      table.row({tensor.name, std::string(name_of(tensor.view.type)), shape_text(tensor.view.shape),
                 show_bytes(size)});
    }
    text += fmt::format("\n{}{} tensor{}, {}{}\n", part.label.empty() ? "" : part.label + ": ",
                        part.tensors.size(), part.tensors.size() == 1 ? "" : "s", show_bytes(bytes),
                        part.step < 0 ? "" : fmt::format(", step {}", part.step));
    text += table.text();
    for (const std::string& note : part.notes) text += "note: " + note + "\n";
  }
  return text;
}

int info_of_file(const std::filesystem::path& path, Console& console) {
  const std::unique_ptr<TensorFile> file = open_tensor_file(path);
  // A network can be made of it where the file itself or a config.json beside it describes one.
  const bool described =
      !file->parts().front().config.empty() || std::filesystem::exists(path.parent_path() / "config.json");
  Json json = file_json(path, *file);
  std::string text;
  if (described) {
    const SeriesSource series = find_series(path);
    const std::string spec = open_model(series, series.checkpoints.front()).checkpoint.spec;
    json["source"] = source_json(series, spec);
    text = source_text(series, spec) + "\n";
  }
  console.print(console.json ? json_text(json) : text + file_text(path, *file));
  return 0;
}

int info_of_result(const Dataset& data, Console& console) {
  console.print(console.json ? json_text(result_info_json(data)) : result_info_text(data));
  return 0;
}

int info(const std::filesystem::path& path, Console& console) {
  std::error_code problem;
  const std::string words = path.string();
  // STORE:KEY, where no file has that name.
  if (const size_t colon = words.rfind(':'); !std::filesystem::exists(path, problem) &&
                                             colon != std::string::npos &&
                                             RunStore::is_store(words.substr(0, colon)))
    return info_of_result(open_result(words), console);
  require_exists(path);
  if (RunStore::is_store(path)) {
    const auto store = RunStore::open(path);
    console.print(console.json ? json_text(store_json(*store)) : store_text(*store));
    return 0;
  }
  if (std::filesystem::is_regular_file(path) && path.extension() == ".h5")
    return info_of_result(open_result(words), console);
  if (std::filesystem::is_regular_file(path) && path.extension() != ".toml")
    return info_of_file(path, console);
  const SeriesSource series = find_series(path);
  const std::string spec = open_model(series, series.checkpoints.front()).checkpoint.spec;
  console.print(console.json ? json_text(source_json(series, spec)) : source_text(series, spec));
  return 0;
}

}  // namespace

void add_info(VerbCatalog& catalog) {
  catalog.add(
      {"info", "show what a store, a source, a result or a file of weights holds",
       "varve info pythia-70m.varve", [](CLI::App& command) {
         auto path = std::make_shared<std::filesystem::path>();
         command
             .add_option(
                 "PATH", *path,
                 "a store, anything varve import can read, a result (.h5 or STORE:KEY), or a file of weights")
             ->required();
         return [path](Console& console) { return info(*path, console); };
       }});
}

}  // namespace varve
