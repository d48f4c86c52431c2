// GGUF files, versions 2 and 3. Byte layout (all numbers little endian):
//   1. "GGUF", version u32, tensor count u64, metadata count u64
//   2. per entry: key, value type u32, value; a text is u64 length and bytes, a list is item type u32, u64
//   count
//      and items
//   3. per tensor: name, axes u32, sizes u64 with the fastest axis first, type u32, offset u64 from 5.
//   4. zeros up to a multiple of general.alignment (32 where it is absent)
//   5. the tensors' bytes, each beginning at a multiple of the alignment
#include "loaders/gguf_file.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr uint64_t most_axes = 8, most_values = 4'000'000, longest_name = 1000;

struct GgmlType {
  uint32_t number;
  const char* name;
  uint64_t block, bytes;  // elements in a block, bytes it takes; 0: not read, size unknown here
};
constexpr GgmlType ggml_types[] = {
    {0, "F32", 1, 4},      {1, "F16", 1, 2},     {2, "Q4_0", 0, 0},     {3, "Q4_1", 0, 0},
    {6, "Q5_0", 0, 0},     {7, "Q5_1", 0, 0},    {8, "Q8_0", 32, 34},   {9, "Q8_1", 0, 0},
    {10, "Q2_K", 0, 0},    {11, "Q3_K", 0, 0},   {12, "Q4_K", 0, 0},    {13, "Q5_K", 0, 0},
    {14, "Q6_K", 0, 0},    {15, "Q8_K", 0, 0},   {16, "IQ2_XXS", 0, 0}, {17, "IQ2_XS", 0, 0},
    {18, "IQ3_XXS", 0, 0}, {19, "IQ1_S", 0, 0},  {20, "IQ4_NL", 0, 0},  {21, "IQ3_S", 0, 0},
    {22, "IQ2_S", 0, 0},   {23, "IQ4_XS", 0, 0}, {24, "I8", 1, 1},      {25, "I16", 1, 2},
    {26, "I32", 1, 4},     {27, "I64", 1, 8},    {28, "F64", 1, 8},     {29, "IQ1_M", 0, 0},
    {30, "BF16", 1, 2},    {34, "TQ1_0", 0, 0},  {35, "TQ2_0", 0, 0},   {39, "MXFP4", 0, 0}};

class GgufBytes {
 public:
  GgufBytes(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}
  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }

  std::string_view take(uint64_t count) {
    if (count > left())
      fail("{}: at byte {} the GGUF header promises {} bytes where {} are left; was the file cut short?",
           where_, at_, count, left());
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text() {
    const std::string_view raw = take(number<uint64_t>());
    return std::string(raw);
  }
  std::string name() {
    const std::string text_ = text();
    if (text_.empty() || text_.size() > longest_name || !is_utf8(text_))
      fail("{}: a name in the GGUF header, before byte {}, is empty, too long or not UTF-8", where_, at_);
    return text_;
  }
  nlohmann::json value(uint32_t type, int depth = 0) {
    if (++values_ > most_values) fail("{}: the GGUF metadata hold more than {} values", where_, most_values);
    switch (type) {
      case 0:
        return number<uint8_t>();
      case 1:
        return number<int8_t>();
      case 2:
        return number<uint16_t>();
      case 3:
        return number<int16_t>();
      case 4:
        return number<uint32_t>();
      case 5:
        return number<int32_t>();
      case 6:
        return number<float>();
      case 7:
        return number<uint8_t>() != 0;
      case 8:
        return text();
      case 9:
        return list(depth);
      case 10:
        return number<uint64_t>();
      case 11:
        return number<int64_t>();
      case 12:
        return number<double>();
      default:
        fail("{}: value type {} in the GGUF metadata is not known", where_, type);
    }
  }

 private:
  nlohmann::json list(int depth) {
    if (depth > 2) fail("{}: the GGUF metadata nest too deep", where_);
    const auto type = number<uint32_t>();
    const auto count = number<uint64_t>();
    if (count > left()) fail("{}: a GGUF list of {} items goes past the end of the file", where_, count);
    nlohmann::json items = nlohmann::json::array();
    for (uint64_t i = 0; i < count; ++i) items.push_back(value(type, depth + 1));
    return items;
  }

  std::string_view bytes_;
  const std::string& where_;
  uint64_t at_ = 0, values_ = 0;
};

const GgmlType* ggml_type(uint32_t number) {
  for (const GgmlType& type : ggml_types)
    if (type.number == number) return &type;
  return nullptr;
}

GgufTensor read_tensor(GgufBytes& in, const std::string& where) {
  GgufTensor tensor;
  tensor.name = in.name();
  const auto axes = in.number<uint32_t>();
  if (axes > most_axes)
    fail("{}: tensor '{}' has {} axes; at most {} are read", where, tensor.name, axes, most_axes);
  uint64_t count = 1;
  for (uint32_t axis = 0; axis < axes; ++axis) {
    const auto extent = in.number<uint64_t>();
    if (extent > static_cast<uint64_t>(INT64_MAX) || __builtin_mul_overflow(count, extent, &count))
      fail("{}: tensor '{}' claims more elements than any file can hold", where, tensor.name);
    tensor.shape.push_back(static_cast<int64_t>(extent));
  }
  tensor.type = in.number<uint32_t>();
  tensor.begin = in.number<uint64_t>();
  const GgmlType* type = ggml_type(tensor.type);
  if (!type || type->block == 0)
    fail(
        "{}: tensor '{}' is {}, which is not read; F64 F32 F16 BF16 Q8_0 and whole numbers are. Convert the "
        "model to F16 or BF16",
        where, tensor.name, ggml_type_name(tensor.type));
  const uint64_t row = tensor.shape.empty() ? 1 : static_cast<uint64_t>(tensor.shape.front());
  if (row % type->block != 0 || __builtin_mul_overflow(count / type->block, type->bytes, &tensor.bytes))
    fail("{}: tensor '{}' has rows of {} elements, which do not fill blocks of {}", where, tensor.name, row,
         type->block);
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  return tensor;
}

uint64_t alignment_of(const nlohmann::json& metadata, const std::string& where) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return 32;
  if (!found->is_number_unsigned() || *found == 0 || *found > 1'048'576)
    fail("{}: general.alignment is {}, which is no alignment", where, found->dump());
  return found->get<uint64_t>();
}

float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, fraction = half & 0x3FF;
  const uint32_t exponent = half >> 10 & 0x1F;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign ? -value : value;
  }
  const uint32_t bits =
      exponent == 31 ? sign | 0x7F800000 | fraction << 13 : sign | (exponent + 112) << 23 | fraction << 13;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

std::string ggml_type_name(uint32_t type) {
  const GgmlType* known = ggml_type(type);
  return known ? known->name : fmt::format("type {}", type);
}

GgufContent read_gguf(std::string_view bytes, const std::string& where) {
  GgufBytes in(bytes, where);
  if (in.left() < 24 || in.take(4) != "GGUF") fail("{}: does not begin with GGUF", where);
  const auto version = in.number<uint32_t>();
  if (version == 0x02000000 || version == 0x03000000)
    fail("{}: a GGUF file in big-endian order; only little-endian files are read", where);
  if (version != 2 && version != 3)
    fail("{}: GGUF version {} is not known; 2 and 3 are read", where, version);
  const auto tensors = in.number<uint64_t>(), entries = in.number<uint64_t>();
  // An entry takes 13 bytes at least, a tensor 25.
  if (entries > in.left() / 13 || tensors > in.left() / 25)
    fail("{}: claims {} metadata entries and {} tensors, more than fit in its {} bytes", where, entries,
         tensors, bytes.size());
  GgufContent content;
  content.metadata = nlohmann::json::object();
  for (uint64_t i = 0; i < entries; ++i) {
    const std::string key = in.name();
    const auto type = in.number<uint32_t>();
    nlohmann::json value = in.value(type);
    if (!content.metadata.emplace(key, std::move(value)).second)
      fail("{}: the metadata name '{}' twice; the file is damaged", where, key);
  }
  std::set<std::string> names;
  for (uint64_t i = 0; i < tensors; ++i) {
    content.tensors.push_back(read_tensor(in, where));
    if (!names.insert(content.tensors.back().name).second)
      fail("{}: tensor '{}' is there twice; the file is damaged", where, content.tensors.back().name);
  }
  const uint64_t alignment = alignment_of(content.metadata, where);
  const uint64_t data = (in.at() + alignment - 1) / alignment * alignment;
  for (GgufTensor& tensor : content.tensors) {
    if (tensor.begin % alignment != 0)
      fail("{}: tensor '{}' begins at byte {}, no multiple of {}", where, tensor.name, tensor.begin,
           alignment);
    const bool fits = data <= bytes.size() && tensor.begin <= bytes.size() - data &&
                      tensor.bytes <= bytes.size() - data - tensor.begin;
    if (!fits)
      fail("{}: tensor '{}' goes past the end of the file; was the download cut short?", where, tensor.name);
    tensor.begin += data;
  }
  std::vector<const GgufTensor*> order;
  for (const GgufTensor& tensor : content.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->begin < b->begin; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->begin + order[i - 1]->bytes > order[i]->begin)
      fail("{}: tensors '{}' and '{}' overlap; the file is damaged", where, order[i - 1]->name,
           order[i]->name);
  return content;
}

std::vector<float> dequantized_q8_0(std::string_view blocks) {
  constexpr size_t block_bytes = 34, block_elements = 32;
  std::vector<float> values(blocks.size() / block_bytes * block_elements);
  for (size_t block = 0; block < blocks.size() / block_bytes; ++block) {
    const char* const begin = blocks.data() + block * block_bytes;
    uint16_t half;
    std::memcpy(&half, begin, sizeof half);
    const float scale = from_half(half);
    for (size_t i = 0; i < block_elements; ++i)
      values[block * block_elements + i] = scale * static_cast<float>(static_cast<int8_t>(begin[2 + i]));
  }
  return values;
}

}  // namespace varve
