// Reads Python pickles as data: the opcodes of protocols 0 to 5 on a stack of values that can do nothing.
#include "loaders/pickle/unpickler.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "analysis/core/error.h"
#include "loaders/pickle/known_globals.h"
#include "loaders/pickle/pickle_bytes.h"
#include "loaders/pickle/pickle_text.h"

namespace varve {
namespace {

// A stack of values and what is done to it; the opcodes below are told in these words.
constexpr size_t most_opcodes = 64'000'000, most_stacked = 16'000'000, most_noted = 4'000'000;

class Unpickler {
 public:
  Unpickler(std::string_view bytes, const std::string& where) : in_(bytes, where), tree_(where) {}

  // Runs up to STOP; how many bytes that took.
  size_t run() {
    for (size_t count = 0; count < most_opcodes; ++count) {
      const char opcode = in_.take_opcode();
      if (opcode == '.') {
        if (stack_.size() != 1 || !marks_.empty()) in_.broken("STOP comes with {} values", stack_.size());
        tree_.root = stack_.front();
        return in_.taken();
      }
      if (!step(opcode)) in_.broken("opcode 0x{:02x} is unknown", static_cast<unsigned char>(opcode));
    }
    in_.broken("it has more than {} opcodes", most_opcodes);
  }

  PickleTree take() { return std::move(tree_); }

 private:
  bool push(PickleId id) {
    if (stack_.size() >= most_stacked) in_.broken("its stack grows beyond {} values", most_stacked);
    stack_.push_back(id);
    return true;
  }
  // Values below the last mark are out of reach until the mark is gone.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleId pop() {
    if (stack_.size() <= floor()) in_.broken("it takes more values than there are");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  PickleId top() {
    if (stack_.size() <= floor()) in_.broken("it takes more values than there are");
    return stack_.back();
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) in_.broken("a mark is missing");
    std::vector<PickleId> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  std::vector<PickleId> pairs_to_mark() {
    std::vector<PickleId> items = pop_to_mark();
    if (items.size() % 2 != 0) in_.broken("a key has no value");
    return items;
  }
  std::vector<PickleId> pop_many(size_t count) {
    std::vector<PickleId> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }

  bool mark() {
    if (marks_.size() >= most_stacked) in_.broken("it sets more than {} marks", most_stacked);
    marks_.push_back(stack_.size());
    return true;
  }

  bool push_text(PickleKind kind, std::string_view text) { return push(tree_.add_text(kind, text)); }
  bool push_items(PickleKind kind, std::vector<PickleId> items) {
    return push(tree_.add_items(kind, std::move(items)));
  }

  bool add_to(PickleKind kind, const std::vector<PickleId>& items) {
    const PickleId target = top();
    // A subclass of list or dict is not among the known globals, so the kinds are all there is.
    if (tree_.kind(target) != kind) in_.broken("it adds to a value that holds no such items");
    tree_.append(target, items);
    return true;
  }

  bool push_decimal(std::string_view line) {
    if (line == "00" || line == "01") return push(tree_.boolean(line == "01"));
    if (line.ends_with('L')) line.remove_suffix(1);
    int64_t value = 0;
    const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (problem == std::errc::result_out_of_range && end == line.data() + line.size())
      return push_text(PickleKind::large_integer, line);
    if (problem != std::errc() || end != line.data() + line.size())
      in_.broken("'{}' is no whole number", printable(line));
    return push(tree_.add_integer(value));
  }

  bool push_long(uint64_t size) {
    const std::string_view raw = in_.take_bytes(size);
    if (size > 8) return push_text(PickleKind::large_integer, raw);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.size(); ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    const bool negative = !raw.empty() && (static_cast<unsigned char>(raw.back()) & 0x80) != 0;
    if (negative && size < 8) value |= ~uint64_t{0} << (8 * size);
    return push(tree_.add_integer(static_cast<int64_t>(value)));
  }

  bool push_real_line(std::string_view line) {
    double value = 0;
    const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), value);
    const bool whole = end == line.data() + line.size();
    if (!whole || (problem != std::errc() && problem != std::errc::result_out_of_range))
      in_.broken("'{}' is no number", printable(line));
    return push(tree_.add_real(value));
  }

  bool push_binary_real() {
    uint64_t bits = 0;
    for (const char byte : in_.take_bytes(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return push(tree_.add_real(value));
  }

  bool push_kept(PickleKind kind, std::optional<std::string> text) {
    if (!text) in_.broken("a text literal is broken");
    return push_text(kind, tree_.keep(std::move(*text)));
  }

  bool note(uint64_t place_in_memo) {
    if (memo_.size() >= most_noted) in_.broken("it notes more than {} values", most_noted);
    memo_[place_in_memo] = top();
    return true;
  }
  bool recall(uint64_t place_in_memo) {
    const auto found = memo_.find(place_in_memo);
    if (found == memo_.end()) in_.broken("it recalls value {}, which was never noted", place_in_memo);
    return push(found->second);
  }
  uint64_t memo_line() {
    const std::string_view line = in_.take_line();
    uint64_t value = 0;
    const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (problem != std::errc() || end != line.data() + line.size()) in_.broken("a note has no number");
    return value;
  }

  bool push_global(std::string_view module, std::string_view name) {
    return push(add_global(tree_, module, name, in_.place()));
  }
  bool stack_global() {
    const PickleId name = pop(), module = pop();
    if (tree_.kind(name) != PickleKind::text || tree_.kind(module) != PickleKind::text)
      in_.broken("a global is named by something that is no text");
    return push_global(tree_.text(module), tree_.text(name));
  }
  bool apply(PickleId global, PickleId arguments) {
    return push(apply_global(tree_, global, arguments, in_.place()));
  }
  bool apply_popped() {
    const PickleId arguments = pop(), global = pop();
    return apply(global, arguments);
  }
  bool instance(PickleId global, std::vector<PickleId> arguments) {
    return apply(global, tree_.add_items(PickleKind::tuple, std::move(arguments)));
  }

  bool step(char opcode) {
    return numbers(opcode) || texts(opcode) || containers(opcode) || stack_and_memo(opcode) ||
           objects(opcode);
  }

  bool numbers(char opcode) {
    switch (opcode) {
      case 'N':
        return push(tree_.none());
      case '\x88':
        return push(tree_.boolean(true));
      case '\x89':
        return push(tree_.boolean(false));
      case 'I':
        return push_decimal(in_.take_line());
      case 'L':
        return push_decimal(in_.take_line());
      case 'J':
        return push(tree_.add_integer(static_cast<int32_t>(in_.take_number(4))));
      case 'K':
        return push(tree_.add_integer(static_cast<int64_t>(in_.take_number(1))));
      case 'M':
        return push(tree_.add_integer(static_cast<int64_t>(in_.take_number(2))));
      case '\x8a':
        return push_long(in_.take_number(1));
      case '\x8b':
        return push_long(in_.take_number(4));
      case 'F':
        return push_real_line(in_.take_line());
      case 'G':
        return push_binary_real();
      default:
        return false;
    }
  }

  bool texts(char opcode) {
    switch (opcode) {
      case 'S':
        return push_kept(PickleKind::text, unquoted(in_.take_line()));
      case 'V':
        return push_kept(PickleKind::text, raw_unicode(in_.take_line()));
      case 'T':
        return push_text(PickleKind::text, in_.take_bytes(in_.take_number(4)));
      case 'U':
        return push_text(PickleKind::text, in_.take_bytes(in_.take_number(1)));
      case 'X':
        return push_text(PickleKind::text, in_.take_bytes(in_.take_number(4)));
      case '\x8c':
        return push_text(PickleKind::text, in_.take_bytes(in_.take_number(1)));
      case '\x8d':
        return push_text(PickleKind::text, in_.take_bytes(in_.take_number(8)));
      case 'B':
        return push_text(PickleKind::bytes, in_.take_bytes(in_.take_number(4)));
      case 'C':
        return push_text(PickleKind::bytes, in_.take_bytes(in_.take_number(1)));
      case '\x8e':
      case '\x96':
        return push_text(PickleKind::bytes, in_.take_bytes(in_.take_number(8)));
      default:
        return false;
    }
  }

  bool containers(char opcode) {
    switch (opcode) {
      case ']':
        return push_items(PickleKind::list, {});
      case ')':
        return push_items(PickleKind::tuple, {});
      case '}':
        return push_items(PickleKind::dict, {});
      case '\x8f':
        return push_items(PickleKind::set, {});
      case 'l':
        return push_items(PickleKind::list, pop_to_mark());
      case 't':
        return push_items(PickleKind::tuple, pop_to_mark());
      case '\x91':
        return push_items(PickleKind::set, pop_to_mark());
      case '\x85':
        return push_items(PickleKind::tuple, pop_many(1));
      case '\x86':
        return push_items(PickleKind::tuple, pop_many(2));
      case '\x87':
        return push_items(PickleKind::tuple, pop_many(3));
      case 'd':
        return push_items(PickleKind::dict, pairs_to_mark());
      case 'a':
        return add_to(PickleKind::list, pop_many(1));
      case 'e':
        return add_to(PickleKind::list, pop_to_mark());
      case 's':
        return add_to(PickleKind::dict, pop_many(2));
      case 'u':
        return add_to(PickleKind::dict, pairs_to_mark());
      case '\x90':
        return add_to(PickleKind::set, pop_to_mark());
      default:
        return false;
    }
  }

  bool stack_and_memo(char opcode) {
    switch (opcode) {
      case '(':
        return mark();
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        return push(top());
      case 'p':
        return note(memo_line());
      case 'q':
        return note(in_.take_number(1));
      case 'r':
        return note(in_.take_number(4));
      case '\x94':
        return note(memo_.size());
      case 'g':
        return recall(memo_line());
      case 'h':
        return recall(in_.take_number(1));
      case 'j':
        return recall(in_.take_number(4));
      default:
        return false;
    }
  }

  bool objects(char opcode) {
    switch (opcode) {
      case '\x80':
        if (in_.take_number(1) > 5) in_.broken("its protocol is newer than 5");
        return true;
      case '\x95':
        // Frames only tell a reader how much to fetch; all is here already.
        if (in_.take_number(8) > in_.left()) in_.broken("a frame goes past the end; was the file cut short?");
        return true;
      case 'c': {
        const std::string_view module = in_.take_line();
        return push_global(module, in_.take_line());
      }
      case '\x93':
        return stack_global();
      case 'R':
      case '\x81':
        return apply_popped();
      case 'i': {
        const std::string_view module = in_.take_line();
        const PickleId global = add_global(tree_, module, in_.take_line(), in_.place());
        return instance(global, pop_to_mark());
      }
      case 'o': {
        std::vector<PickleId> items = pop_to_mark();
        if (items.empty()) in_.broken("an instance has no class");
        const PickleId global = items.front();
        items.erase(items.begin());
        return instance(global, std::move(items));
      }
      case 'b': {
        const PickleId state = pop();
        apply_state(tree_, top(), state, in_.place());
        return true;
      }
      case 'Q':
        return push(add_storage(tree_, pop(), in_.place()));
      default:
        return false;
    }
  }

  PickleBytes in_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleId> memo_;
  PickleTree tree_;
};

}  // namespace

PickleTree read_next_pickle(std::string_view& bytes, const std::string& where) {
  Unpickler unpickler(bytes, where);
  bytes.remove_prefix(unpickler.run());
  return unpickler.take();
}

PickleTree read_pickle(std::string_view bytes, const std::string& where) {
  PickleTree tree = read_next_pickle(bytes, where);
  if (!bytes.empty())
    fail("{}: {} bytes follow the end of the pickle; a second one may hide there, so the file is refused",
         where, bytes.size());
  return tree;
}

std::string printable(std::string_view text) {
  constexpr size_t shown = 120;
  std::string out;
  for (const char letter : text.substr(0, shown)) {
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20 && code < 0x7F) {
      out += letter;
    } else {
      out += fmt::format("\\x{:02x}", code);
    }
  }
  return text.size() > shown ? out + "..." : out;
}

}  // namespace varve
