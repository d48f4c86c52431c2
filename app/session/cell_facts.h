// What the inspector says of one selected cell of a lens: its numbers now, and over training.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "app/session/session.h"

namespace varve {

struct TopToken {
  std::string text;
  int64_t id = -1;
  double probability = 0;
  bool is_true = false;                                      // the token that really comes next
  double at_pin = std::numeric_limits<double>::quiet_NaN();  // its probability at A; NaN: not among the best
};

struct Fact {
  std::string name, value;
  enum class Tone { plain, good, bad } tone = Tone::plain;
  bool mono = false;
  std::string at_pin = {};    // the same at A; empty: no A, or it has none
  std::string interval = {};  // "0.79 – 0.83"; empty: none
};

struct CellFacts {
  int64_t layer = 0, prompt = 0, pos = 0, layers = 0;  // layers: index of the output row
  std::string heading;                                 // "Layer 9 · position 13"
  std::string after, next;                             // the token here, the true next one ("" at the end)
  std::optional<int64_t> pin_step;                     // of A's cell, where a step is pinned
  std::vector<TopToken> top;
  std::vector<Fact> numbers;  // entropy, rank, KL ...
  std::vector<Fact> origin;   // result, checks, tokens
};

// One line of "over training": a layer's probability of the true next token, NaN where there is no cell.
struct TrainingLine {
  int64_t layer = 0;
  std::vector<double> probability;
};
struct OverTraining {
  std::vector<int64_t> steps;
  std::vector<TrainingLine> lines;  // from the embedding up
};

// Nothing where no layer and position are selected, or the shown result is no lens.
std::optional<CellFacts> cell_facts(const Session& session);
std::optional<OverTraining> over_training(const Session& session);

std::string show_probability(double p);  // three decimals; "<0.001"

}  // namespace varve
