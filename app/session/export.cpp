// Writing numbers, and finding the demo.
#include "app/session/export.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"

namespace varve {

namespace {

// RFC 4180: a field with a comma, a quote or a line end stands in quotes, quotes are doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::vector<int64_t> index_of(int64_t flat, const std::vector<int64_t>& shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return index;
}

std::string tick(const Dataset& data, const std::string& axis, int64_t index) {
  const Array* coord = data.coord(axis);
  return coord ? field(coord->text(index)) : std::to_string(index);
}

}  // namespace

std::string csv_of(const Dataset& data) {
  const std::vector<std::string> axes = data.axes();
  std::string csv = "array";
  for (const std::string& axis : axes) csv += "," + field(axis);
  csv += ",value,unit\n";
  for (const auto& [name, array] : data.arrays())
    for (int64_t flat = 0; flat < array.size(); ++flat) {
      const std::vector<int64_t> index = index_of(flat, array.shape());
      csv += field(name);
      for (const std::string& axis : axes) {
        const auto place = array.axis(axis);
        csv += "," + (place ? tick(data, axis, index[static_cast<size_t>(*place)]) : "");
      }
      csv += "," + field(array.text(flat)) + "," + field(array.unit) + "\n";
    }
  return csv;
}

std::string tsv_of(const Dataset& data) {
  const auto plain = [](std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    return text;
  };
  const std::vector<std::string> axes = data.axes();
  std::string tsv = "array";
  for (const std::string& axis : axes) tsv += "\t" + plain(axis);
  tsv += "\tvalue\tunit\n";
  for (const auto& [name, array] : data.arrays())
    for (int64_t flat = 0; flat < array.size(); ++flat) {
      const std::vector<int64_t> index = index_of(flat, array.shape());
      tsv += plain(name);
      for (const std::string& axis : axes) {
        tsv += "\t";
        const auto place = array.axis(axis);
        if (!place) continue;
        const int64_t here = index[static_cast<size_t>(*place)];
        const Array* ticks = data.coord(axis);
        tsv += ticks ? plain(ticks->text(here)) : std::to_string(here);
      }
      tsv += "\t" + plain(array.text(flat)) + "\t" + plain(array.unit) + "\n";
    }
  return tsv;
}

void write_numbers(const std::filesystem::path& file, const Dataset& data) {
  const std::string ending = file.extension().string();
  if (ending == ".csv")
    write_file_atomically(file, csv_of(data));
  else if (ending == ".h5" || ending == ".nc")
    write_dataset(file, data);
  else
    fail_usage("'{}' does not say which kind of numbers to write; end the name in .csv or .h5",
               file.string());
}

std::optional<std::filesystem::path> find_demo_series(const std::filesystem::path& program_folder) {
  std::vector<std::filesystem::path> places;
  if (const char* datasets = std::getenv("VARVE_DATASETS"); datasets && *datasets)
    places.emplace_back(datasets);
  std::filesystem::path above = program_folder;
  for (int up = 0; up < 4; ++up, above = above.parent_path()) {
    places.push_back(above / "datasets");
    places.push_back(above / "share" / "varve" / "datasets");
  }
  for (const std::filesystem::path& place : places)
    if (std::filesystem::is_directory(place / "tiny-neox")) return place / "tiny-neox";
  return std::nullopt;
}

}  // namespace varve
