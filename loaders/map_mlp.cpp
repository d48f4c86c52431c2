// Recognises a plain MLP by its shapes: matrices [out, in] that hand their width on from one to the next.
#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "loaders/map_draft.h"

namespace varve {
namespace {

struct Linear {
  std::string name, bias;
  int64_t out = 0, in = 0;
};

// Numbers in names compare as numbers: fc10 comes after fc2.
std::string sorting_key(const std::string& name) {
  constexpr size_t digits = 9;
  std::string key, run;
  for (char c : name + '.') {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      run += c;
      continue;
    }
    if (!run.empty()) key += std::string(run.size() < digits ? digits - run.size() : 0, '0') + run;
    run.clear();
    key += c;
  }
  return key;
}

bool is_embedding(const std::string& name) {
  return name.find("emb") != std::string::npos || name.find("wte") != std::string::npos;
}

bool speaks_of_attention(const std::string& name) {
  for (const char* word : {"attn", "attention", "query", "qkv", "q_proj", "W_Q", "w_q", "wq"})
    if (name.find(word) != std::string::npos) return true;
  return name == "q" || name.ends_with(".q") || name.find(".q.") != std::string::npos;
}

}  // namespace

std::optional<std::string> mlp_draft(const TensorShapes& tensors) {
  std::vector<Linear> chain;
  std::optional<std::pair<std::string, std::vector<int64_t>>> table;
  size_t placed = 0;
  for (const auto& [name, shape] : tensors) {
    if (speaks_of_attention(name)) return std::nullopt;
    if (shape.size() != 2) continue;
    ++placed;
    if (is_embedding(name)) {
      if (table) return std::nullopt;
      table = {name, shape};
      continue;
    }
    const std::string bias = name.ends_with("weight") ? name.substr(0, name.size() - 6) + "bias" : "";
    const auto found = tensors.find(bias);
    const bool has = found != tensors.end() && found->second == std::vector<int64_t>{shape[0]};
    placed += has ? 1 : 0;
    chain.push_back({name, has ? bias : "", shape[0], shape[1]});
  }
  if (chain.size() < 2 || placed != tensors.size()) return std::nullopt;
  std::sort(chain.begin(), chain.end(),
            [](const Linear& a, const Linear& b) { return sorting_key(a.name) < sorting_key(b.name); });
  for (size_t i = 1; i < chain.size(); ++i) {
    const bool widths_agree = i + 1 == chain.size() || chain[i].out == chain.front().out;
    if (chain[i].in != chain[i - 1].out || !widths_agree) return std::nullopt;
  }
  const Linear &first = chain.front(), &last = chain.back();
  const int64_t vocab = table ? table->second[0] : last.out, d_embed = table ? table->second[1] : last.out;
  if (d_embed < 1 || first.in % d_embed != 0 || last.out > vocab) return std::nullopt;
  std::string text = fmt::format(
      "[model]\nname = \"my MLP\"\nd_model = {}\nd_mlp = {}\nd_embed = {}{}\njoined_tokens = {}  # "
      "embeddings of so "
      "many last tokens lie side by side\nvocab = {}\n",
      first.out, first.out, d_embed, table ? "" : "  # no embedding: tokens are read one-hot",
      first.in / d_embed, vocab);
  if (last.out != vocab) text += fmt::format("vocab_out = {}\n", last.out);
  text += fmt::format(
      "layers = {}\nattention = false\nresidual = false\nactivation = \"relu\"  # a guess: relu, gelu, "
      "square, tanh "
      "...\nnorm = \"none\"\n\n[tensors]\n",
      chain.size() - 1);
  const auto line = [&text](const std::string& canonical, const std::string& source) {
    if (!source.empty()) text += fmt::format("\"{}\" = \"{}\"\n", canonical, source);
  };
  if (table) line("embed.W_E", table->first);
  line("embed.W_in", first.name);
  line("embed.b_in", first.bias);
  for (size_t i = 1; i + 1 < chain.size(); ++i) {
    line(fmt::format("blocks.{}.mlp.W_in", i), chain[i].name);
    line(fmt::format("blocks.{}.mlp.b_in", i), chain[i].bias);
  }
  line("unembed.W_U", last.name);
  line("unembed.b_U", last.bias);
  return text;
}

}  // namespace varve
