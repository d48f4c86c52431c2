// Reads NumPy's printed arrays [sequence, 4, layer] of many steps into one Dataset.
//
// Layout of one file, exp2_pythia_<size>_step<N>, as NumPy prints:
//   1. one block a sequence: "[[" four rows "]]", or all blocks inside one more pair of brackets;
//   2. four rows a block: top-1, top-2, top-3, median of |h|; a row may run over several lines;
//   3. in a row one number a layer, separated by spaces.
#include "loaders/published_statistics.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr int64_t file_limit = 64 << 20;
constexpr size_t ranks = 3, rows_a_block = 4;
constexpr int64_t layer_limit = 100'000;

// "exp2_pythia_14m_step52000" -> 52000; -1 where the name has no step at its end.
int64_t step_in(const std::string& name) {
  const size_t at = name.rfind("step");
  if (at == std::string::npos) return -1;
  std::string digits = name.substr(at + 4);
  if (digits.ends_with(".txt")) digits.resize(digits.size() - 4);
  int64_t step = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  return error == std::errc() && end == digits.data() + digits.size() && step >= 0 ? step : -1;
}

bool is_statistics(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  const std::string ending = file.extension().string();
  return name.find("pythia") != std::string::npos && step_in(name) >= 0 &&
         (ending.empty() || ending == ".txt");
}

// Sizes of the nine models whose statistics are published (Biderman et al. 2023, table 1).
struct PythiaSize {
  const char* name;
  int64_t layers, d_model, heads, parameters;
};
constexpr PythiaSize pythia_sizes[] = {
    {"14m", 6, 128, 4, 14'067'712},        {"70m", 6, 512, 8, 70'426'624},
    {"160m", 12, 768, 12, 162'322'944},    {"410m", 24, 1024, 16, 405'334'016},
    {"1b", 16, 2048, 8, 1'011'781'632},    {"1.4b", 24, 2048, 16, 1'414'647'808},
    {"2.8b", 32, 2560, 32, 2'775'208'960}, {"6.9b", 32, 4096, 32, 6'857'302'016},
    {"12b", 36, 5120, 40, 11'846'072'320}};

void put_size(Dataset& data, const std::string& file, int64_t layers) {
  for (const PythiaSize& size : pythia_sizes) {
    if (file.find("pythia_" + std::string(size.name) + "_") == std::string::npos || size.layers != layers)
      continue;
    data.set("layers", Array::scalar(static_cast<double>(size.layers)));
    data.set("d_model_size", Array::scalar(static_cast<double>(size.d_model)));
    data.set("heads", Array::scalar(static_cast<double>(size.heads)));
    data.set("d_mlp_size", Array::scalar(static_cast<double>(4 * size.d_model)));
    data.set("parameters", Array::scalar(static_cast<double>(size.parameters)));
    data.title = "Published statistics of pythia-" + std::string(size.name);
  }
}

struct OneStep {
  size_t sequences = 0, layers = 0;
  std::vector<std::vector<double>> rows;
};

OneStep read_step(const std::filesystem::path& file) {
  OneStep step;
  step.rows = printed_rows(read_file(file, file_limit), file.string());
  step.layers = step.rows.empty() ? 0 : step.rows.front().size();
  for (size_t i = 0; i < step.rows.size(); ++i)
    if (step.rows[i].size() != step.layers || step.layers == 0)
      fail("{}: row {} holds {} numbers and row 0 holds {}; every row has one a layer", file.string(), i,
           step.rows[i].size(), step.layers);
  if (step.rows.empty() || step.rows.size() % rows_a_block != 0)
    fail("{}: {} rows are no whole number of blocks of top-1, top-2, top-3 and median", file.string(),
         step.rows.size());
  if (step.layers > layer_limit) fail("{}: {} layers are not believed", file.string(), step.layers);
  step.sequences = step.rows.size() / rows_a_block;
  return step;
}

}  // namespace

std::vector<std::vector<double>> printed_rows(std::string_view text, const std::string& where) {
  if (text.find("...") != std::string_view::npos)
    fail(
        "{}: NumPy shortened this array with '...', so numbers are missing; print it again with "
        "numpy.set_printoptions(threshold=numpy.inf)",
        where);
  const bool has_brackets = text.find('[') != std::string_view::npos;
  std::vector<std::vector<double>> rows;
  std::vector<double> row;
  int depth = 0;
  const auto end_row = [&rows, &row] {
    if (!row.empty()) rows.push_back(std::move(row));
    row.clear();
  };
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '[' || c == ']') {
      if (c == '[' && !row.empty()) fail("{}: a bracket opens inside a row, at byte {}", where, i);
      depth += c == '[' ? 1 : -1;
      if (depth < 0 || depth > 8) fail("{}: the brackets do not match at byte {}", where, i);
      end_row();
      ++i;
    } else if (c == '\n' && !has_brackets) {
      end_row();
      ++i;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',') {
      ++i;
    } else {
      if (has_brackets && depth == 0) fail("{}: '{}' stands outside the brackets, at byte {}", where, c, i);
      double value = 0;
      const size_t from = c == '+' ? i + 1 : i;
      const auto [end, error] = std::from_chars(text.data() + from, text.data() + text.size(), value);
      if (error != std::errc()) fail("{}: at byte {} stands no number", where, i);
      row.push_back(value);
      i = static_cast<size_t>(end - text.data());
    }
  }
  end_row();
  if (depth != 0) fail("{}: {} brackets are still open at the end; is the file whole?", where, depth);
  return rows;
}

std::filesystem::path statistics_folder(const std::filesystem::path& folder) {
  for (const std::filesystem::path& place : {folder, folder / "stats"}) {
    std::error_code none;
    if (!std::filesystem::is_directory(place, none)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(place, none))
      if (is_statistics(entry.path())) return place;
  }
  return {};
}

Dataset read_published_statistics(const std::filesystem::path& source) {
  const std::filesystem::path folder = statistics_folder(source);
  if (folder.empty())
    fail("{}: no file named like exp2_pythia_14m_step1000 lies there or in stats/", source.string());
  std::map<int64_t, std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!is_statistics(entry.path())) continue;
    const auto [other, is_new] = files.emplace(step_in(entry.path().filename().string()), entry.path());
    if (!is_new)
      fail("{}: {} and {} are both of step {}; one model's files are expected", folder.string(),
           other->second.filename().string(), entry.path().filename().string(), other->first);
  }
  std::vector<int64_t> steps;
  std::vector<double> top, median;
  OneStep first;
  for (const auto& [step, file] : files) {
    const OneStep one = read_step(file);
    if (steps.empty()) first = one;
    if (one.layers != first.layers || one.sequences != first.sequences)
      fail("{}: {} sequences and {} layers, but the first step has {} and {}", file.string(), one.sequences,
           one.layers, first.sequences, first.layers);
    steps.push_back(step);
    for (size_t layer = 0; layer < one.layers; ++layer)
      for (size_t p = 0; p < one.sequences; ++p) {
        for (size_t k = 0; k < ranks; ++k) top.push_back(one.rows[p * rows_a_block + k][layer]);
        median.push_back(one.rows[p * rows_a_block + ranks][layer]);
      }
  }
  const auto count = static_cast<int64_t>(steps.size()), layers = static_cast<int64_t>(first.layers);
  const auto sequences = static_cast<int64_t>(first.sequences);
  Dataset data;
  data.title = "Published statistics of massive activations";
  put_size(data, files.begin()->second.filename().string(), layers);
  data.set("top", Array({"step", "layer", "prompt", "rank"}, {count, layers, sequences, int64_t{ranks}},
                        std::move(top)));
  data.set("median", Array({"step", "layer", "prompt"}, {count, layers, sequences}, std::move(median)));
  data.set_coord("step", Array({"step"}, {count}, std::move(steps)));
  data.provenance["source"] = folder.string();
  data.notes.push_back(
      fmt::format("Published statistics: {} steps, {} sequences, read from text.", count, sequences));
  return data;
}

}  // namespace varve
