// series.h5 as tables: a series of 154 checkpoints with 300 tensors each is 46,200 rows of numbers and a few
// hundred distinct texts, so it opens in milliseconds.
#include "analysis/store/series_file.h"

#include <unordered_map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/tensor_bytes.h"

namespace varve {

namespace {

constexpr int64_t digest_bytes = 16;

// Each distinct text once, in order of first use.
class TextTable {
 public:
  int64_t row(const std::string& text) {
    const auto [place, fresh] = rows_.try_emplace(text, static_cast<int64_t>(texts_.size()));
    if (fresh) texts_.push_back(text);
    return place->second;
  }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::unordered_map<std::string, int64_t> rows_;
  std::vector<std::string> texts_;
};

std::string print_shape(const std::vector<int64_t>& shape) {
  std::string text;
  for (int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : ",", extent);
  return text;
}

std::vector<int64_t> parse_shape(const std::string& text, const std::string& whose) {
  std::vector<int64_t> shape;
  if (text.empty()) return shape;
  for (const std::string& word : split(text, ',')) {
    if (word.empty() || word.size() > 18 || word.find_first_not_of("0123456789") != std::string::npos)
      fail("{}: '{}' is no tensor shape", whose, text);
    shape.push_back(std::stoll(word));
  }
  return shape;
}

uint8_t hex_value(char letter) {
  return static_cast<uint8_t>(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

using Column = std::vector<int64_t>;

// Columns of one table, read with every row number checked.
class Table {
 public:
  Table(const Dataset& data, std::string axis, std::string whose)
      : data_(data), axis_(std::move(axis)), whose_(std::move(whose)) {}
  template <class T>
  std::span<const T> column(const std::string& name) const {
    const Array& array = data_[axis_ + "_" + name];
    if (array.axes().size() != 1 || array.axes()[0] != axis_)
      fail("{}: column {} is misshapen", whose_, name);
    return array.as<T>();
  }
  std::vector<const std::string*> texts(const std::string& name, std::span<const std::string> all) const {
    std::vector<const std::string*> values;
    for (int64_t row : column<int64_t>(name)) {
      if (row < 0 || row >= static_cast<int64_t>(all.size()))
        fail("{}: column {} points at a text that is not there", whose_, name);
      values.push_back(&all[static_cast<size_t>(row)]);
    }
    return values;
  }

 private:
  const Dataset& data_;
  std::string axis_, whose_;
};

Array column(const std::string& axis, Array::Values values, int64_t rows) {
  return {{axis}, {rows}, std::move(values)};
}

std::vector<TensorRecord> read_tensors(const Dataset& tables, std::span<const std::string> texts,
                                       const std::string& whose) {
  const Table table(tables, "tensor", whose);
  const auto names = table.texts("name", texts), types = table.texts("type", texts),
             shapes = table.texts("shape", texts), links = table.texts("link_path", texts);
  const auto nonfinite = table.column<int64_t>("nonfinite"), offsets = table.column<int64_t>("link_offset"),
             sizes = table.column<int64_t>("link_file_bytes");
  const Array& digests = tables["tensor_digest"];
  const std::span<const uint8_t> digest_values = digests.as<uint8_t>();
  if (digest_values.size() != names.size() * digest_bytes) fail("{}: column digest is misshapen", whose);
  // The same few shapes and types stand in every checkpoint: read each text once.
  std::unordered_map<const std::string*, std::vector<int64_t>> known_shapes;
  std::unordered_map<const std::string*, TensorType> known_types;
  std::vector<TensorRecord> records(names.size());
  for (size_t row = 0; row < records.size(); ++row) {
    TensorRecord& record = records[row];
    record.name = *names[row];
    if (!known_types.contains(types[row])) {
      const std::optional<TensorType> type = tensor_type_named(*types[row]);
      if (!type) fail("{}: the tensor '{}' has the unknown type '{}'", whose, record.name, *types[row]);
      known_types[types[row]] = *type;
    }
    record.type = known_types[types[row]];
    if (!known_shapes.contains(shapes[row])) known_shapes[shapes[row]] = parse_shape(*shapes[row], whose);
    record.shape = known_shapes[shapes[row]];
    for (size_t byte = 0; byte < digest_bytes; ++byte) {
      const uint8_t value = digest_values[row * digest_bytes + byte];
      record.digest += "0123456789abcdef"[value >> 4];
      record.digest += "0123456789abcdef"[value & 15];
    }
    record.nonfinite = nonfinite[row];
    record.link_path = *links[row];
    record.link_offset = offsets[row];
    record.link_file_bytes = sizes[row];
  }
  return records;
}

}  // namespace

Dataset tables_of(const SeriesRecord& series) {
  TextTable texts;
  Column step, tokens, branch, label, source, config, spec, recipe, digest, bytes, nonfinite, tensors;
  std::vector<double> change;
  Column name, type, shape, tensor_nonfinite, link_path, link_offset, link_file_bytes;
  std::vector<uint8_t> tensor_digests;
  for (const CheckpointRecord& checkpoint : series.checkpoints) {
    step.push_back(checkpoint.step);
    tokens.push_back(checkpoint.tokens);
    branch.push_back(texts.row(checkpoint.branch));
    label.push_back(texts.row(checkpoint.label));
    source.push_back(texts.row(checkpoint.source));
    config.push_back(texts.row(checkpoint.config));
    spec.push_back(texts.row(checkpoint.spec));
    recipe.push_back(texts.row(checkpoint.recipe));
    digest.push_back(texts.row(checkpoint.digest));
    bytes.push_back(checkpoint.bytes);
    nonfinite.push_back(checkpoint.nonfinite);
    change.push_back(checkpoint.change);
    tensors.push_back(static_cast<int64_t>(checkpoint.tensors.size()));
    for (const TensorRecord& tensor : checkpoint.tensors) {
      require_digest(tensor.digest, fmt::format("tensor '{}' of {}", tensor.name, checkpoint.label));
      name.push_back(texts.row(tensor.name));
      type.push_back(texts.row(std::string(name_of(tensor.type))));
      shape.push_back(texts.row(print_shape(tensor.shape)));
      tensor_nonfinite.push_back(tensor.nonfinite);
      link_path.push_back(texts.row(tensor.link_path));
      link_offset.push_back(tensor.link_offset);
      link_file_bytes.push_back(tensor.link_file_bytes);
      for (size_t at = 0; at < tensor.digest.size(); at += 2)
        tensor_digests.push_back(
            static_cast<uint8_t>(hex_value(tensor.digest[at]) * 16 + hex_value(tensor.digest[at + 1])));
    }
  }
  const auto checkpoints = static_cast<int64_t>(step.size()), rows = static_cast<int64_t>(name.size());
  Dataset data;
  data.title = series.name;
  data.notes = series.notes;
  data.provenance["kind"] = "series";
  const auto put = [&data](const std::string& axis, const std::string& what, Array::Values values,
                           int64_t count) {
    data.set(axis + "_" + what, column(axis, std::move(values), count));
  };
  put("checkpoint", "step", step, checkpoints);
  put("checkpoint", "tokens", tokens, checkpoints);
  put("checkpoint", "branch", branch, checkpoints);
  put("checkpoint", "label", label, checkpoints);
  put("checkpoint", "source", source, checkpoints);
  put("checkpoint", "config", config, checkpoints);
  put("checkpoint", "spec", spec, checkpoints);
  put("checkpoint", "recipe", recipe, checkpoints);
  put("checkpoint", "digest", digest, checkpoints);
  put("checkpoint", "bytes", bytes, checkpoints);
  put("checkpoint", "nonfinite", nonfinite, checkpoints);
  put("checkpoint", "change", change, checkpoints);
  put("checkpoint", "tensors", tensors, checkpoints);
  put("tensor", "name", name, rows);
  put("tensor", "type", type, rows);
  put("tensor", "shape", shape, rows);
  put("tensor", "nonfinite", tensor_nonfinite, rows);
  put("tensor", "link_path", link_path, rows);
  put("tensor", "link_offset", link_offset, rows);
  put("tensor", "link_file_bytes", link_file_bytes, rows);
  data.set("tensor_digest", {{"tensor", "byte"}, {rows, digest_bytes}, std::move(tensor_digests)});
  const Column tokenizer{texts.row(series.tokenizer)};
  data.set("tokenizer", {{}, {}, tokenizer});
  std::vector<std::string> all = texts.take();
  const auto count = static_cast<int64_t>(all.size());
  data.set("texts", column("text", std::move(all), count));
  return data;
}

SeriesRecord series_of(const Dataset& tables, const std::string& whose) {
  const std::span<const std::string> texts = tables["texts"].as<std::string>();
  const Table table(tables, "checkpoint", whose);
  const auto steps = table.column<int64_t>("step"), tokens = table.column<int64_t>("tokens"),
             bytes = table.column<int64_t>("bytes"), nonfinite = table.column<int64_t>("nonfinite"),
             counts = table.column<int64_t>("tensors");
  const auto changes = table.column<double>("change");
  const auto branches = table.texts("branch", texts), labels = table.texts("label", texts),
             sources = table.texts("source", texts), configs = table.texts("config", texts),
             specs = table.texts("spec", texts), recipes = table.texts("recipe", texts),
             digests = table.texts("digest", texts);
  std::vector<TensorRecord> tensors = read_tensors(tables, texts, whose);
  SeriesRecord series;
  series.name = tables.title;
  series.notes = tables.notes;
  const std::span<const int64_t> tokenizer = tables["tokenizer"].as<int64_t>();
  if (tokenizer.size() != 1 || tokenizer[0] < 0 || tokenizer[0] >= static_cast<int64_t>(texts.size()))
    fail("{}: its tokenizer points at a text that is not there", whose);
  series.tokenizer = texts[static_cast<size_t>(tokenizer[0])];
  size_t next = 0;
  for (size_t row = 0; row < steps.size(); ++row) {
    const int64_t count = counts[row];
    if (count < 0 || count > static_cast<int64_t>(tensors.size() - next))
      fail("{}: a checkpoint claims tensors that are not there", whose);
    CheckpointRecord checkpoint{
        steps[row],  tokens[row],   *branches[row], *labels[row], *sources[row],  *configs[row],
        *specs[row], *recipes[row], *digests[row],  bytes[row],   nonfinite[row], changes[row],
        {}};
    for (const size_t end = next + static_cast<size_t>(count); next < end; ++next)
      checkpoint.tensors.push_back(std::move(tensors[next]));
    series.checkpoints.push_back(std::move(checkpoint));
  }
  if (next != tensors.size()) fail("{}: some tensors belong to no checkpoint", whose);
  return series;
}

SeriesRecord read_series(const std::filesystem::path& file) {
  try {
    return series_of(read_sealed_dataset(file), file.string());
  } catch (const Error& error) {
    throw Error(error.blame(), fmt::format("{}. Delete it and import the series into this store again; the "
                                           "weights and results already there are used again.",
                                           error.what()));
  }
}

}  // namespace varve
