// One JSON object a line: {"_meta": settings}, then {"step": N, "spike_l0": ..., ...}, at the end
// {"_summary": ...}.
#include "loaders/sinktriad.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

using Json = nlohmann::json;
constexpr int64_t file_limit = 1'000'000'000;
constexpr int64_t layer_limit = 1000;
constexpr size_t column_limit = 4096;

struct Column {
  std::string name;
  int64_t layer = -1;  // -1: of the whole model
};

// "spike_ratio_l2" -> spike_ratio, layer 2.
Column column_of(const std::string& key) {
  const size_t at = key.rfind("_l");
  if (at == std::string::npos || at == 0) return {key};
  int64_t layer = -1;
  const char* const last = key.data() + key.size();
  const auto [end, error] = std::from_chars(key.data() + at + 2, last, layer);
  if (error != std::errc() || end != last || layer < 0 || layer >= layer_limit) return {key};
  return {key.substr(0, at), layer};
}

// Python writes NaN, Infinity and -Infinity, which JSON does not know: null in their place.
std::string without_nan(const std::string& line) {
  std::string out;
  bool in_text = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) in_text = !in_text;
    const std::string_view rest = std::string_view(line).substr(i);
    const auto word = [&rest, in_text](std::string_view name) { return !in_text && rest.starts_with(name); };
    if (const std::string_view name = word("NaN")         ? "NaN"
                                      : word("Infinity")  ? "Infinity"
                                      : word("-Infinity") ? "-Infinity"
                                                          : "";
        !name.empty()) {
      out += "null";
      i += name.size() - 1;
    } else {
      out += line[i];
    }
  }
  return out;
}

struct Log {
  Json meta;
  std::map<int64_t, Json> rows;  // by step; of two lines with one step the later counts
  int64_t repeated = 0;
};

Log read_lines(const std::filesystem::path& file) {
  Log log;
  int64_t number = 0;
  for (const std::string& line : split(read_file(file, file_limit), '\n')) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json object = Json::parse(without_nan(line), nullptr, false);
    if (!object.is_object()) fail("{}: line {} is no JSON object", file.string(), number);
    if (object.contains("_meta")) log.meta = object["_meta"];
    if (object.contains("_meta") || object.contains("_summary")) continue;
    const auto step = object.find("step");
    if (step == object.end() || !step->is_number_integer() || step->get<int64_t>() < 0)
      fail("{}: line {} has no whole number 'step'", file.string(), number);
    const auto at = step->get<int64_t>();
    log.repeated += log.rows.contains(at) ? 1 : 0;
    log.rows[at] = std::move(object);
  }
  if (log.rows.empty()) fail("{}: no line holds a step", file.string());
  return log;
}

double number_in(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

void put_sizes(Dataset& data, const Json& meta) {
  const std::map<std::string, std::string> names = {
      {"layers", "n_layers"}, {"d_model_size", "d_model"}, {"heads", "n_heads"}};
  for (const auto& [name, key] : names)
    if (const double value = number_in(meta, key); value > 0) data.set(name, Array::scalar(value));
  if (const double width = number_in(meta, "d_model") * number_in(meta, "mlp_ratio"); width > 0)
    data.set("d_mlp_size", Array::scalar(width));
  for (const char* key : {"optimizer", "norm_position", "n_layers", "seed"})
    if (meta.is_object() && meta.contains(key)) data.provenance[key] = meta[key].dump();
}

}  // namespace

bool is_sinktriad(const std::filesystem::path& file) {
  std::error_code none;
  if (file.extension() != ".jsonl" || !std::filesystem::is_regular_file(file, none)) return false;
  std::ifstream lines(file, std::ios::binary);
  std::string begin(64, '\0');
  lines.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<size_t>(lines.gcount()));
  std::erase_if(begin, [](char c) { return c == ' '; });
  return begin.starts_with("{\"_meta\":{");
}

Dataset read_sinktriad(const std::filesystem::path& file) {
  const Log log = read_lines(file);
  std::map<std::string, int64_t> columns;  // name -> layers; 0: of the whole model
  for (const auto& [step, row] : log.rows)
    for (const auto& [key, value] : row.items()) {
      if (key == "step" || !value.is_number()) continue;
      const Column column = column_of(key);
      int64_t& layers = columns[column.layer < 0 ? key : column.name + "[layer]"];
      layers = std::max(layers, column.layer + 1);
      if (columns.size() > column_limit) fail("{}: more than {} columns", file.string(), column_limit);
    }
  int64_t most_layers = 0;
  for (const auto& [name, layers] : columns) most_layers = std::max(most_layers, layers);
  if (most_layers == 0) fail("{}: no column has a layer, as spike_l0 has", file.string());

  Dataset data;
  data.title = file.stem().string();
  std::vector<int64_t> steps;
  for (const auto& [step, row] : log.rows) steps.push_back(step);
  const auto count = static_cast<int64_t>(steps.size());
  for (const auto& [name, layers] : columns) {
    std::vector<double> values;
    if (layers == 0) {
      for (const auto& [step, row] : log.rows) values.push_back(number_in(row, name));
      // A mean over layers may carry the name of a column by layer.
      data.set(columns.contains(name + "[layer]") ? name + "_whole" : name,
               Array({"step"}, {count}, std::move(values)));
      continue;
    }
    const std::string plain = name.substr(0, name.size() - 7);
    for (const auto& [step, row] : log.rows)
      for (int64_t layer = 0; layer < most_layers; ++layer)
        values.push_back(number_in(row, fmt::format("{}_l{}", plain, layer)));
    data.set(plain, Array({"step", "layer"}, {count, most_layers}, std::move(values)));
  }
  data.set_coord("step", Array({"step"}, {count}, std::move(steps)));
  put_sizes(data, log.meta);
  data.provenance["source"] = file.string();
  if (log.repeated > 0)
    data.notes.push_back(fmt::format("{} steps are there twice; the later line counts.", log.repeated));
  return data;
}

}  // namespace varve
