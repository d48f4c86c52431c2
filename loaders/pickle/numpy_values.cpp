// NumPy's dtypes, scalars and arrays as a pickle describes them.
#include "loaders/pickle/numpy_values.h"

#include <cstring>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr char native = '|';

template <class T>
T value_of(std::string_view raw) {
  T value;
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

template <class T>
std::optional<PickleId> whole(PickleTree& tree, std::string_view raw) {
  if (raw.size() != sizeof(T)) return std::nullopt;
  return tree.add_integer(static_cast<int64_t>(value_of<T>(raw)));
}

// Little-endian numbers; nullopt for any other dtype.
std::optional<PickleId> number(PickleTree& tree, std::string_view type, std::string_view raw) {
  if (type == "f8" && raw.size() == 8) return tree.add_real(value_of<double>(raw));
  if (type == "f4" && raw.size() == 4) return tree.add_real(static_cast<double>(value_of<float>(raw)));
  if (type == "i8") return whole<int64_t>(tree, raw);
  if (type == "i4") return whole<int32_t>(tree, raw);
  if (type == "i2") return whole<int16_t>(tree, raw);
  if (type == "i1") return whole<int8_t>(tree, raw);
  if (type == "u8") return whole<uint64_t>(tree, raw);
  if (type == "u4") return whole<uint32_t>(tree, raw);
  if (type == "u2") return whole<uint16_t>(tree, raw);
  if (type == "u1") return whole<uint8_t>(tree, raw);
  if (type == "b1" && raw.size() == 1) return tree.boolean(raw[0] != 0);
  return std::nullopt;
}

}  // namespace

std::optional<PickleId> make_numpy_dtype(PickleTree& tree, std::span<const PickleId> arguments) {
  if (arguments.empty() || tree.kind(arguments[0]) != PickleKind::text) return std::nullopt;
  return tree.add_text(PickleKind::dtype, tree.text(arguments[0]), native);
}

std::optional<PickleId> make_numpy_scalar(PickleTree& tree, std::span<const PickleId> arguments) {
  if (arguments.empty() || tree.kind(arguments[0]) != PickleKind::dtype) return std::nullopt;
  // A scalar that is no number (a text, a date, an object) is never used, and kept as nothing.
  if (arguments.size() != 2 || tree.kind(arguments[1]) != PickleKind::bytes) return tree.none();
  if (tree.integer(arguments[0]) == '>') return tree.none();
  const std::optional<PickleId> value = number(tree, tree.text(arguments[0]), tree.text(arguments[1]));
  return value ? *value : tree.none();
}

// buffer, dtype, shape, order
std::optional<PickleId> make_numpy_buffer(PickleTree& tree, std::span<const PickleId> arguments) {
  if (arguments.size() != 4 || tree.kind(arguments[0]) != PickleKind::bytes ||
      tree.kind(arguments[1]) != PickleKind::dtype || !tree.is_sequence(arguments[2]) ||
      tree.kind(arguments[3]) != PickleKind::text)
    return std::nullopt;
  return tree.add_items(PickleKind::array, {arguments[2], arguments[1],
                                            tree.boolean(tree.text(arguments[3]) == "F"), arguments[0]});
}

// version, byte order, and what only structured types have
void set_numpy_dtype(PickleTree& tree, PickleId dtype, PickleId state, const std::string& place) {
  const std::span<const PickleId> parts = tree.items(state);
  const bool fits = tree.kind(state) == PickleKind::tuple && parts.size() >= 2 &&
                    tree.kind(parts[1]) == PickleKind::text && tree.text(parts[1]).size() == 1;
  if (!fits) fail("{}: the state of a NumPy dtype makes no sense; the pickle is damaged", place);
  tree.set_integer(dtype, tree.text(parts[1])[0]);
}

// version, shape, dtype, whether column-major, data
void set_numpy_array(PickleTree& tree, PickleId array, PickleId state, const std::string& place) {
  const std::span<const PickleId> parts = tree.items(state);
  const bool fits = tree.kind(state) == PickleKind::tuple && parts.size() == 5 &&
                    tree.is_sequence(parts[1]) && tree.kind(parts[2]) == PickleKind::dtype &&
                    tree.is_integer(parts[3]);
  if (!fits) fail("{}: the state of a NumPy array makes no sense; the pickle is damaged", place);
  tree.set_items(array, {parts[1], parts[2], parts[3], parts[4]});
}

}  // namespace varve
