// The graph of a transformer's parts: what writes to the stream, what reads from it, and the edges between.
//
// Sources: `input` (the token embedding; learned positions are no part of it), heads `a5.h1` (z W_O of one
// head, without the bias they share), MLPs `m3`. Destinations: each head's queries, keys and values
// `a5.h3<q>`, each MLP, `logits`; all taken before their norm. An edge is where a source was written before
// the destination reads: in a parallel block heads do not feed their own layer's MLP. Numbering follows the
// order in which a model computes, so the sources of a destination are the first so many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/model/spec.h"

namespace varve {

struct CircuitGraph {
  int64_t layers = 0, heads = 0;
  bool parallel = false;

  int64_t sources() const { return 1 + layers * (heads + 1); }
  int64_t destinations() const { return layers * (3 * heads + 1) + 1; }
  int64_t head(int64_t layer, int64_t at) const { return 1 + layer * (heads + 1) + at; }
  int64_t mlp(int64_t layer) const { return head(layer, heads); }
  int64_t head_input(int64_t layer, int64_t input, int64_t at) const {  // input: 0 q, 1 k, 2 v
    return layer * (3 * heads + 1) + input * heads + at;
  }
  int64_t mlp_input(int64_t layer) const { return head_input(layer, 3, 0); }
  int64_t logits() const { return destinations() - 1; }
  int64_t sources_of(int64_t destination) const;  // sources 0 .. that - 1 have an edge to it
  bool has_edge(int64_t source, int64_t destination) const { return source < sources_of(destination); }
  int64_t edges() const;
  // The source that a destination is an input of; -1 for logits.
  int64_t node_of(int64_t destination) const;

  std::string source_name(int64_t source) const;
  std::string destination_name(int64_t destination) const;
  std::vector<std::string> source_names() const;
  std::vector<std::string> destination_names() const;
};

// Throws Error where the stream is no plain sum, which the graph needs.
CircuitGraph graph_of(const ModelSpec& spec);

}  // namespace varve
