// What a pickle says, as data: numbers, texts, containers, and tensors described but not yet looked at.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

enum class PickleKind : uint8_t {
  none,
  boolean,  // integer: 0 or 1
  integer,
  large_integer,  // text: its bytes, least first, two's complement
  real,
  text,
  bytes,
  list,
  tuple,
  set,
  dict,     // items: key, value, key, value ...
  global,   // text: "torch.FloatStorage"; integer: its place in the table of known globals
  storage,  // items: the parts of its persistent id: 'storage', type, key, device, elements ...
  tensor,   // items: storage, offset, size, stride and perhaps a dtype
  dtype,    // NumPy's. text: "f8"; integer: byte order '<' '>' '|' '='
  array,    // NumPy's. items: shape, dtype, whether column-major, data; none before its state is set
  refused   // text: what it is; an Error only where it is needed as a tensor
};

using PickleId = uint32_t;

// Values lie in one table and name each other by place, so that loops and sharing cost nothing and nothing
// recurses. Texts point into the pickle's own bytes where they can: those must outlive the tree.
class PickleTree {
 public:
  explicit PickleTree(std::string where);

  PickleKind kind(PickleId id) const { return nodes_[id].kind; }
  int64_t integer(PickleId id) const { return nodes_[id].number.integer; }
  double real(PickleId id) const { return nodes_[id].number.real; }
  std::string_view text(PickleId id) const { return nodes_[id].text; }
  std::span<const PickleId> items(PickleId id) const;
  size_t size() const { return nodes_.size(); }

  // Whole numbers, booleans among them.
  bool is_integer(PickleId id) const;
  bool is_sequence(PickleId id) const;  // list or tuple

  PickleId none() const { return 0; }
  PickleId boolean(bool value) const { return value ? 2 : 1; }
  PickleId add_integer(int64_t value);
  PickleId add_real(double value);
  PickleId add_text(PickleKind kind, std::string_view value, int64_t integer = 0);
  PickleId add_items(PickleKind kind, std::vector<PickleId> items);
  std::string_view keep(std::string text);  // a text that does not lie in the pickle's bytes

  void append(PickleId container, std::span<const PickleId> items);
  void set_items(PickleId id, std::vector<PickleId> items);
  void set_integer(PickleId id, int64_t value) { nodes_[id].number.integer = value; }

  PickleId root = 0;

 private:
  struct Node {
    PickleKind kind = PickleKind::none;
    uint32_t items = 0;  // place in items_
    union {
      int64_t integer = 0;
      double real;
    } number;
    std::string_view text;
  };
  PickleId add(const Node& node);

  std::string where_;
  std::vector<Node> nodes_;
  std::deque<std::vector<PickleId>> items_;
  std::deque<std::string> kept_;
};

}  // namespace varve
