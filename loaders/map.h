// A mapping written by hand: how the tensors of a home-made network become a model this program can run.
//
//   ignore = ["*.causal_mask"]          tensors that hold no weights: names or globs
//
//   [model]                             sizes and choices, by the names ModelSpec has for them
//   heads = 4                           heads, d_model, d_mlp and vocab must be there (heads and d_mlp only
//   d_model = 128                       where the network has attention and MLPs); d_head is d_model / heads,
//   ...                                 kv_heads heads, layers as many as there are tensors for, unless said
//   norm = "none"                       a norm of kind none needs no place; others stand before the modules
//   [model.rope]                        where positions = "rotary"
//
//   [tensors]                           canonical name (analysis/model/recipe.h) = where it comes from
//   "embed.W_E" = "tok_emb.weight"
//   "blocks.{layer}.attn.W_Q" = { from = "blocks.{layer}.attn.qkv.weight", split = [0, 3, 0] }
//   "blocks.{layer}.attn.W_K" = { from = "h{layer}.W_K", permute = [0, 2, 1] }
//   "blocks.{layer}.attn.W_V" = "h{layer}.heads.{head}.value.weight"
//
// Steps of one tensor, all of them optional, done in this order:
//   1. view = ["heads", "d_head", -1]   seen under another shape: numbers, names of sizes, one -1
//   2. split = [axis, parts, which]     one of several equal parts along an axis, or
//      slice = [axis, begin, end]       a stretch of it
//   3. permute = [2, 0, 1]              axes reordered; transpose = true for two of them
// What comes out must have the canonical shape, or get it by joining neighbouring axes: [heads, d_head,
// d_model] is [heads * d_head, d_model]. {layer} and {expert} stand for every number there is; {head} on the
// right only: one tensor a head, stacked in order.
//
// Every tensor of the file must be used or ignored, every tensor the model needs must be there.
#pragma once

#include <filesystem>
#include <string>

#include "loaders/family.h"

namespace varve {

struct NetworkMap {
  std::string text;   // the TOML as it is: kept with every checkpoint read through it
  std::string where;  // how errors name it
};

NetworkMap read_map(const std::filesystem::path& file);  // throws Error

// Throws Error naming the tensor, what was found and what was expected.
FamilyReading read_mapped(const NetworkMap& map, const TensorShapes& tensors);

// A first draft of a mapping, from names and shapes alone. What could not be placed is listed in comments.
std::string map_template(const TensorShapes& tensors, const std::string& source);
// The same for the first checkpoint of a source.
std::string draft_map(const std::filesystem::path& source);

}  // namespace varve
