// Writes and indexes weights files. HDF5 lays the file out in memory; the bytes go straight from the mapped
// source to their place, so that an import runs about as fast as a copy.
#include "analysis/store/weights_file.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "analysis/core/digest.h"
#include "analysis/core/mapped_file.h"
#include "analysis/core/pool.h"
#include "analysis/store/draft.h"
#include "analysis/store/tensor_bytes.h"

namespace varve {

using nlohmann::json;

namespace {

constexpr int64_t page = 4096;
// Small enough that progress and Stop come every few milliseconds, large enough that calls cost nothing.
constexpr int64_t block = int64_t{8} << 20;

// bf16 and f16 lie as 16-bit words: HDF5's own conversion of custom floats is hundreds of times slower than
// ours. The attribute dtype says what they are.
hid_t stored_type(TensorType type) {
  switch (type) {
    case TensorType::f64:
      return H5T_IEEE_F64LE;
    case TensorType::f32:
      return H5T_IEEE_F32LE;
    case TensorType::f16:
    case TensorType::bf16:
      return H5T_STD_U16LE;
    case TensorType::i64:
      return H5T_STD_I64LE;
    case TensorType::i32:
      return H5T_STD_I32LE;
    case TensorType::i16:
      return H5T_STD_I16LE;
    case TensorType::i8:
      return H5T_STD_I8LE;
    case TensorType::u8:
    case TensorType::boolean:
      return H5T_STD_U8LE;
  }
  fail("a tensor has an element type that varve does not know");
}

void create_tables(const h5::Draft& draft, std::span<const WeightsPayload> tensors) {
  const h5::Handle properties = h5::plain_dataset_properties();
  for (const WeightsPayload& tensor : tensors) {
    const TensorRecord& record = tensor.record;
    const std::string what = fmt::format("making a place for the tensor '{}'", record.name);
    const bool whole = tensor.base.empty();
    const h5::Handle space = h5::simple_space(
        whole ? record.shape : std::vector<int64_t>{static_cast<int64_t>(tensor.bytes.size())});
    const h5::Handle dataset(
        H5Dcreate2(draft.file(), record.digest.c_str(), whole ? stored_type(record.type) : H5T_STD_U8LE,
                   space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
        H5Dclose, what);
    if (!whole) {
      h5::write_attribute(dataset.id(), "packed_difference_to", tensor.base);
      h5::write_attribute(dataset.id(), "shape", fmt::format("{}", fmt::join(record.shape, " ")));
    }
    h5::write_attribute(dataset.id(), "dtype", std::string(name_of(record.type)));
    h5::write_attribute(dataset.id(), "name", record.name);
  }
}

std::vector<int64_t> reserve_places(h5::Draft& draft, std::span<const WeightsPayload> tensors) {
  // Only the payloads are aligned; tables that each began at a page would double the size of a small model.
  draft.align(page);
  std::vector<int64_t> offsets;
  for (const WeightsPayload& tensor : tensors) {
    const std::string what = fmt::format("making a place for the tensor '{}'", tensor.record.name);
    const h5::Handle dataset(H5Dopen2(draft.file(), tensor.record.digest.c_str(), H5P_DEFAULT), H5Dclose,
                             what);
    offsets.push_back(draft.reserve(dataset.id()));
  }
  return offsets;
}

std::string print_index(std::span<const WeightsPayload> tensors, const std::vector<int64_t>& offsets) {
  json all = json::array();
  for (size_t place = 0; place < tensors.size(); ++place) {
    const TensorRecord& record = tensors[place].record;
    all.push_back(json::array({record.digest, record.name, name_of(record.type), record.shape, offsets[place],
                               tensors[place].bytes.size(), tensors[place].base}));
  }
  return json{{"tensors", all}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A stretch of one tensor, copied by whichever thread is free.
struct Piece {
  const std::byte* from;
  int64_t to, count;
  bool mapped;
};

void copy_payloads(const PublishedFile& file, std::span<const WeightsPayload> tensors,
                   const std::vector<int64_t>& offsets, Task& task) {
  std::vector<Piece> pieces;
  int64_t total = 0;
  for (size_t place = 0; place < tensors.size(); ++place) {
    const auto bytes = static_cast<int64_t>(tensors[place].bytes.size());
    for (int64_t at = 0; at < bytes; at += block)
      pieces.push_back({tensors[place].bytes.data() + at, offsets[place] + at, std::min(block, bytes - at),
                        tensors[place].mapped});
    total += bytes;
  }
  std::atomic<int64_t> done{0};
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t which, int) {
    const Piece& piece = pieces[static_cast<size_t>(which)];
    file.write(piece.to, piece.from, piece.count);
    file.begin_writing_out(piece.to, piece.count);
    if (piece.mapped) done_with({piece.from, static_cast<size_t>(piece.count)});
    task.step(done += piece.count, total);
  });
}

WeightsEntry read_entry(const json& row) {
  WeightsEntry entry;
  entry.digest = row.at(0).get<std::string>();
  entry.name = row.at(1).get<std::string>();
  const auto type_name = row.at(2).get<std::string>();
  const std::optional<TensorType> type = tensor_type_named(type_name);
  if (!type) fail("the tensor '{}' has the unknown element type '{}'", entry.name, type_name);
  entry.type = *type;
  entry.shape = row.at(3).get<std::vector<int64_t>>();
  entry.offset = row.at(4).get<int64_t>();
  entry.bytes = row.at(5).get<int64_t>();
  if (row.size() > 6) entry.base = row.at(6).get<std::string>();
  return entry;
}

}  // namespace

std::vector<Stretch> WeightsIndex::stretches() const {
  std::vector<Stretch> all;
  for (const WeightsEntry& entry : entries) all.emplace_back(entry.offset, entry.bytes);
  return all;
}

std::string weights_name(std::vector<std::string> digests) {
  std::sort(digests.begin(), digests.end());
  Digest digest;
  for (const std::string& each : digests) digest.add(each);
  return digest.hex();
}

std::unique_ptr<PublishedFile> write_weights(const std::filesystem::path& file,
                                             std::span<const WeightsPayload> tensors, Task& task) {
  auto published = std::make_unique<PublishedFile>(file);
  h5::Draft draft;
  create_tables(draft, tensors);
  const std::vector<int64_t> offsets = reserve_places(draft, tensors);
  draft.close();
  draft.copy_into(*published);
  copy_payloads(*published, tensors, offsets, task);
  write_seal(*published, {draft.bytes(), draft.digest(), print_index(tensors, offsets)});
  return published;
}

WeightsIndex read_weights_index(const std::filesystem::path& file) {
  WeightsIndex index;
  index.seal = read_seal(file);
  try {
    const json note = json::parse(index.seal.note);
    for (const json& row : note.at("tensors")) index.entries.push_back(read_entry(row));
  } catch (const json::exception&) {
    fail("{}: its list of tensors cannot be read", file.string());
  }
  for (const WeightsEntry& entry : index.entries) {
    const std::string whose = fmt::format("{}: tensor '{}'", file.string(), entry.name);
    require_digest(entry.digest, whose);
    const bool inside = entry.offset >= 0 && entry.bytes >= 0 && entry.bytes <= index.seal.body_bytes &&
                        entry.offset <= index.seal.body_bytes - entry.bytes;
    if (!entry.base.empty()) require_digest(entry.base, whose);
    const int64_t whole = bytes_needed(entry.type, entry.shape, whose);
    if (!inside || (entry.base.empty() ? entry.bytes != whole : entry.bytes > whole))
      fail("{}: its place in the file is impossible", whose);
  }
  return index;
}

}  // namespace varve
