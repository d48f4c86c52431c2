// Finds the weights in what a pickle holds. A training script saves them bare, under a key beside its
// optimizer's state, or as a history of the whole run.
#include "loaders/pickle/state_dicts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <regex>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "loaders/pickle/unpickler.h"

namespace varve {
namespace {

constexpr int deepest = 64;
// A pickle may hold one container under many names; following all of them is bounded.
constexpr size_t most_tensors = 2'000'000, longest_name = 1000, most_name_bytes = 256'000'000,
                 most_work = 64'000'000;

using Names = std::vector<std::string>;

const Names model_keys = {"state_dict", "model_state_dict", "model_state", "model",  "module",
                          "net",        "network",          "weights",     "params", "parameters"};
const Names series_keys = {"state_dicts", "checkpoints", "model_checkpoints", "models", "snapshots",
                           "all_models",  "history"};
const Names step_keys = {"step", "global_step", "steps", "iteration", "iter", "n_iter", "epoch"};
// Beside series_keys: one number for each of the series.
const Names step_lists = {"checkpoint_steps", "steps",        "checkpoint_epochs", "epochs",
                          "checkpoint_iters", "global_steps", "iterations"};

bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What a trainer keeps to go on training: never the model, whatever tensors are in it. Known by the first
// word.
bool is_training_state(std::string_view key) {
  static const Names words = {"optim",     "optimizer",  "optimizers", "opt",     "lr",    "sched",
                              "scheduler", "schedulers", "scaler",     "grad",    "rng",   "random",
                              "cuda",      "torch",      "numpy",      "np",      "amp",   "callbacks",
                              "loops",     "train",      "test",       "val",     "valid", "loss",
                              "losses",    "data",       "hyper",      "hparams", "args",  "config",
                              "ema",       "sampler",    "dataloader"};
  return holds(words, key.substr(0, key.find_first_of("_.")));
}

class Finder {
 public:
  Finder(const PickleTree& tree, const std::string& where)
      : tree_(tree), where_(where), state_(tree.size(), Holds::unknown) {}

  std::vector<StateDict> find(const std::string& single) {
    const PickleId root = tree_.root;
    if (!holds_tensors(root)) return {StateDict{}};
    if (is_tensor(root)) {
      StateDict alone;
      alone.tensors.emplace_back(single, root);
      return {alone};
    }
    if (std::vector<StateDict> series = find_series(root, "", {}); !series.empty()) return series;
    std::vector<StateDict> one(1);
    read_one(root, one.front(), 0);
    return one;
  }

 private:
  enum class Holds : uint8_t { unknown, looking, no, yes };
  struct Entry {
    std::string key;
    bool numbered = false;  // the key is a whole number
    PickleId value = 0;
  };

  bool is_tensor(PickleId id) const {
    const PickleKind kind = tree_.kind(id);
    return kind == PickleKind::tensor || kind == PickleKind::array || kind == PickleKind::refused;
  }

  bool holds_tensors(PickleId id, int depth = 0) {
    if (is_tensor(id)) return true;
    const bool container = tree_.kind(id) == PickleKind::dict || tree_.is_sequence(id);
    if (!container) return false;
    if (depth > deepest) fail("{}: nests deeper than {} containers", where_, deepest);
    if (state_[id] != Holds::unknown) return state_[id] == Holds::yes;
    state_[id] = Holds::looking;
    const std::span<const PickleId> items = tree_.items(id);
    const size_t first = tree_.kind(id) == PickleKind::dict ? 1 : 0, stride = first + 1;
    bool found = false;
    for (size_t i = first; i < items.size(); i += stride) found = holds_tensors(items[i], depth + 1) || found;
    state_[id] = found ? Holds::yes : Holds::no;
    return found;
  }

  // Keys that are neither text nor whole numbers have no name; nothing below them is looked at.
  std::vector<Entry> entries(PickleId id) {
    std::vector<Entry> found;
    const std::span<const PickleId> items = tree_.items(id);
    work_ += items.size();
    if (work_ > most_work) fail("{}: its containers share each other too often to be weights", where_);
    if (tree_.kind(id) == PickleKind::dict) {
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        const PickleId key = items[i];
        if (tree_.kind(key) == PickleKind::text) {
          found.push_back({std::string(tree_.text(key)), false, items[i + 1]});
        } else if (tree_.is_integer(key)) {
          found.push_back({fmt::format("{}", tree_.integer(key)), true, items[i + 1]});
        } else if (holds_tensors(items[i + 1])) {
          fail("{}: a tensor lies under a key that is neither a text nor a whole number", where_);
        }
      }
    } else {
      for (size_t i = 0; i < items.size(); ++i) found.push_back({fmt::format("{}", i), true, items[i]});
    }
    return found;
  }

  std::vector<Entry> with_tensors(PickleId id) {
    std::vector<Entry> found;
    for (Entry& entry : entries(id))
      if (holds_tensors(entry.value)) found.push_back(std::move(entry));
    return found;
  }

  bool is_dict_with_tensors(PickleId id) { return tree_.kind(id) == PickleKind::dict && holds_tensors(id); }

  // "1000", "step_1000", "epoch3": the number at the end of a short name.
  static std::optional<int64_t> step_in(const std::string& key) {
    static const std::regex pattern(
        "(?:(?:global_?)?step|epoch|iter(?:ation)?|checkpoint|ckpt)?[-_= ]?(\\d{1,15})");
    std::smatch match;
    if (key.size() > 40 || !std::regex_match(key, match, pattern)) return std::nullopt;
    return std::stoll(match[1].str());
  }

  int64_t step_beside(PickleId id) {
    if (tree_.kind(id) != PickleKind::dict) return -1;
    for (const std::string& name : step_keys)
      for (const Entry& entry : entries(id))
        if (entry.key == name && tree_.kind(entry.value) == PickleKind::integer &&
            tree_.integer(entry.value) >= 0)
          return tree_.integer(entry.value);
    return -1;
  }

  // Steps of a series from a list of as many numbers beside it.
  std::vector<int64_t> steps_beside(PickleId id, size_t count) {
    for (const std::string& name : step_lists)
      for (const Entry& entry : entries(id)) {
        if (entry.key != name || !tree_.is_sequence(entry.value)) continue;
        const std::span<const PickleId> items = tree_.items(entry.value);
        std::vector<int64_t> steps;
        for (const PickleId item : items)
          if (tree_.kind(item) == PickleKind::integer && tree_.integer(item) >= 0)
            steps.push_back(tree_.integer(item));
        const bool rising =
            std::adjacent_find(steps.begin(), steps.end(), std::greater_equal<>()) == steps.end();
        if (steps.size() == count && items.size() == count && rising) return steps;
      }
    return {};
  }

  // Empty where the value is no series. A list of state dicts, or a dict from steps to state dicts, perhaps
  // under one of the common keys.
  std::vector<StateDict> find_series(PickleId id, const std::string& label, const std::vector<int64_t>& steps,
                                     int depth = 0) {
    const std::vector<Entry> all = with_tensors(id);
    const bool list = tree_.is_sequence(id);
    const bool dicts = std::all_of(all.begin(), all.end(),
                                   [this](const Entry& entry) { return is_dict_with_tensors(entry.value); });
    const bool stepped = std::all_of(all.begin(), all.end(), [](const Entry& entry) {
      return entry.numbered || step_in(entry.key).has_value();
    });
    if (!all.empty() && dicts && stepped && (!list || all.size() == tree_.items(id).size()))
      return read_series(all, list, label, steps);
    if (depth > 2 || tree_.kind(id) != PickleKind::dict) return {};
    for (const std::string& name : series_keys)
      for (const Entry& entry : all) {
        if (entry.key != name || is_tensor(entry.value)) continue;
        const std::vector<int64_t> beside = steps_beside(id, tree_.items(entry.value).size());
        std::vector<StateDict> series =
            find_series(entry.value, label.empty() ? name : label + "." + name, beside, depth + 1);
        if (series.empty()) continue;
        note_others(all, entry.key, series.front());
        return series;
      }
    return {};
  }

  std::vector<StateDict> read_series(const std::vector<Entry>& all, bool list, const std::string& label,
                                     const std::vector<int64_t>& steps) {
    std::vector<StateDict> series;
    for (size_t i = 0; i < all.size(); ++i) {
      StateDict one;
      one.label = list            ? fmt::format("{}[{}]", label, i)
                  : label.empty() ? all[i].key
                                  : label + "." + all[i].key;
      read_one(all[i].value, one, 0);
      if (i < steps.size()) {
        one.step = steps[i];
      } else if (!list) {
        one.step = step_in(all[i].key).value_or(-1);  // a negative number is no step
      }
      series.push_back(std::move(one));
    }
    // Parts of one model may lie in a list, too; checkpoints of one run have the same tensors.
    const auto names_of = [](const StateDict& one) {
      std::set<std::string> names;
      for (const auto& [name, id] : one.tensors) names.insert(name);
      return names;
    };
    for (const StateDict& one : series)
      if (names_of(one) != names_of(series.front()))
        fail("{}: '{}' and '{}' hold different tensors, so they are no checkpoints of one run", where_,
             series.front().label, one.label);
    return series;
  }

  void note_others(const std::vector<Entry>& all, const std::string& taken, StateDict& one) const {
    Names others;
    for (const Entry& entry : all)
      if (entry.key != taken) others.push_back(printable(entry.key));
    if (!others.empty())
      one.notes.push_back(fmt::format("the weights are those under '{}'; left out: {}", printable(taken),
                                      fmt::join(others, ", ")));
  }

  // The state dict in a value, which may lie a few keys deeper.
  void read_one(PickleId id, StateDict& one, int depth) {
    std::vector<Entry> all = with_tensors(id);
    if (const int64_t step = step_beside(id); step >= 0) one.step = step;
    if (tree_.kind(id) == PickleKind::dict && depth < 8) {
      std::vector<Entry> models, others, kept;
      for (const Entry& entry : all) {
        if (holds(model_keys, entry.key) && tree_.kind(entry.value) == PickleKind::dict) {
          models.push_back(entry);
        } else if (!is_training_state(entry.key)) {
          others.push_back(entry);
        }
        if (is_tensor(entry.value) || !is_training_state(entry.key)) kept.push_back(entry);
      }
      if (!models.empty()) {
        if (models.size() + others.size() > 1) refuse_unclear(models, others);
        note_others(all, models.front().key, one);
        one.label += (one.label.empty() ? "" : ".") + models.front().key;
        return read_one(models.front().value, one, depth + 1);
      }
      // No key says which it is: all of it, but for what only training needs.
      if (!kept.empty()) all = kept;
    }
    flatten(all, "", one, 0);
    strip_wrappers(one);
    check_names(one);
  }

  [[noreturn]] void refuse_unclear(const std::vector<Entry>& models, const std::vector<Entry>& others) const {
    Names keys;
    for (const Entry& entry : models) keys.push_back(printable(entry.key));
    for (const Entry& entry : others) keys.push_back(printable(entry.key));
    fail("{}: tensors lie under each of {}, and which of them is the model is not clear. Save that one alone",
         where_, fmt::join(keys, ", "));
  }

  void flatten(const std::vector<Entry>& all, const std::string& prefix, StateDict& one, int depth) {
    if (depth > deepest) fail("{}: nests deeper than {} containers", where_, deepest);
    for (const Entry& entry : all) {
      const std::string name = prefix.empty() ? entry.key : prefix + "." + entry.key;
      if (name.size() > longest_name) fail("{}: a tensor's name is longer than {}", where_, longest_name);
      if (is_tensor(entry.value)) {
        one.tensors.emplace_back(name, entry.value);
        name_bytes_ += name.size();
        if (++tensors_ > most_tensors || name_bytes_ > most_name_bytes)
          fail("{}: names more than {} tensors", where_, most_tensors);
      } else {
        flatten(with_tensors(entry.value), name, one, depth + 1);
      }
    }
  }

  // DataParallel and torch.compile put a word before every name.
  static void strip_wrappers(StateDict& one) {
    for (bool again = !one.tensors.empty(); again;) {
      again = false;
      for (const std::string& wrapper : {std::string("module."), std::string("_orig_mod.")}) {
        const bool everywhere = std::all_of(one.tensors.begin(), one.tensors.end(), [&](const auto& tensor) {
          return tensor.first.size() > wrapper.size() && tensor.first.starts_with(wrapper);
        });
        if (!everywhere) continue;
        for (auto& [name, id] : one.tensors) name.erase(0, wrapper.size());
        again = true;
      }
    }
  }

  void check_names(const StateDict& one) const {
    std::set<std::string> seen;
    for (const auto& [name, id] : one.tensors) {
      if (!is_utf8(name)) fail("{}: the tensor name '{}' is not UTF-8", where_, printable(name));
      if (!seen.insert(name).second)
        fail("{}: the tensor '{}' is there twice; the file is damaged", where_, printable(name));
    }
  }

  const PickleTree& tree_;
  const std::string& where_;
  std::vector<Holds> state_;
  size_t work_ = 0, tensors_ = 0, name_bytes_ = 0;
};

}  // namespace

std::vector<StateDict> find_state_dicts(const PickleTree& tree, const std::string& where,
                                        const std::string& single) {
  return Finder(tree, where).find(single);
}

}  // namespace varve
