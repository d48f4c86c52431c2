// What a pickle says, as data, with a limit on how much of it there may be.
#include "loaders/pickle/pickle_tree.h"

#include "analysis/core/error.h"

namespace varve {
namespace {

// A value takes about 100 bytes at most, and one byte of a pickle can ask for one. Real checkpoints hold a
// few hundred thousand.
constexpr size_t most_values = 4'000'000;

}  // namespace

PickleTree::PickleTree(std::string where) : where_(std::move(where)) {
  nodes_.resize(3);
  nodes_[1].kind = nodes_[2].kind = PickleKind::boolean;
  nodes_[2].number.integer = 1;
  items_.emplace_back();  // of all that have none
}

std::span<const PickleId> PickleTree::items(PickleId id) const { return items_[nodes_[id].items]; }

bool PickleTree::is_integer(PickleId id) const {
  return kind(id) == PickleKind::integer || kind(id) == PickleKind::boolean;
}

bool PickleTree::is_sequence(PickleId id) const {
  return kind(id) == PickleKind::list || kind(id) == PickleKind::tuple;
}

PickleId PickleTree::add(const Node& node) {
  if (nodes_.size() >= most_values)
    fail("{}: the pickle holds more than {} values; save the weights alone", where_, most_values);
  nodes_.push_back(node);
  return static_cast<PickleId>(nodes_.size() - 1);
}

PickleId PickleTree::add_integer(int64_t value) {
  Node node;
  node.kind = PickleKind::integer;
  node.number.integer = value;
  return add(node);
}

PickleId PickleTree::add_real(double value) {
  Node node;
  node.kind = PickleKind::real;
  node.number.real = value;
  return add(node);
}

PickleId PickleTree::add_text(PickleKind kind, std::string_view value, int64_t integer) {
  Node node;
  node.kind = kind;
  node.number.integer = integer;
  node.text = value;
  return add(node);
}

PickleId PickleTree::add_items(PickleKind kind, std::vector<PickleId> items) {
  Node node;
  node.kind = kind;
  const PickleId id = add(node);
  if (!items.empty()) set_items(id, std::move(items));
  return id;
}

std::string_view PickleTree::keep(std::string text) {
  kept_.push_back(std::move(text));
  return kept_.back();
}

void PickleTree::set_items(PickleId id, std::vector<PickleId> items) {
  if (nodes_[id].items == 0) {
    nodes_[id].items = static_cast<uint32_t>(items_.size());
    items_.emplace_back();
  }
  items_[nodes_[id].items] = std::move(items);
}

void PickleTree::append(PickleId container, std::span<const PickleId> items) {
  if (items.empty()) return;
  if (nodes_[container].items == 0) set_items(container, {});
  std::vector<PickleId>& own = items_[nodes_[container].items];
  own.insert(own.end(), items.begin(), items.end());
}

}  // namespace varve
