// Reads safetensors files: a JSON table of tensors in front of their bytes, mapped and never copied.
//
// Byte layout (all numbers little endian):
//   1. 8 bytes: n, the length of the header, an unsigned integer
//   2. n bytes: the header, a UTF-8 JSON object that begins with '{'; it may end in spaces
//        "__metadata__": {text: text}, optional
//        NAME: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}
//   3. the rest: the tensors' bytes, row-major; begin and end count from here. Sorted by begin they follow
//   each
//      other without gap or overlap, from 0 to the last byte of the file.
#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/core/text.h"
#include "loaders/format.h"

namespace varve {
namespace {

constexpr uint64_t header_limit = 100'000'000;
constexpr size_t rank_limit = 32;

struct NamedType {
  const char* name;
  TensorType type;
};
constexpr NamedType types[] = {{"F64", TensorType::f64}, {"F32", TensorType::f32},
                               {"F16", TensorType::f16}, {"BF16", TensorType::bf16},
                               {"I64", TensorType::i64}, {"I32", TensorType::i32},
                               {"I16", TensorType::i16}, {"I8", TensorType::i8},
                               {"U8", TensorType::u8},   {"BOOL", TensorType::boolean}};

uint64_t little_endian(std::span<const std::byte> eight) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(eight[i]) << (8 * i);
  return value;
}

// The parser keeps the last of two equal keys without a word, so they are looked for as they stream by.
nlohmann::json parse_header(const std::filesystem::path& path, std::string_view text) {
  std::vector<std::set<std::string>> seen;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth > 3) fail("{}: the header nests deeper than a safetensors header can", path.string());
      if (event == Event::object_start) seen.emplace_back();
    } else if (event == Event::object_end) {
      seen.pop_back();
    } else if (event == Event::key && !seen.back().insert(parsed.get<std::string>()).second) {
      fail("{}: the header names '{}' twice; the file is damaged or was written by a faulty program",
           path.string(), parsed.get<std::string>());
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    fail("{}: the safetensors header is not JSON ({})", path.string(), error.what());
  }
}

uint64_t whole_number(const nlohmann::json& value, const std::filesystem::path& path, const std::string& name,
                      const char* what) {
  // The parser calls a number unsigned exactly where it is a whole number without a sign that fits 64 bits.
  if (!value.is_number_unsigned())
    fail("{}: tensor '{}': {} holds {}, not a whole number", path.string(), name, what, value.dump());
  return value.get<uint64_t>();
}

struct Entry {
  FileTensor tensor;
  uint64_t begin = 0, end = 0;
};

Entry read_entry(const std::filesystem::path& path, const std::string& name, const nlohmann::json& value) {
  const auto member = [&](const char* key) -> const nlohmann::json& {
    if (!value.is_object() || !value.contains(key))
      fail("{}: tensor '{}' has no {} in the header", path.string(), name, key);
    return value[key];
  };
  Entry entry;
  entry.tensor.name = name;
  const nlohmann::json& dtype = member("dtype");
  const NamedType* type = std::find_if(std::begin(types), std::end(types), [&](const NamedType& known) {
    return dtype.is_string() && dtype.get<std::string>() == known.name;
  });
  if (type == std::end(types))
    fail("{}: tensor '{}' has dtype {}, which is not read; F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL are",
         path.string(), name, dtype.dump());
  entry.tensor.view.type = type->type;

  const nlohmann::json& shape = member("shape");
  if (!shape.is_array() || shape.size() > rank_limit)
    fail("{}: tensor '{}' has the shape {}, not a list of at most {} sizes", path.string(), name,
         shape.dump().substr(0, 200), rank_limit);
  uint64_t bytes = static_cast<uint64_t>(size_of(type->type));
  bool overflow = false, empty = false;
  for (const nlohmann::json& part : shape) {
    const uint64_t size = whole_number(part, path, name, "its shape");
    if (size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) overflow = true;
    empty = empty || size == 0;
    overflow = __builtin_mul_overflow(bytes, size, &bytes) || overflow;
    if (!overflow) entry.tensor.view.shape.push_back(static_cast<int64_t>(size));
  }
  if (overflow)
    fail("{}: tensor '{}' claims the shape {}, more than any file can hold", path.string(), name,
         shape.dump());
  if (empty) bytes = 0;

  const nlohmann::json& offsets = member("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    fail("{}: tensor '{}' needs data_offsets [begin, end], found {}", path.string(), name,
         offsets.dump().substr(0, 200));
  entry.begin = whole_number(offsets[0], path, name, "data_offsets");
  entry.end = whole_number(offsets[1], path, name, "data_offsets");
  if (entry.begin > entry.end)
    fail("{}: tensor '{}' ends at byte {} before it begins at {}", path.string(), name, entry.end,
         entry.begin);
  if (entry.end - entry.begin != bytes)
    fail("{}: tensor '{}' is {} {}, which takes {} bytes, but its data_offsets span {}", path.string(), name,
         dtype.get<std::string>(), shape.dump(), bytes, entry.end - entry.begin);
  return entry;
}

class SafetensorsFile : public TensorFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path) : file_(path) {
    const std::span<const std::byte> bytes = file_.bytes();
    if (bytes.size() < 8)
      fail("{}: {} bytes are too few for a safetensors file; was the download cut short?", path.string(),
           bytes.size());
    const uint64_t length = little_endian(bytes);
    if (length > header_limit)
      fail("{}: claims a header of {} bytes; more than {} is not a safetensors file", path.string(), length,
           header_limit);
    if (length > bytes.size() - 8)
      fail("{}: the header of {} bytes goes past the end of the file ({} bytes); was the download cut short?",
           path.string(), length, bytes.size());
    const std::string_view header{reinterpret_cast<const char*>(bytes.data()) + 8, length};
    if (!header.starts_with('{')) fail("{}: the safetensors header does not begin with '{{'", path.string());
    if (!is_utf8(header)) fail("{}: the safetensors header is not UTF-8", path.string());
    read_table(path, parse_header(path, header), bytes.subspan(8 + length), 8 + length);
  }

  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>&) const override {}  // there are no checksums

 private:
  void read_table(const std::filesystem::path& path, const nlohmann::json& header,
                  std::span<const std::byte> data, uint64_t data_begin) {
    if (!header.is_object()) fail("{}: the safetensors header is not a JSON object", path.string());
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") continue;  // free text about the file; nothing here depends on it
      entries.push_back(read_entry(path, name, value));
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    uint64_t at = 0;
    for (Entry& entry : entries) {
      if (entry.end > data.size())
        fail(
            "{}: tensor '{}' goes on to byte {}, but the file holds only {} bytes of tensors; was the "
            "download "
            "cut short?",
            path.string(), entry.tensor.name, entry.end, data.size());
      if (entry.begin != at)
        fail("{}: tensor '{}' begins at byte {} where the one before it ends at {}: the offsets {}",
             path.string(), entry.tensor.name, entry.begin, at, entry.begin < at ? "overlap" : "leave a gap");
      entry.tensor.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
      entry.tensor.view.mapped = true;
      entry.tensor.offset = static_cast<int64_t>(data_begin + entry.begin);
      at = entry.end;
      parts_.front().tensors.push_back(std::move(entry.tensor));
    }
    if (at != data.size())
      fail("{}: {} bytes follow the last tensor; the header and the file do not belong together",
           path.string(), data.size() - at);
  }

  MappedFile file_;
  std::vector<FilePart> parts_{1};
};

// A plausible header length and the brace behind it; the file may still be broken further in.
bool looks_like_safetensors(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return bytes.size() > 8 && little_endian(bytes) <= header_limit && bytes[8] == std::byte{'{'};
}

}  // namespace

void add_safetensors(FormatCatalog& catalog) {
  catalog.add({.name = "safetensors",
               .summary = "Hugging Face safetensors: a JSON table in front of raw little-endian tensors",
               .endings = {".safetensors"},
               .recognises = looks_like_safetensors,
               .open = [](const std::filesystem::path& path) -> std::unique_ptr<TensorFile> {
                 return std::make_unique<SafetensorsFile>(path);
               }});
}

}  // namespace varve
