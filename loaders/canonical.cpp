// The table of analysis/model/recipe.h, written out for one model.
#include "loaders/canonical.h"

#include <utility>

#include <fmt/format.h>

namespace varve {
namespace {

using Table = std::map<std::string, CanonicalTensor>;

void add_norm(Table& table, const ModelSpec& spec, const std::string& name) {
  if (spec.norm == Norm::none) return;
  if (spec.norm_has_gain) table[name + ".w"] = {{spec.d_model}};
  if (spec.norm_has_bias && spec.norm == Norm::layer) table[name + ".b"] = {{spec.d_model}};
}

void add_attention(Table& table, const ModelSpec& spec, const std::string& attn) {
  const int64_t d = spec.d_model, q = spec.heads * spec.d_head, kv = spec.kv_heads * spec.d_head;
  table[attn + "W_Q"] = {{q, d}};
  table[attn + "W_K"] = table[attn + "W_V"] = {{kv, d}};
  table[attn + "W_O"] = {{d, q}};
  table[attn + "b_Q"] = {{q}, false};
  table[attn + "b_K"] = table[attn + "b_V"] = {{kv}, false};
  table[attn + "b_O"] = {{d}, false};
  for (const auto& [letter, count] :
       {std::pair{"Q", spec.heads}, {"K", spec.kv_heads}, {"V", spec.kv_heads}}) {
    table[attn + "W_" + letter].by_head = {count, spec.d_head, d};
    table[attn + "b_" + letter].by_head = {count, spec.d_head};
  }
  table[attn + "W_O"].by_head = {d, spec.heads, spec.d_head};
  if (!spec.qk_norm_full && !spec.qk_norm_per_head) return;
  table[attn + "q_norm.w"] = {{spec.qk_norm_full ? q : spec.d_head}};
  table[attn + "k_norm.w"] = {{spec.qk_norm_full ? kv : spec.d_head}};
  for (const char* name : {"q_norm.", "k_norm."})
    table[attn + name + "b"] = {table[attn + name + "w"].shape, false};
}

void add_expert(Table& table, const ModelSpec& spec, const std::string& name, int64_t hidden) {
  table[name + "W_in"] = {{hidden, spec.d_model}};
  if (spec.gated_mlp) table[name + "W_gate"] = {{hidden, spec.d_model}};
  table[name + "W_out"] = {{spec.d_model, hidden}};
}

void add_mlp(Table& table, const ModelSpec& spec, const std::string& mlp) {
  add_expert(table, spec, mlp, spec.d_mlp);
  if (!spec.residual && spec.d_mlp == spec.d_model)
    table[mlp + "W_in"].required = table[mlp + "W_out"].required = false;
  table[mlp + "b_in"] = {{spec.d_mlp}, false};
  if (spec.gated_mlp) table[mlp + "b_gate"] = {{spec.d_mlp}, false};
  table[mlp + "b_out"] = {{spec.d_model}, false};
}

void add_experts(Table& table, const ModelSpec& spec, const std::string& mlp) {
  table[mlp + "W_router"] = {{spec.experts, spec.d_model}};
  for (int64_t expert = 0; expert < spec.experts; ++expert)
    add_expert(table, spec, fmt::format("{}experts.{}.", mlp, expert), spec.d_expert);
  if (spec.d_shared > 0) add_expert(table, spec, mlp + "shared.", spec.d_shared);
  if (spec.shared_gate) table[mlp + "shared.gate"] = {{1, spec.d_model}};
}

}  // namespace

std::map<std::string, CanonicalTensor> canonical_tensors(const ModelSpec& spec) {
  Table table;
  const int64_t d_embed = spec.d_embed > 0 ? spec.d_embed : spec.d_model;
  const int64_t wide = d_embed * spec.joined_tokens;
  table["embed.W_E"] = {{spec.vocab, d_embed}};
  table["embed.W_in"] = {{spec.d_model, wide}, wide != spec.d_model};
  table["embed.b_in"] = {{spec.d_model}, false};
  if (spec.positions == Positions::learned) table["pos_embed.W_pos"] = {{spec.context, spec.d_model}};
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    const bool normed = spec.pre_norm || spec.norm_after_sum;
    if (spec.attention) {
      if (normed) add_norm(table, spec, block + "ln1");
      if (spec.post_norm) add_norm(table, spec, block + "ln1_post");
      add_attention(table, spec, block + "attn.");
    }
    if (!spec.mlp) continue;
    if (normed && !spec.shared_parallel_norm) add_norm(table, spec, block + "ln2");
    if (spec.post_norm) add_norm(table, spec, block + "ln2_post");
    if (is_sparse(spec, layer))
      add_experts(table, spec, block + "mlp.");
    else
      add_mlp(table, spec, block + "mlp.");
  }
  if (spec.final_norm) add_norm(table, spec, "ln_final");
  if (!spec.tied) table["unembed.W_U"] = {{output_vocab(spec), spec.d_model}};
  table["unembed.b_U"] = {{output_vocab(spec)}, false};
  return table;
}

}  // namespace varve
