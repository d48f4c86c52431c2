// The globals a pickle may name, and what each makes of its arguments: always data, never a call.
#include "loaders/pickle/known_globals.h"

#include <algorithm>
#include <array>
#include <optional>

#include "analysis/core/error.h"
#include "loaders/pickle/numpy_values.h"
#include "loaders/pickle/unpickler.h"

namespace varve {
namespace {

// What a known global makes of its arguments.
enum class Meaning : int64_t {
  type,  // names a type and is never applied
  dict,
  default_dict,
  set,
  list,
  tuple,
  bytes,
  encode,
  device,
  tensor,
  parameter,
  typed,    // a function, a type and the function's arguments
  refused,  // known, but nothing here can hold it
  np_array,
  np_scalar,
  np_dtype,
  np_buffer
};

struct Known {
  const char *module, *name;
  Meaning meaning;
};

constexpr Known known[] = {
    {"collections", "OrderedDict", Meaning::dict},
    {"collections", "Counter", Meaning::dict},
    {"collections", "defaultdict", Meaning::default_dict},
    {"builtins", "dict", Meaning::dict},
    {"builtins", "set", Meaning::set},
    {"builtins", "frozenset", Meaning::set},
    {"builtins", "list", Meaning::list},
    {"builtins", "tuple", Meaning::tuple},
    {"builtins", "bytearray", Meaning::bytes},
    {"builtins", "bytes", Meaning::bytes},
    {"builtins", "int", Meaning::type},
    {"builtins", "float", Meaning::type},
    {"builtins", "bool", Meaning::type},
    {"builtins", "str", Meaning::type},
    {"_codecs", "encode", Meaning::encode},
    {"torch", "Size", Meaning::tuple},
    {"torch", "device", Meaning::device},
    {"torch", "Tensor", Meaning::type},
    {"torch.nn.parameter", "Parameter", Meaning::type},
    {"torch", "UntypedStorage", Meaning::type},
    {"torch.storage", "UntypedStorage", Meaning::type},
    {"torch.storage", "_UntypedStorage", Meaning::type},
    {"torch._utils", "_rebuild_tensor", Meaning::tensor},
    {"torch._utils", "_rebuild_tensor_v2", Meaning::tensor},
    {"torch._utils", "_rebuild_tensor_v3", Meaning::tensor},
    {"torch._utils", "_rebuild_parameter", Meaning::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Meaning::parameter},
    {"torch._tensor", "_rebuild_from_type_v2", Meaning::typed},
    {"torch._utils", "_rebuild_qtensor", Meaning::refused},
    {"torch._utils", "_rebuild_sparse_tensor", Meaning::refused},
    {"torch._utils", "_rebuild_sparse_csr_tensor", Meaning::refused},
    {"torch._utils", "_rebuild_nested_tensor", Meaning::refused},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", Meaning::refused},
    {"torch.serialization", "_get_layout", Meaning::device},
    {"numpy", "ndarray", Meaning::type},
    {"numpy", "dtype", Meaning::np_dtype},
    {"numpy.core.multiarray", "_reconstruct", Meaning::np_array},
    {"numpy.core.multiarray", "scalar", Meaning::np_scalar},
    {"numpy.core.numeric", "_frombuffer", Meaning::np_buffer},
};

// Types of storages and elements; what can be done with each is asked only where a tensor has it.
constexpr const char* storage_types[] = {"Float",   "Double",       "Half",         "BFloat16", "Long",
                                         "Int",     "Short",        "Char",         "Byte",     "Bool",
                                         "QInt8",   "QUInt8",       "QInt32",       "QUInt4x2", "QUInt2x4",
                                         "Complex", "ComplexFloat", "ComplexDouble"};
constexpr const char* torch_types[] = {"float64",
                                       "double",
                                       "float32",
                                       "float",
                                       "float16",
                                       "half",
                                       "bfloat16",
                                       "int64",
                                       "long",
                                       "int32",
                                       "int",
                                       "int16",
                                       "short",
                                       "int8",
                                       "uint8",
                                       "bool",
                                       "uint16",
                                       "uint32",
                                       "uint64",
                                       "complex32",
                                       "chalf",
                                       "complex64",
                                       "cfloat",
                                       "complex128",
                                       "cdouble",
                                       "float8_e4m3fn",
                                       "float8_e5m2",
                                       "float8_e4m3fnuz",
                                       "float8_e5m2fnuz",
                                       "qint8",
                                       "quint8",
                                       "qint32",
                                       "strided",
                                       "sparse_coo",
                                       "contiguous_format",
                                       "channels_last",
                                       "preserve_format",
                                       "per_tensor_affine",
                                       "per_channel_affine",
                                       "per_tensor_symmetric",
                                       "per_channel_symmetric"};

std::optional<Meaning> meaning_of(std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";  // Python 2
  // NumPy 2 moved its inner modules.
  const std::string moved =
      module.starts_with("numpy._core.") ? "numpy.core." + std::string(module.substr(12)) : std::string();
  if (!moved.empty()) module = moved;
  for (const Known& one : known)
    if (module == one.module && name == one.name) return one.meaning;
  const auto is_type = [&name](const char* type) { return name == type; };
  if (module == "torch" && std::any_of(std::begin(torch_types), std::end(torch_types), is_type))
    return Meaning::type;
  if ((module == "torch" || module == "torch.cuda") && name.ends_with("Storage")) {
    name.remove_suffix(7);
    if (std::any_of(std::begin(storage_types), std::end(storage_types), is_type)) return Meaning::type;
  }
  return std::nullopt;
}

[[noreturn]] void unfit(const PickleTree& tree, PickleId global, const std::string& place) {
  fail("{}: '{}' comes with arguments that make no sense; the pickle is damaged", place,
       printable(tree.text(global)));
}

std::vector<PickleId> copied(std::span<const PickleId> items) { return {items.begin(), items.end()}; }

// dict(), dict(another) and dict([(key, value), ...]).
std::optional<PickleId> make_dict(PickleTree& tree, std::span<const PickleId> arguments) {
  std::vector<PickleId> items;
  if (arguments.size() > 1) return std::nullopt;
  if (arguments.size() == 1 && tree.kind(arguments[0]) == PickleKind::dict) {
    items = copied(tree.items(arguments[0]));
  } else if (arguments.size() == 1) {
    if (!tree.is_sequence(arguments[0])) return std::nullopt;
    for (const PickleId pair : tree.items(arguments[0])) {
      const std::span<const PickleId> both = tree.items(pair);
      if (!tree.is_sequence(pair) || both.size() != 2) return std::nullopt;
      items.insert(items.end(), both.begin(), both.end());
    }
  }
  return tree.add_items(PickleKind::dict, std::move(items));
}

std::optional<PickleId> make_sequence(PickleTree& tree, PickleKind kind,
                                      std::span<const PickleId> arguments) {
  if (arguments.empty()) return tree.add_items(kind, {});
  const bool iterable = tree.is_sequence(arguments[0]) || tree.kind(arguments[0]) == PickleKind::set;
  if (arguments.size() != 1 || !iterable) return std::nullopt;
  return tree.add_items(kind, copied(tree.items(arguments[0])));
}

// Protocols before 3 write bytes as text of the first 256 code points.
std::optional<std::string> latin1(std::string_view utf8) {
  std::string out;
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      out += utf8[i];
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < utf8.size()) {
      out += static_cast<char>((lead & 3) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3F));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<PickleId> make_bytes(PickleTree& tree, std::span<const PickleId> arguments) {
  if (arguments.empty()) return tree.add_text(PickleKind::bytes, {});
  if (arguments.size() == 1 && tree.kind(arguments[0]) == PickleKind::bytes)
    return tree.add_text(PickleKind::bytes, tree.text(arguments[0]));
  if (arguments.size() != 2 || tree.kind(arguments[0]) != PickleKind::text) return std::nullopt;
  const std::string_view coding = tree.text(arguments[1]);
  if (coding != "latin1" && coding != "latin-1") return std::nullopt;
  std::optional<std::string> raw = latin1(tree.text(arguments[0]));
  if (!raw) return std::nullopt;
  return tree.add_text(PickleKind::bytes, tree.keep(std::move(*raw)));
}

// storage, offset, size, stride, then what only training needs; the newest form names the dtype at place 6.
std::optional<PickleId> make_tensor(PickleTree& tree, std::string_view name,
                                    std::span<const PickleId> arguments) {
  if (arguments.size() < 4 || tree.kind(arguments[0]) != PickleKind::storage ||
      !tree.is_integer(arguments[1]) || !tree.is_sequence(arguments[2]) || !tree.is_sequence(arguments[3]))
    return std::nullopt;
  std::vector<PickleId> parts = copied(arguments.first(4));
  if (name.ends_with("_v3")) {
    if (arguments.size() < 7 || tree.kind(arguments[6]) != PickleKind::global) return std::nullopt;
    parts.push_back(arguments[6]);
  }
  return tree.add_items(PickleKind::tensor, std::move(parts));
}

std::optional<PickleId> make_parameter(const PickleTree& tree, std::span<const PickleId> arguments) {
  if (arguments.empty()) return std::nullopt;
  const PickleKind kind = tree.kind(arguments[0]);
  if (kind != PickleKind::tensor && kind != PickleKind::refused) return std::nullopt;
  return arguments[0];
}

// function, type, its arguments, state: a tensor with attributes of its own, which are left out.
std::optional<PickleId> make_typed(PickleTree& tree, std::span<const PickleId> arguments,
                                   const std::string& place) {
  if (arguments.size() < 3 || tree.kind(arguments[0]) != PickleKind::global) return std::nullopt;
  const auto inner = static_cast<Meaning>(tree.integer(arguments[0]));
  if (inner != Meaning::tensor && inner != Meaning::parameter && inner != Meaning::refused)
    return std::nullopt;
  return apply_global(tree, arguments[0], arguments[2], place);
}

std::optional<PickleId> apply_known(PickleTree& tree, PickleId global, std::span<const PickleId> arguments,
                                    const std::string& place) {
  switch (static_cast<Meaning>(tree.integer(global))) {
    case Meaning::type:
      return std::nullopt;
    case Meaning::dict:
      return make_dict(tree, arguments);
    case Meaning::default_dict:
      // The first argument makes values that are absent; nothing absent is ever asked for.
      return make_dict(tree, arguments.empty() ? arguments : arguments.subspan(1));
    case Meaning::set:
      return make_sequence(tree, PickleKind::set, arguments);
    case Meaning::list:
      return make_sequence(tree, PickleKind::list, arguments);
    case Meaning::tuple:
      return make_sequence(tree, PickleKind::tuple, arguments);
    case Meaning::bytes:
    case Meaning::encode:
      return make_bytes(tree, arguments);
    case Meaning::device:
      return tree.add_items(PickleKind::tuple, copied(arguments));
    case Meaning::tensor:
      return make_tensor(tree, tree.text(global), arguments);
    case Meaning::parameter:
      return make_parameter(tree, arguments);
    case Meaning::typed:
      return make_typed(tree, arguments, place);
    case Meaning::refused:
      return tree.add_text(PickleKind::refused, tree.text(global));
    case Meaning::np_array:
      return tree.add_items(PickleKind::array, {});
    case Meaning::np_scalar:
      return make_numpy_scalar(tree, arguments);
    case Meaning::np_dtype:
      return make_numpy_dtype(tree, arguments);
    case Meaning::np_buffer:
      return make_numpy_buffer(tree, arguments);
  }
  return std::nullopt;
}

}  // namespace

PickleId add_global(PickleTree& tree, std::string_view module, std::string_view name,
                    const std::string& place) {
  const std::optional<Meaning> meaning = meaning_of(module, name);
  if (!meaning)
    fail(
        "{}: the pickle asks for '{}.{}', which is not among the data that are read; nothing of it was run. "
        "Save only the weights, as torch.save(model.state_dict(), FILE) does",
        place, printable(module), printable(name));
  return tree.add_text(PickleKind::global, tree.keep(fmt::format("{}.{}", module, name)),
                       static_cast<int64_t>(*meaning));
}

PickleId apply_global(PickleTree& tree, PickleId global, PickleId arguments, const std::string& place) {
  if (tree.kind(global) != PickleKind::global)
    fail("{}: a value is called as if it were a function; the pickle is damaged or hostile", place);
  if (tree.kind(arguments) != PickleKind::tuple) unfit(tree, global, place);
  // A copy: making a value may move what the tree holds.
  const std::vector<PickleId> items = copied(tree.items(arguments));
  const std::optional<PickleId> made = apply_known(tree, global, items, place);
  if (!made) unfit(tree, global, place);
  return *made;
}

void apply_state(PickleTree& tree, PickleId target, PickleId state, const std::string& place) {
  switch (tree.kind(target)) {
    case PickleKind::array:
      return set_numpy_array(tree, target, state, place);
    case PickleKind::dtype:
      return set_numpy_dtype(tree, target, state, place);
    case PickleKind::dict:
    case PickleKind::tensor:
    case PickleKind::refused:
      // Attributes of the Python object (a state dict's version numbers): not weights.
      return;
    default:
      fail("{}: a value is given attributes it cannot have; the pickle is damaged or hostile", place);
  }
}

PickleId add_storage(PickleTree& tree, PickleId persistent_id, const std::string& place) {
  const std::span<const PickleId> parts = tree.items(persistent_id);
  const bool fits = tree.kind(persistent_id) == PickleKind::tuple && parts.size() >= 5 &&
                    tree.kind(parts[0]) == PickleKind::text && tree.text(parts[0]) == "storage" &&
                    tree.kind(parts[1]) == PickleKind::global && tree.kind(parts[2]) == PickleKind::text &&
                    tree.is_integer(parts[4]);
  if (!fits)
    fail(
        "{}: the pickle refers to something outside itself that is no storage of PyTorch. A whole model was "
        "saved? Save its state_dict() instead",
        place);
  return tree.add_items(PickleKind::storage, copied(parts));
}

}  // namespace varve
