// Turns tables of several kinds into arrays over steps or rows.
#include "loaders/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "loaders/curves.h"
#include "loaders/import.h"
#include "loaders/table_arrays.h"

namespace varve {
namespace {

using nlohmann::json;

constexpr int64_t file_limit = 1'000'000'000;
constexpr size_t column_limit = 20000;

bool names_a_step(const std::string& name) {
  for (const char* known : {"step", "steps", "global_step", "iteration", "iter", "checkpoint"})
    if (name == known) return true;
  return false;
}

// Columns of equal length become arrays over `step` where one of them says the steps, else over `row`.
class Columns {
 public:
  void number(const std::string& name, size_t row, double value) {
    std::vector<double>& column = numbers_[name];
    if (numbers_.size() > column_limit) fail("a table of more than {} columns is not read", column_limit);
    column.resize(std::max(column.size(), row + 1), std::nan(""));
    column[row] = value;
    rows_ = std::max(rows_, row + 1);
  }
  void text(const std::string& name, size_t row, const std::string& value) {
    std::vector<std::string>& column = texts_[name];
    column.resize(std::max(column.size(), row + 1));
    column[row] = value;
    rows_ = std::max(rows_, row + 1);
  }

  Dataset dataset(const std::string& source) {
    Dataset data;
    std::vector<int64_t> order, steps;
    std::string step_column;
    for (const auto& [name, column] : numbers_)
      if (names_a_step(name) && step_column.empty()) step_column = name;
    for (size_t i = 0; i < rows_; ++i) order.push_back(static_cast<int64_t>(i));
    if (!step_column.empty()) {
      std::vector<double> column = std::move(numbers_[step_column]);
      numbers_.erase(step_column);
      column.resize(rows_, std::nan(""));
      for (const double step : column)
        if (!(std::abs(step) < 9e15)) fail("{}: a row has no step", source);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return column[static_cast<size_t>(a)] < column[static_cast<size_t>(b)];
      });
      for (const int64_t i : order) steps.push_back(static_cast<int64_t>(column[static_cast<size_t>(i)]));
      if (std::adjacent_find(steps.begin(), steps.end()) != steps.end())
        fail("{}: two rows have the same step; keep one row a step", source);
    }
    const std::string axis = steps.empty() ? "row" : "step";
    const auto count = static_cast<int64_t>(rows_);
    for (auto& [name, column] : numbers_) {
      column.resize(rows_, std::nan(""));
      std::vector<double> sorted;
      for (const int64_t i : order) sorted.push_back(column[static_cast<size_t>(i)]);
      data.set(name, Array({axis}, {count}, std::move(sorted)));
    }
    for (auto& [name, column] : texts_) {
      column.resize(rows_);
      std::vector<std::string> sorted;
      for (const int64_t i : order) sorted.push_back(column[static_cast<size_t>(i)]);
      data.set(numbers_.contains(name) ? name + " (text)" : name, Array({axis}, {count}, std::move(sorted)));
    }
    if (!steps.empty()) data.set_coord("step", Array({"step"}, {count}, std::move(steps)));
    if (data.arrays().empty()) fail("{}: holds no column of numbers or text", source);
    return data;
  }

 private:
  std::map<std::string, std::vector<double>> numbers_;
  std::map<std::string, std::vector<std::string>> texts_;
  size_t rows_ = 0;
};

std::optional<double> number_in(const std::string& cell) {
  double value = 0;
  const char* const end = cell.data() + cell.size();
  const auto [stop, problem] = std::from_chars(cell.data(), end, value);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return value;
}

// RFC 4180: fields in quotes may hold commas, line ends and doubled quotes.
std::vector<std::vector<std::string>> csv_rows(const std::string& text, const std::string& source) {
  std::vector<std::vector<std::string>> rows(1);
  std::string cell;
  bool quoted = false, started = false;
  const auto end_cell = [&] {
    rows.back().push_back(cell);
    cell.clear();
    started = false;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      if (letter != '"') cell += letter;
      if (letter == '"' && i + 1 < text.size() && text[i + 1] == '"')
        cell += text[++i];
      else if (letter == '"')
        quoted = false;
    } else if (letter == '"' && cell.empty()) {
      quoted = started = true;
    } else if (letter == ',') {
      end_cell();
      started = true;
    } else if (letter == '\n') {
      if (started || !cell.empty()) end_cell();
      if (!rows.back().empty()) rows.emplace_back();
    } else if (letter != '\r') {
      cell += letter;
      started = true;
    }
  }
  if (quoted) fail("{}: a quoted field has no end; was the file cut short?", source);
  if (started || !cell.empty()) end_cell();
  if (rows.back().empty()) rows.pop_back();
  return rows;
}

Dataset read_csv(const std::string& path) {
  const auto rows = csv_rows(read_file(path, file_limit), path);
  if (rows.size() < 2) fail("{}: needs a line of names and at least one row", path);
  std::vector<std::string> names = rows.front();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) names[i] = fmt::format("column {}", i);
    const auto same = std::count(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]);
    if (same > 0) names[i] += fmt::format(" ({})", same + 1);
  }
  Columns columns;
  for (size_t column = 0; column < names.size(); ++column) {
    bool numeric = false, text = false;
    for (size_t row = 1; row < rows.size(); ++row) {
      if (rows[row].size() > names.size())
        fail("{}: row {} has {} fields but there are {} names", path, row, rows[row].size(), names.size());
      if (column >= rows[row].size() || rows[row][column].empty()) continue;
      (number_in(rows[row][column]) ? numeric : text) = true;
    }
    for (size_t row = 1; row < rows.size(); ++row) {
      const std::string cell = column < rows[row].size() ? rows[row][column] : "";
      if (text)
        columns.text(names[column], row - 1, cell);
      else if (numeric)
        columns.number(names[column], row - 1, cell.empty() ? std::nan("") : *number_in(cell));
    }
  }
  return columns.dataset(path);
}

// Numbers at any depth, names joined by dots; results of the evaluation harness stand under "results", beside
// versions and settings that are no scores.
void collect(Columns& columns, size_t row, const json& object, const std::string& prefix, int depth) {
  constexpr int deepest = 8;
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_number()) columns.number(name, row, value.get<double>());
    if (value.is_boolean()) columns.number(name, row, value.get<bool>() ? 1 : 0);
    if (value.is_string() && depth == 0) columns.text(name, row, value.get<std::string>());
    if (value.is_object() && depth < deepest) collect(columns, row, value, name + ".", depth + 1);
  }
}

const json& scores_of(const json& object) {
  const auto results = object.find("results");
  return results != object.end() && results->is_object() ? *results : object;
}

// "160m_step93000.json" -> 93000.
std::optional<int64_t> step_in_name(const std::string& name) {
  const size_t at = name.rfind("step");
  if (at == std::string::npos) return std::nullopt;
  size_t begin = at + 4;
  if (begin < name.size() && (name[begin] == '_' || name[begin] == '-')) ++begin;
  int64_t step = 0;
  const auto [stop, problem] = std::from_chars(name.data() + begin, name.data() + name.size(), step);
  if (problem != std::errc()) return std::nullopt;
  return step;
}

json parsed(const std::string& path) {
  json document = json::parse(read_file(path, file_limit), nullptr, false);
  if (document.is_discarded()) fail("{}: is not JSON; was it cut short?", path);
  return document;
}

Dataset read_json(const std::string& path) {
  const json document = parsed(path);
  Columns columns;
  if (document.is_object() && document.contains("log_history")) return rows_as_steps(read_log(path));
  if (document.is_array()) {
    for (size_t row = 0; row < document.size(); ++row)
      if (document[row].is_object()) collect(columns, row, document[row], "", 0);
    return columns.dataset(path);
  }
  if (!document.is_object()) fail("{}: expected an object or a list of objects", path);
  size_t row = 0;
  for (const auto& [key, value] : document.items()) {
    const std::optional<double> step = number_in(key);
    if (!step || !value.is_object()) break;
    columns.number("step", row, *step);
    collect(columns, row++, scores_of(value), "", 0);
  }
  if (row == document.size() && row > 0) return columns.dataset(path);
  Columns one;
  collect(one, 0, scores_of(document), "", 0);
  if (const auto step = step_in_name(std::filesystem::path(path).filename().string()))
    one.number("step", 0, static_cast<double>(*step));
  return one.dataset(path);
}

Dataset read_score_folder(const std::string& folder, const std::vector<std::filesystem::path>& files) {
  Columns columns;
  size_t row = 0;
  for (const std::filesystem::path& file : files) {
    const std::optional<int64_t> step = step_in_name(file.filename().string());
    if (!step)
      fail("{}: no step in this name; files of a folder of scores are named as in scores_step1000.json",
           file.string());
    const json document = parsed(file.string());
    if (!document.is_object()) fail("{}: expected an object of scores", file.string());
    columns.number("step", row, static_cast<double>(*step));
    collect(columns, row++, scores_of(document), "", 0);
  }
  return columns.dataset(folder);
}

Dataset read_folder(const std::string& folder) {
  std::vector<std::filesystem::path> scores, counts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") scores.push_back(entry.path());
    if (entry.path().extension() == ".pkl") counts.push_back(entry.path());
  }
  std::sort(scores.begin(), scores.end());
  if (!scores.empty() && !counts.empty())
    fail("{}: holds both .json and .pkl files; give the folder of one kind", folder);
  if (!counts.empty()) return read_expert_counts(folder);
  if (scores.empty()) fail("{}: holds neither .json files of scores nor .pkl files of expert counts", folder);
  return read_score_folder(folder, scores);
}

Dataset read_whole(const std::string& path) {
  if (is_curve_source(path)) return read_curves(path);
  if (std::filesystem::is_directory(path)) return read_folder(path);
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".csv") return read_csv(path);
  if (ending == ".json") return read_json(path);
  if (ending == ".jsonl") return rows_as_steps(read_log(path));
  if (ending == ".npy" || ending == ".npz") return read_numpy_table(path);
  if (ending == ".h5") return read_dataset(path);
  fail("{}: a table is a .csv, .json, .jsonl, .npy, .npz or .h5 file, or a folder of such", path);
}

}  // namespace

Dataset read_table(const std::string& argument) {
  std::string path = argument, name;
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) {
    // Only the last colon can separate: others may stand in the path.
    const size_t colon = argument.rfind(':');
    if (colon != std::string::npos) path = argument.substr(0, colon), name = argument.substr(colon + 1);
    if (!std::filesystem::exists(path, problem)) fail("{}: there is no such file or folder", path);
  }
  Dataset data = read_whole(path);
  data.provenance["source"] = argument;
  if (data.title.empty()) data.title = std::filesystem::path(path).filename().string();
  if (name.empty()) return data;
  if (!data.has(name)) {
    std::vector<std::string> names;
    for (const auto& [each, array] : data.arrays()) names.push_back(each);
    fail_usage("{}: holds no array '{}'; did you mean '{}'? It has {}.", path, name, nearest(name, names),
               names.size());
  }
  return chosen_array(data, name);
}

}  // namespace varve
