// Attention patterns of many heads, whole or as each query's largest weights, ready to be drawn as tiles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/choice.h"

namespace varve {

// NAME [.. query key], or NAME [.. query rank] beside NAME_key of the same axes, which says the key of each
// weight: 2,048 tokens and 1,024 heads are 4 billion weights, of which nobody looks at more than the largest.
struct AttentionData {
  std::string name, key_name;          // key_name: empty where whole rows are there
  std::vector<std::string> grid_axes;  // layer, head as far as the array has them
  int64_t layers = 1, heads = 1, queries = 0, keys = 0, ranks = 0;
  Places fixed;
  const Array* weights = nullptr;
  const Array* key_ids = nullptr;
  bool empty() const { return weights == nullptr || queries == 0 || keys == 0; }
  bool is_sparse() const { return key_ids != nullptr; }
  int64_t tiles() const { return layers * heads; }
  double weight(int64_t layer, int64_t head, int64_t query, int64_t key) const;
  // The largest weight of each pixel of a tile that is `wide` x `high` pixels; out[row * wide + column] of
  // the stretch asked for; NaN where nothing is known.
  void largest(int64_t layer, int64_t head, int64_t wide, int64_t high, int64_t left, int64_t top, int64_t w,
               int64_t h, std::vector<float>& out) const;
  std::vector<std::string> tokens;  // of the prompt; may be empty

 private:
  friend AttentionData attention_data(const Dataset&, const std::string&, const Places&, const Selection&);
  int64_t base_ = 0, layer_stride_ = 0, head_stride_ = 0, query_stride_ = 0, last_stride_ = 1;
  int64_t first(int64_t layer, int64_t head, int64_t query) const {
    return base_ + layer * layer_stride_ + head * head_stride_ + query * query_stride_;
  }
};

std::vector<std::string> attention_arrays(const Dataset& data);
// Nothing is copied: `data` must outlive the answer.
AttentionData attention_data(const Dataset& data, const std::string& name, const Places& given,
                             const Selection& selection);

}  // namespace varve
