// Sums over the router's four arrays as they stream by.
#include "analysis/pathways/routing_reader.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/pathways/pathway.h"

namespace varve {

void need_experts(const ModelSpec& spec, const std::string& analysis) {
  for (int64_t layer = 0; layer < spec.layers; ++layer)
    if (is_sparse(spec, layer)) return;
  fail("{} reads routers, and this model ({}) has none: no block is a mixture of experts", analysis,
       spec.family);
}

Array expert_layers(const std::vector<int64_t>& layer_numbers) {
  return Array({"layer"}, {static_cast<int64_t>(layer_numbers.size())}, layer_numbers);
}

RoutingReader::RoutingReader(const Study& study, const RoutingOptions& options) : options_(options) {
  const ModelSpec& spec = study.spec();
  for (int64_t layer = 0; layer < spec.layers; ++layer)
    if (is_sparse(spec, layer)) {
      place_[layer] = layers();
      layer_numbers_.push_back(layer);
    }
  for (const auto& prompt : study.probes().prompts) lengths_.push_back(static_cast<int64_t>(prompt.size()));
  experts_ = spec.experts;
  ranks_ = spec.experts_per_token;
  longest_ = study.probes().longest();
  const auto rows = static_cast<size_t>(layers() * prompts()), wide = rows * static_cast<size_t>(experts_);
  mean.assign(wide, 0);
  chosen.assign(wide, 0);
  counts.assign(wide, 0);
  token_entropy.assign(rows, 0);
  margin.assign(rows, 0);
  least_margin.assign(rows, std::numeric_limits<double>::infinity());
  if (ranks_ >= experts_) {  // every expert is chosen: there is no next one
    margin.assign(rows, std::numeric_limits<double>::quiet_NaN());
    least_margin = margin;
  }
  near_ties.assign(rows, 0);
  const auto square = static_cast<size_t>(experts_ * experts_);
  for (int half = 0; half < 2 && options_.count_pairs; ++half) {
    together[half].assign(static_cast<size_t>(layers()) * square, 0);
    neighbours[half] = together[half];
    next_layer[half].assign(static_cast<size_t>(std::max<int64_t>(0, layers() - 1)) * square, 0);
  }
  if (options_.keep_tokens) {
    const size_t places = rows * static_cast<size_t>(longest_ * ranks_);
    token_ids.assign(places, -1);
    token_weights.assign(places, std::numeric_limits<float>::quiet_NaN());
  }
}

bool RoutingReader::wants(const std::string& site) const {
  return site.ends_with(".router.probs") || site.ends_with(".router.topk_indices") ||
         site.ends_with(".router.topk_weights");
}

int64_t RoutingReader::tokens() const {
  return std::accumulate(lengths_.begin(), lengths_.end(), int64_t{0});
}

void RoutingReader::see(const Site& site) {
  const int64_t layer = place_.at(site.layer);
  if (site.name.ends_with(".probs")) {
    see_probabilities(site, layer);
  } else if (site.name.ends_with(".topk_indices")) {
    std::vector<int64_t>& ids = ids_[site.prompt];
    ids.clear();
    for (int64_t i = 0; i < site.size(); ++i) ids.push_back(static_cast<int64_t>(std::llround(site.at(i))));
  } else {
    const std::vector<int64_t> ids = std::move(ids_[site.prompt]);
    see_weights(site, layer, ids);
    if (options_.count_pairs) {
      count_pairs(layer, site.prompt, ids);
      ids_before_[site.prompt] = ids;
    }
  }
}

void RoutingReader::see_probabilities(const Site& site, int64_t layer) {
  const int64_t count = lengths_[static_cast<size_t>(site.prompt)];
  const size_t row = at(layer, site.prompt);
  double* const sums = mean.data() + row * static_cast<size_t>(experts_);
  std::vector<double> token(static_cast<size_t>(experts_));
  for (int64_t pos = 0; pos < count; ++pos) {
    double whole = 0;
    for (int64_t e = 0; e < experts_; ++e) {
      const double p = site.at(pos * experts_ + e);
      token[static_cast<size_t>(e)] = p;
      sums[e] += p / static_cast<double>(count);
      whole += p;
    }
    worst_sum_ = std::isnan(whole) ? whole : std::max(worst_sum_, std::abs(whole - 1));
    token_entropy[row] += entropy_nats(token) / static_cast<double>(count);
    ++rows_;
    if (ranks_ >= experts_) continue;
    std::nth_element(token.begin(), token.begin() + ranks_, token.end(), std::greater<>());
    const double next = token[static_cast<size_t>(ranks_)];
    const double gap = *std::min_element(token.begin(), token.begin() + ranks_) - next;
    margin[row] += gap / static_cast<double>(count);
    least_margin[row] = std::min(least_margin[row], gap);
    near_ties[row] += gap < options_.tie ? 1 : 0;
  }
}

void RoutingReader::see_weights(const Site& site, int64_t layer, const std::vector<int64_t>& ids) {
  const int64_t count = lengths_[static_cast<size_t>(site.prompt)];
  const size_t row = at(layer, site.prompt);
  for (int64_t pos = 0; pos < count; ++pos) {
    double whole = 0;
    std::vector<int64_t> mine;
    for (int64_t rank = 0; rank < ranks_; ++rank) whole += site.at(pos * ranks_ + rank);
    for (int64_t rank = 0; rank < ranks_; ++rank) {
      const int64_t expert = ids[static_cast<size_t>(pos * ranks_ + rank)];
      if (expert < 0 || expert >= experts_)
        fail("the router of block {} chose expert {} of {}", site.layer, expert, experts_);
      const size_t slot = row * static_cast<size_t>(experts_) + static_cast<size_t>(expert);
      chosen[slot] += site.at(pos * ranks_ + rank) / whole / static_cast<double>(count);
      counts[slot] += 1;
      repeated_ += std::find(mine.begin(), mine.end(), expert) != mine.end() ? 1 : 0;
      mine.push_back(expert);
      if (!options_.keep_tokens) continue;
      const size_t place =
          (row * static_cast<size_t>(longest_) + static_cast<size_t>(pos)) * static_cast<size_t>(ranks_) +
          static_cast<size_t>(rank);
      token_ids[place] = expert;
      token_weights[place] = static_cast<float>(site.at(pos * ranks_ + rank));
    }
  }
}

void RoutingReader::count_pairs(int64_t layer, int64_t prompt, const std::vector<int64_t>& ids) {
  const int64_t count = lengths_[static_cast<size_t>(prompt)];
  const auto half = static_cast<size_t>(prompt % 2);
  const std::vector<int64_t>* const before = layer > 0 ? &ids_before_[prompt] : nullptr;
  for (int64_t pos = 0; pos < count; ++pos)
    for (int64_t i = 0; i < ranks_; ++i)
      for (int64_t j = 0; j < ranks_; ++j) {
        const auto mine = static_cast<size_t>(ids[static_cast<size_t>(pos * ranks_ + i)]);
        const auto other = static_cast<size_t>(ids[static_cast<size_t>(pos * ranks_ + j)]);
        const auto wide = static_cast<size_t>(experts_);
        together[half][(static_cast<size_t>(layer) * wide + mine) * wide + other] += 1;
        if (i - j == 1 || j - i == 1)
          neighbours[half][(static_cast<size_t>(layer) * wide + mine) * wide + other] += 1;
        if (!before) continue;
        const auto from = static_cast<size_t>((*before)[static_cast<size_t>(pos * ranks_ + i)]);
        next_layer[half][(static_cast<size_t>(layer - 1) * wide + from) * wide + other] += 1;
      }
}

std::vector<Check> RoutingReader::checks() const {
  constexpr double rounding = 1e-5;  // of a softmax over at most some hundred experts in f32
  return {{"router probabilities sum to 1", worst_sum_, rounding, rows_, worst_sum_ <= rounding,
           "worst over all tokens and layers"},
          {"k different experts a token", static_cast<double>(repeated_), 0, rows_, repeated_ == 0,
           fmt::format("experts chosen twice by one token; k = {} of {}", ranks_, experts_)}};
}

std::string tie_note(const Dataset& joined, double tie) {
  const Array &ties = joined["near_ties"], &least = joined["margin_least"];
  const int64_t steps = joined.extent("step"), each = ties.size() / std::max<int64_t>(1, steps);
  int64_t most = 0, worst = 0;
  double nearest = std::numeric_limits<double>::infinity();
  for (int64_t step = 0; step < steps; ++step) {
    int64_t here = 0;
    for (int64_t i = 0; i < each; ++i) {
      here += static_cast<int64_t>(ties.number(step * each + i));
      if (!std::isnan(least.number(step * each + i)))
        nearest = std::min(nearest, least.number(step * each + i));
    }
    if (here > most) most = here, worst = step;
  }
  if (most == 0) return "";
  return fmt::format(
      "Near ties: at the worst step ({}) {} choices of a token in a layer were decided by less than {} in "
      "probability "
      "between the last chosen expert and the next; the nearest at any step by {:.2g}. Rounding could turn "
      "these.",
      joined.coord("step") ? joined.coord("step")->text(worst) : std::to_string(worst), show_count(most), tie,
      nearest);
}

}  // namespace varve
