// Tensor recipes: canonical name -> source tensor with slice, transpose and reshape, as data stored with the
// series.
//
// Canonical names and shapes (out-first, as a row-major [out, in] matrix whose rows are outputs):
//   embed.W_E [vocab, d_model]   pos_embed.W_pos [context, d_model]   unembed.W_U [vocab, d_model]
//   unembed.b_U [vocab] blocks.L.ln1.w|b  blocks.L.ln2.w|b  ln_final.w|b [d_model]   (ln1_post, ln2_post
//   where a family has them) blocks.L.attn.W_Q [heads*d_head, d_model]  W_K W_V [kv_heads*d_head, d_model]
//   b_Q b_K b_V blocks.L.attn.W_O [d_model, heads*d_head]  b_O [d_model]    blocks.L.attn.q_norm.w k_norm.w
//   blocks.L.mlp.W_in W_gate [d_mlp, d_model]  W_out [d_model, d_mlp]  b_in b_gate b_out
//   blocks.L.mlp.W_router [experts, d_model]   blocks.L.mlp.experts.E.W_in|W_gate|W_out
//   blocks.L.mlp.shared.W_in|W_gate|W_out blocks.L.mlp.shared.gate [1, d_model]
// Home-made networks may have embed.W_in [d_model, joined_tokens * d_embed] and embed.b_in besides, and
// pieces NAME#axis.0, NAME#axis.1 ... that lie side by side along an axis of NAME (one tensor a head).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace varve {

// Applied in this order: reshape the source to `view`, take [begin, end) along `axis`, reorder axes by
// `permute`, reshape to `shape`. Empty fields do nothing.
struct TensorTake {
  std::string source;
  std::vector<int64_t> view;
  int64_t axis = -1, begin = 0, end = 0;
  std::vector<int64_t> permute;
  std::vector<int64_t> shape;  // what must come out; always set
};

using TensorRecipe = std::map<std::string, TensorTake>;  // canonical name -> how it is made

std::string to_json(const TensorRecipe& recipe);
TensorRecipe recipe_from_json(const std::string& json);

}  // namespace varve
