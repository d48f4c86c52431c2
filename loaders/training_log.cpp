// Training curves: metrics.jsonl (one JSON object a line) and a Hugging Face trainer_state.json.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/import.h"

namespace varve {
namespace {

constexpr int64_t log_limit = 1'000'000'000;
constexpr size_t column_limit = 4096;

struct Table {
  std::vector<int64_t> steps;
  std::map<std::string, std::vector<double>> columns;  // shorter than steps where the last rows lack it
};

// {"heldout": {"code": 3.2}} becomes the column heldout.code; text and lists are no curves.
void collect(const nlohmann::json& object, const std::string& prefix, int depth,
             std::map<std::string, double>& row) {
  constexpr int deepest = 8;
  for (const auto& [key, value] : object.items()) {
    std::string name = prefix + key;
    for (char& letter : name)
      if (letter == '/') letter = '.';
    if (value.is_number()) row[name] = value.get<double>();
    if (value.is_object() && depth < deepest) collect(value, name + ".", depth + 1, row);
  }
}

int64_t step_of(std::map<std::string, double>& row, int64_t otherwise) {
  for (const char* key : {"step", "global_step", "iteration", "iter"})
    if (const auto found = row.find(key); found != row.end()) {
      const double step = found->second;
      row.erase(found);
      if (std::isfinite(step) && std::abs(step) < 9e15) return static_cast<int64_t>(step);
    }
  return otherwise;
}

void add_row(Table& table, const nlohmann::json& object) {
  std::map<std::string, double> row;
  collect(object, "", 0, row);
  const auto rows = static_cast<int64_t>(table.steps.size());
  table.steps.push_back(step_of(row, rows));
  for (const auto& [name, value] : row) {
    if (!table.columns.contains(name) && table.columns.size() >= column_limit) continue;
    std::vector<double>& column = table.columns[name];
    column.resize(static_cast<size_t>(rows), std::nan(""));
    column.push_back(value);
  }
}

Table read_lines(const std::string& text, std::vector<std::string>& notes) {
  Table table;
  int64_t broken = 0, first_broken = 0, number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_object()) {
      add_row(table, object);
    } else if (++broken == 1) {
      first_broken = number;
    }
  }
  // A run that was killed leaves half a line behind.
  if (broken > 0)
    notes.push_back(fmt::format("{} line{} no JSON object and {} left out, the first is line {}", broken,
                                broken == 1 ? " is" : "s are", broken == 1 ? "was" : "were", first_broken));
  return table;
}

Table read_trainer_state(const std::filesystem::path& file, const std::string& text) {
  const nlohmann::json state = nlohmann::json::parse(text, nullptr, false);
  const auto history = state.is_object() ? state.find("log_history") : state.end();
  if (!state.is_object() || history == state.end() || !history->is_array())
    fail("{}: has no list 'log_history'; is it a trainer_state.json?", file.string());
  Table table;
  for (const nlohmann::json& entry : *history)
    if (entry.is_object()) add_row(table, entry);
  return table;
}

}  // namespace

Dataset read_log(const std::filesystem::path& file) {
  Dataset log;
  log.title = file.filename().string();
  const std::string text = read_file(file, log_limit);
  Table table = file.extension() == ".json" ? read_trainer_state(file, text) : read_lines(text, log.notes);
  if (table.steps.empty() || table.columns.empty())
    fail("{}: holds no rows of numbers; expected one JSON object a line, or log_history", file.string());
  const auto rows = static_cast<int64_t>(table.steps.size());
  for (auto& [name, column] : table.columns) {
    column.resize(static_cast<size_t>(rows), std::nan(""));
    log.set(name, Array({"row"}, {rows}, std::move(column)));
  }
  Array steps({"row"}, {rows}, std::move(table.steps));
  steps.title = "step";
  log.set_coord("row", std::move(steps));
  log.provenance["source"] = file.string();
  return log;
}

}  // namespace varve
