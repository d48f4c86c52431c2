// Guesses a mapping from names and shapes. A guess is cheap to correct and everything that was guessed is
// said; what no rule places is left to the reader of the draft.
#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "loaders/checkpoint_files.h"
#include "loaders/family_reader.h"
#include "loaders/map.h"
#include "loaders/map_draft.h"

namespace varve {
namespace {

using Shape = std::vector<int64_t>;

struct Entry {
  std::string pattern;  // its number replaced by {layer}
  Shape shape;
  bool in_layer = false;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The first part of a name that is a number counts the layers.
Entry entry_of(const std::string& name, const Shape& shape) {
  Entry entry{name, shape};
  size_t begin = 0;
  while (begin < name.size()) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    if (!part.empty() &&
        std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); })) {
      entry.pattern = name.substr(0, begin) + "{layer}" + name.substr(end);
      entry.in_layer = true;
      return entry;
    }
    begin = end + 1;
  }
  return entry;
}

// As a glob, which is what `ignore` takes.
std::string with_any_number(std::string pattern) {
  const std::string place = "{layer}";
  const size_t at = pattern.find(place);
  return at == std::string::npos ? pattern : pattern.replace(at, place.size(), "*");
}

bool says(const std::string& name, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return name.find(word) != std::string::npos; });
}

struct Draft {
  int64_t d_model = 0, vocab = 0, vocab_out = 0, context = 0, d_mlp = 0, heads = 0, d_head = 0, layers = 1;
  bool gain = false, bias = false, final_norm = false, attention = false, mlp = false, unembed = false;
  std::vector<std::string> lines, ignored, unplaced;

  void place(const std::string& canonical, const std::string& source) {
    lines.push_back(fmt::format("\"{}\" = \"{}\"", canonical, source));
  }
  void place(const std::string& canonical, const std::string& source, const std::string& steps) {
    lines.push_back(fmt::format("\"{}\" = {{ from = \"{}\", {} }}", canonical, source, steps));
  }
  // A matrix that the model wants as [out, in]; one of the two is d_model.
  void matrix(const std::string& canonical, const Entry& entry, bool model_is_out) {
    const bool as_is = (model_is_out ? entry.shape[0] : entry.shape[1]) == d_model;
    if (as_is)
      place(canonical, entry.pattern);
    else
      place(canonical, entry.pattern, "transpose = true");
  }
};

bool is_bias(const std::string& name) {
  const std::string last = name.substr(name.rfind('.') + 1);
  return last == "bias" || last == "beta" || last == "b" || last.starts_with("b_");
}

bool is_norm(const std::string& name) { return says(name, {"ln", "norm"}); }

bool place_outside(Draft& draft, const Entry& entry, const std::string& name) {
  if (is_norm(name)) {
    draft.final_norm = true;
    draft.place(is_bias(name) ? "ln_final.b" : "ln_final.w", entry.pattern);
    return true;
  }
  if (says(name, {"pos", "wpe"}) && entry.shape.size() >= 2) {
    draft.context = entry.shape[entry.shape.size() - 2];
    draft.place("pos_embed.W_pos", entry.pattern);
    return true;
  }
  if (says(name, {"unembed", "head", "w_u", "output", "decoder", "out."}) && entry.shape.size() <= 2) {
    if (is_bias(name)) {
      draft.place("unembed.b_U", entry.pattern);
      return true;
    }
    if (entry.shape.size() != 2) return false;
    draft.unembed = true;
    draft.vocab_out = entry.shape[1] == draft.d_model ? entry.shape[0] : entry.shape[1];
    draft.matrix("unembed.W_U", entry, false);
    return true;
  }
  if (says(name, {"emb", "wte", "w_e"}) && entry.shape.size() == 2) {
    draft.matrix("embed.W_E", entry, false);
    return true;
  }
  return false;
}

// q, k and v in one tensor, or one of them, or the way out of the heads.
bool place_attention(Draft& draft, const Entry& entry, const std::string& name) {
  const std::string attn = "blocks.{layer}.attn.";
  const std::string kind = is_bias(name) ? "b_" : "W_";
  const bool fused = says(name, {"qkv", "c_attn", "in_proj", "query_key_value"});
  if (fused) {
    const bool turned =
        kind == "W_" && entry.shape[0] == draft.d_model && entry.shape[0] != entry.shape.back();
    for (int64_t which = 0; which < 3; ++which)
      draft.place(
          attn + kind + std::string(1, "QKV"[which]), entry.pattern,
          fmt::format("split = [{}, 3, {}]{}", turned ? 1 : 0, which, turned ? ", transpose = true" : ""));
    return true;
  }
  const std::vector<std::pair<char, std::vector<std::string>>> letters = {
      {'Q', {"w_q", "b_q", "q_proj", "query", "wq", "to_q"}},
      {'K', {"w_k", "b_k", "k_proj", "key", "wk", "to_k"}},
      {'V', {"w_v", "b_v", "v_proj", "value", "wv", "to_v"}},
      {'O', {"w_o", "b_o", "o_proj", "out", "wo", "proj", "dense", "to_o"}}};
  for (const auto& [letter, words] : letters) {
    if (!says(name, words)) continue;
    const std::string canonical = attn + kind + letter;
    if (kind == "W_" && entry.shape.size() == 3) {  // one matrix a head
      draft.heads = entry.shape[0];
      const bool model_first = entry.shape[1] == draft.d_model && entry.shape[2] != draft.d_model;
      draft.d_head = model_first ? entry.shape[2] : entry.shape[1];
      if (letter == 'O')
        draft.place(canonical, entry.pattern, model_first ? "permute = [1, 0, 2]" : "permute = [2, 0, 1]");
      else if (model_first)
        draft.place(canonical, entry.pattern, "permute = [0, 2, 1]");
      else
        draft.place(canonical, entry.pattern);
    } else if (kind == "W_" && entry.shape.size() == 2 && entry.shape[0] != entry.shape[1]) {
      draft.matrix(canonical, entry, letter == 'O');
    } else {
      draft.place(canonical, entry.pattern);
    }
    return true;
  }
  return false;
}

bool place_mlp(Draft& draft, const Entry& entry, const std::string& name) {
  const bool in =
      says(name, {"up", "w_in", "b_in", "fc1", "c_fc", "linear1", "fc_in", "h_to_4h", "mlp.0", "net.0"});
  const bool out = says(
      name, {"down", "w_out", "b_out", "fc2", "c_proj", "linear2", "fc_out", "4h_to_h", "mlp.2", "net.2"});
  const bool gate = says(name, {"gate"});
  if (in + out + gate != 1) return false;
  const std::string which = out ? "out" : gate ? "gate" : "in";
  if (is_bias(name)) {
    draft.place("blocks.{layer}.mlp.b_" + which, entry.pattern);
    return true;
  }
  if (entry.shape.size() != 2) return false;
  draft.d_mlp = entry.shape[0] == draft.d_model ? entry.shape[1] : entry.shape[0];
  draft.matrix("blocks.{layer}.mlp.W_" + which, entry, out);
  return true;
}

bool place_inside(Draft& draft, const Entry& entry, const std::string& name) {
  if (is_norm(name) && entry.shape.size() == 1) {
    const bool second = says(name, {"2", "post", "mlp", "ffn"});
    const bool bias = is_bias(name);
    (bias ? draft.bias : draft.gain) = true;
    draft.place(fmt::format("blocks.{{layer}}.ln{}.{}", second ? 2 : 1, bias ? "b" : "w"), entry.pattern);
    return true;
  }
  const bool mlp =
      says(name, {"mlp", "ffn", "feed_forward", "feedforward", "fc1", "fc2", "linear1", "linear2"});
  const bool placed = mlp ? place_mlp(draft, entry, name) : place_attention(draft, entry, name);
  (mlp ? draft.mlp : draft.attention) |= placed;
  return placed;
}

// The embedding decides what is d_model; everything else is measured by it.
void measure_embedding(Draft& draft, const TensorShapes& tensors) {
  for (const auto& [name, shape] : tensors) {
    const std::string low = lower(name);
    if (shape.size() != 2 || !says(low, {"emb", "wte", "w_e"}) || says(low, {"pos", "unembed", "wpe"}))
      continue;
    // Vocabularies are mostly the longer side, but in grokking the width often is: other tensors have to say.
    const auto count_of = [&tensors](int64_t extent) {
      int64_t count = 0;
      for (const auto& [other, sizes] : tensors) count += std::count(sizes.begin(), sizes.end(), extent);
      return count;
    };
    const bool second = count_of(shape[1]) >= count_of(shape[0]);
    draft.d_model = second ? shape[1] : shape[0];
    draft.vocab = second ? shape[0] : shape[1];
    return;
  }
}

std::string model_text(const Draft& draft) {
  const auto size = [](const char* key, int64_t value, const char* guess) {
    return value > 0 ? fmt::format("{} = {}\n", key, value) : fmt::format("{} = 1  # {}\n", key, guess);
  };
  std::string text = "[model]\nname = \"my network\"\n";
  text += size("d_model", draft.d_model, "not found: the width of the residual stream");
  text += size("vocab", draft.vocab, "not found: how many tokens the embedding has");
  if (draft.vocab_out > 0 && draft.vocab_out != draft.vocab)
    text +=
        fmt::format("vocab_out = {}  # the unembedding has fewer rows than the embedding\n", draft.vocab_out);
  if (draft.attention) text += size("heads", draft.heads, "no shape says how many heads there are: set it");
  if (draft.d_head > 0) text += fmt::format("d_head = {}\n", draft.d_head);
  if (!draft.attention) text += "attention = false\n";
  if (draft.mlp)
    text += fmt::format(
        "d_mlp = {}\nactivation = \"relu\"  # a guess: relu, gelu, gelu_tanh, silu, square, tanh ...\n",
        draft.d_mlp);
  else
    text += "mlp = false\n";
  text += draft.gain ? fmt::format("norm = \"{}\"{}\n", draft.bias ? "layer" : "rms",
                                   draft.bias ? "" : "  # a guess: rms or layer")
                     : std::string("norm = \"none\"\n");
  if (draft.gain) text += "norm_eps = 1e-5\n";
  if (draft.gain && !draft.final_norm) text += "final_norm = false\n";
  if (draft.context > 0)
    text += fmt::format("positions = \"learned\"\ncontext = {}\n", draft.context);
  else
    text += "positions = \"none\"  # none, learned or rotary\n";
  text += "causal = true  # false: every position sees the whole prompt\n";
  if (!draft.unembed) text += "tied = true  # no unembedding was found\n";
  return text;
}

}  // namespace

std::string map_template(const TensorShapes& tensors, const std::string& source) {
  if (const std::optional<std::string> mlp = mlp_draft(tensors))
    return fmt::format(
        "# A first draft for {}, which looks like a plain MLP: check activation and order.\n\n{}", source,
        *mlp);
  Draft draft;
  measure_embedding(draft, tensors);
  std::set<std::string> seen;
  for (const auto& [name, shape] : tensors) {
    const Entry entry = entry_of(name, shape);
    if (!seen.insert(entry.pattern).second) continue;
    const std::string low = lower(entry.pattern);
    if (says(low, {"mask", "inv_freq", "masked_bias", "num_batches"})) {
      draft.ignored.push_back("\"" + (entry.in_layer ? with_any_number(entry.pattern) : entry.pattern) +
                              "\"");
      continue;
    }
    if (!(entry.in_layer ? place_inside(draft, entry, low) : place_outside(draft, entry, low)))
      draft.unplaced.push_back(fmt::format("# \"\" = \"{}\"  # {}", entry.pattern, show_shape(shape)));
  }
  std::sort(draft.lines.begin(), draft.lines.end());
  std::string text = fmt::format(
      "# A first draft for {}: names and shapes were all there was to go by.\n"
      "# Check every line, above all activation, heads, norms and the order of q, k and v.\n\nignore = "
      "[{}]\n\n{}\n",
      source, fmt::join(draft.ignored, ", "), model_text(draft));
  text += "[tensors]\n" + fmt::format("{}", fmt::join(draft.lines, "\n")) + "\n";
  if (!draft.unplaced.empty())
    text += fmt::format("# Not placed; give each its name or list it under ignore:\n{}\n",
                        fmt::join(draft.unplaced, "\n"));
  return text;
}

std::string draft_map(const std::filesystem::path& source) {
  const SeriesSource series = find_series(source, std::make_shared<NetworkMap>());
  return map_template(tensor_shapes(series.checkpoints.front()), source.string());
}

}  // namespace varve
