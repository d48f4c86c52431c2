// From the tensors that a pickle describes to views of their bytes.
#include "loaders/pickle/tensors.h"

#include <limits>
#include <optional>

#include "analysis/core/error.h"
#include "loaders/npy_header.h"
#include "loaders/pickle/state_dicts.h"
#include "loaders/pickle/unpickler.h"

namespace varve {
namespace {

struct ElementType {
  const char *storage, *dtype;  // "FloatStorage" without its end; "torch.float32" without its beginning
  int64_t size;
  std::optional<TensorType> type;  // absent: known, but not read
};
constexpr ElementType element_types[] = {{"Float", "float32", 4, TensorType::f32},
                                         {"Double", "float64", 8, TensorType::f64},
                                         {"Half", "float16", 2, TensorType::f16},
                                         {"BFloat16", "bfloat16", 2, TensorType::bf16},
                                         {"Long", "int64", 8, TensorType::i64},
                                         {"Int", "int32", 4, TensorType::i32},
                                         {"Short", "int16", 2, TensorType::i16},
                                         {"Char", "int8", 1, TensorType::i8},
                                         {"Byte", "uint8", 1, TensorType::u8},
                                         {"Bool", "bool", 1, TensorType::boolean},
                                         {"Untyped", "uint8", 1, TensorType::u8},
                                         {"_Untyped", "uint8", 1, TensorType::u8},
                                         {"ComplexFloat", "complex64", 8, std::nullopt},
                                         {"ComplexDouble", "complex128", 16, std::nullopt},
                                         {"QInt8", "qint8", 1, std::nullopt},
                                         {"QUInt8", "quint8", 1, std::nullopt},
                                         {"QInt32", "qint32", 4, std::nullopt},
                                         {"QUInt4x2", "quint4x2", 1, std::nullopt},
                                         {"QUInt2x4", "quint2x4", 1, std::nullopt}};

const ElementType& element_type(const std::string& storage_type, const std::string& what) {
  const size_t dot = storage_type.rfind('.');
  for (const ElementType& one : element_types)
    if (storage_type.substr(dot + 1) == std::string(one.storage) + "Storage") return one;
  fail("{}: '{}' is no storage of elements that is known", what, printable(storage_type));
}

TensorType dtype_named(const std::string& dtype, const std::string& what) {
  for (const ElementType& one : element_types)
    if (dtype == std::string("torch.") + one.dtype && one.type) return *one.type;
  fail("{}: its elements are {}, which are not read; convert it with .float() and save again", what,
       printable(dtype));
}

TensorType readable(const std::string& storage_type, const std::string& what) {
  const ElementType& one = element_type(storage_type, what);
  if (one.type) return *one.type;
  const bool quantized = one.dtype[0] == 'q';
  fail("{}: its elements are {} ({}), which are not read; {} and save again", what, printable(storage_type),
       quantized ? "quantized" : "complex", quantized ? "dequantize() it" : "split it with view_as_real()");
}

std::vector<int64_t> sizes(const PickleTree& tree, PickleId sequence, const std::string& what) {
  std::vector<int64_t> values;
  for (const PickleId item : tree.items(sequence)) {
    if (!tree.is_integer(item)) fail("{}: a size is no whole number; the pickle is damaged", what);
    values.push_back(tree.integer(item));
  }
  return values;
}

StridedTensor torch_tensor(const PickleTree& tree, PickleId id, const FindStorage& find,
                           const std::string& what) {
  const std::span<const PickleId> parts = tree.items(id);
  StridedTensor tensor;
  const StorageName name = storage_name(tree, parts[0], what);
  tensor.type =
      parts.size() > 4 ? dtype_named(std::string(tree.text(parts[4])), what) : readable(name.type, what);
  tensor.begin = tree.integer(parts[1]);
  tensor.shape = sizes(tree, parts[2], what);
  tensor.strides = sizes(tree, parts[3], what);
  tensor.storage = find(name, what);
  return tensor;
}

StridedTensor numpy_array(const PickleTree& tree, PickleId id, const std::string& what) {
  const std::span<const PickleId> parts = tree.items(id);
  if (parts.size() != 4) fail("{}: a NumPy array without its state; the pickle is damaged", what);
  if (tree.kind(parts[3]) != PickleKind::bytes)
    fail("{}: a NumPy array of Python objects; save arrays of numbers", what);
  std::string type(tree.text(parts[1]));
  const int64_t order = tree.integer(parts[1]);
  // A dtype whose state was never set has no order of its own.
  type.insert(0, 1, order == '<' || order == '>' ? static_cast<char>(order) : '|');
  return numpy_tensor(type, sizes(tree, parts[0], what), tree.integer(parts[2]) != 0, tree.text(parts[3]),
                      what);
}

}  // namespace

StorageName storage_name(const PickleTree& tree, PickleId storage, const std::string& what) {
  const std::span<const PickleId> parts = tree.items(storage);
  StorageName name;
  name.type = tree.text(parts[1]);
  name.key = tree.text(parts[2]);
  const int64_t count = tree.integer(parts[4]);
  int64_t bytes = 0;
  if (count < 0 || __builtin_mul_overflow(count, element_size(name.type, what), &bytes))
    fail("{}: claims a storage of {} elements; the pickle is damaged", what, count);
  name.bytes = static_cast<uint64_t>(bytes);
  return name;
}

int64_t element_size(const std::string& storage_type, const std::string& what) {
  return element_type(storage_type, what).size;
}

StridedTensor pickled_tensor(const PickleTree& tree, PickleId id, const FindStorage& find,
                             const std::string& what) {
  if (tree.kind(id) == PickleKind::array) return numpy_array(tree, id, what);
  if (tree.kind(id) == PickleKind::tensor) return torch_tensor(tree, id, find, what);
  fail(
      "{}: is made by '{}': quantized, sparse, nested and data-free tensors are not read. Save it as a dense "
      "tensor of floats",
      what, printable(tree.text(id)));
}

std::vector<FilePart> pickled_parts(const PickleTree& tree, const FindStorage& find, TensorPlacer& placer,
                                    const std::string& where, const std::string& single) {
  std::vector<FilePart> parts;
  for (StateDict& dict : find_state_dicts(tree, where, single)) {
    FilePart part;
    part.label = printable(dict.label);
    part.step = dict.step;
    part.notes = std::move(dict.notes);
    for (const auto& [name, id] : dict.tensors) {
      const std::string what = fmt::format("{}: tensor '{}'", where, printable(name));
      part.tensors.push_back(placer.place(name, pickled_tensor(tree, id, find, what), what));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace varve
