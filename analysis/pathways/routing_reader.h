// Gathers what a router did, prompt by prompt, while the sites stream by; nothing is kept per token unless
// asked for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/study.h"

namespace varve {

struct RoutingOptions {
  double tie = 1e-5;         // a gap below this between the last chosen expert and the next is a near tie
  bool keep_tokens = false;  // ids and weights of every token
  bool count_pairs = false;  // how often two experts are chosen by one token, and over adjacent layers
};

class RoutingReader {
 public:
  RoutingReader(const Study& study, const RoutingOptions& options);
  bool wants(const std::string& site) const;
  void see(const Site& site);

  int64_t layers() const { return static_cast<int64_t>(layer_numbers_.size()); }
  int64_t experts() const { return experts_; }
  int64_t ranks() const { return ranks_; }
  int64_t prompts() const { return static_cast<int64_t>(lengths_.size()); }
  const std::vector<int64_t>& layer_numbers() const { return layer_numbers_; }  // blocks with experts
  int64_t tokens() const;

  // [layer, prompt, expert]
  std::vector<double> mean;    // softmax over all experts, averaged over the prompt's tokens
  std::vector<double> chosen;  // chosen experts' weights divided by their sum, else 0, averaged likewise
  std::vector<double> counts;  // tokens of the prompt that chose the expert
  // [layer, prompt]
  std::vector<double> token_entropy;  // mean entropy of a token's own softmax, nats
  std::vector<double> margin;         // mean gap between the last chosen expert and the next
  std::vector<double> least_margin;
  std::vector<int64_t> near_ties;  // tokens
  // Tokens, where count_pairs; [half]: even and odd prompts. together: both are chosen, [layer, expert,
  // expert], the diagonal says how many chose the one. neighbours: they follow each other in rank.
  // next_layer: the first is chosen in a layer and the second in the next one, [layer - 1, expert, expert].
  std::vector<double> together[2], neighbours[2], next_layer[2];
  // [layer, prompt, pos, rank], -1 and NaN after a prompt's end; where keep_tokens
  std::vector<int64_t> token_ids;
  std::vector<float> token_weights;

  // Identities every router keeps, to be put into a result.
  std::vector<Check> checks() const;

 private:
  size_t at(int64_t layer, int64_t prompt) const { return static_cast<size_t>(layer * prompts() + prompt); }
  void see_probabilities(const Site& site, int64_t layer);
  void see_weights(const Site& site, int64_t layer, const std::vector<int64_t>& ids);
  void count_pairs(int64_t layer, int64_t prompt, const std::vector<int64_t>& ids);

  RoutingOptions options_;
  std::vector<int64_t> layer_numbers_, lengths_;
  std::map<int64_t, int64_t> place_;  // block -> place in layer_numbers_
  int64_t experts_ = 0, ranks_ = 0, longest_ = 0;
  // Ids of a layer wait for its weights, and for the next layer's where adjacent layers are counted.
  std::map<int64_t, std::vector<int64_t>> ids_, ids_before_;
  double worst_sum_ = 0;
  int64_t repeated_ = 0, rows_ = 0;
};

// How many choices of a joined series rounding could turn; empty where none. Reads near_ties, margin_least.
std::string tie_note(const Dataset& joined, double tie);

// Throws Error where the model has no mixture of experts.
void need_experts(const ModelSpec& spec, const std::string& analysis);
// Ticks of the axis `layer`: the numbers of the blocks that have experts.
Array expert_layers(const std::vector<int64_t>& layer_numbers);

}  // namespace varve
