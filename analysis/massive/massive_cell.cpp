// The cell of massive-activations: sees each layer's stream and attention go by and keeps a few numbers of
// them.
#include "analysis/massive/massive_cell.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "analysis/massive/architecture.h"
#include "analysis/massive/largest.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::span<const T> numbers_of(const Site& site);
template <>
std::span<const float> numbers_of<float>(const Site& site) {
  return site.f32;
}
template <>
std::span<const double> numbers_of<double>(const Site& site) {
  return site.f64;
}

template <class T>
double length_of(std::span<const T> row) {
  double sum = 0;
  for (const T v : row) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

template <class T>
class MassiveCell : public Cell {
 public:
  MassiveCell(const Study& study, const MassiveParams& params) : study_(study), params_(params) {
    layers_ = study.spec().layers;
    prompts_ = static_cast<int64_t>(study.probes().prompts.size());
    if (params.map_prompt >= prompts_)
      fail_usage("massive-activations: map_prompt is {}, and there are {} prompts; the first is 0",
                 params.map_prompt, prompts_);
    const std::vector<std::string> ranked = {"layer", "prompt", "rank"};
    const std::vector<int64_t> shape = {layers_, prompts_, massive_ranks};
    top_ = Array::empty(Dtype::f64, ranked, shape);
    top_.title = "largest sizes in the residual stream, |resid_post|";
    top_pos_ = Array(ranked, shape, std::vector<int64_t>(static_cast<size_t>(top_.size()), -1));
    top_pos_.title = "position of the largest sizes";
    top_dim_ = top_pos_;
    top_dim_.title = "feature of the largest sizes";
    median_ = per_prompt("median size in the residual stream, |resid_post|", "");
    massive_ = per_prompt("massive by the loose rule: above 100 and 1000 x median", "share");
    peak_ = per_prompt("residual peak: largest norm of a position over the mean norm", "");
    sink_ = per_prompt("sink mass: attention on the first position", "share");
    drain_ = per_prompt("value drain: norm of the first position's value over the mean of later ones", "");
    sink_head_ = Array({"layer", "head"}, {layers_, study.spec().heads},
                       std::vector<double>(static_cast<size_t>(layers_ * study.spec().heads), 0));
    sink_head_.title = "sink mass of each head";
    sink_head_.unit = "share";
  }

  bool wants(const std::string& site) const override {
    return site.ends_with(".resid_post") ||
           (reads_attention() && (site.ends_with(".attn.pattern") || site.ends_with(".attn.v")));
  }

  void see(const Site& site) override {
    if (site.name.ends_with(".resid_post")) see_stream(site);
    if (site.name.ends_with(".attn.pattern")) see_pattern(site);
    if (site.name.ends_with(".attn.v")) see_values(site);
  }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Massive activations";
    put_architecture(result, architecture_of(study_));
    result.set("top", std::move(top_));
    result.set("top_pos", std::move(top_pos_));
    result.set("top_dim", std::move(top_dim_));
    result.set("massive", std::move(massive_));
    result.set("residual_peak", std::move(peak_));
    result.set("median", std::move(median_));
    for (double& one : sink_head_.as<double>())
      one = sink_prompts_ > 0 ? one / static_cast<double>(sink_prompts_) : missing;
    result.set("sink", std::move(sink_));
    result.set("value_drain", std::move(drain_));
    result.set("sink_head", std::move(sink_head_));
    put_map(result);
    std::vector<int64_t> ticks(static_cast<size_t>(layers_));
    std::iota(ticks.begin(), ticks.end(), 0);
    result.set_coord("layer", Array({"layer"}, {layers_}, std::move(ticks)));
    result.checks.push_back({"attention rows sum to 1", worst_row_, row_slack, rows_, worst_row_ <= row_slack,
                             "first position's share and the rest, every head and query that was read"});
    result.checks.push_back({"top-1 >= top-2 >= top-3 >= median", worst_order_, 0, layers_ * prompts_,
                             worst_order_ <= 0, "worst difference the wrong way"});
    if (!reads_attention()) result.checks.erase(result.checks.begin());
    return result;
  }

 private:
  static constexpr double row_slack = 1e-4;  // a sum of f32 shares over a few thousand keys

  bool reads_attention() const { return params_.attention && study_.spec().attention; }
  size_t place(int64_t layer, int64_t prompt) const { return static_cast<size_t>(layer * prompts_ + prompt); }
  Array per_prompt(const char* title, const char* unit) const {
    Array array = Array::empty(Dtype::f64, {"layer", "prompt"}, {layers_, prompts_});
    array.title = title;
    array.unit = unit;
    return array;
  }

  void see_stream(const Site& site) {
    const std::span<const T> h = numbers_of<T>(site);
    const auto width = static_cast<size_t>(site.shape.back());
    const size_t at = place(site.layer, site.prompt);
    const std::vector<Largest> best = largest_of<T>(h, massive_ranks);
    const double median = lower_median<T>(h);
    for (size_t k = 0; k < best.size(); ++k) {
      const size_t ranked = at * massive_ranks + k;
      top_.as<double>()[ranked] = best[k].value;
      top_pos_.as<int64_t>()[ranked] = best[k].place / static_cast<int64_t>(width);
      top_dim_.as<int64_t>()[ranked] = best[k].place % static_cast<int64_t>(width);
      worst_order_ =
          std::max(worst_order_, (k + 1 < best.size() ? best[k + 1].value : median) - best[k].value);
    }
    median_.as<double>()[at] = median;
    massive_.as<double>()[at] =
        !best.empty() && best[0].value > massive_size && best[0].value >= massive_times_median * median ? 1
                                                                                                        : 0;
    double sum = 0, most = 0;
    for (size_t s = 0; s < h.size(); s += width) {
      const double length = length_of(h.subspan(s, width));
      sum += length;
      most = std::max(most, length);
    }
    peak_.as<double>()[at] = sum > 0 ? most * static_cast<double>(h.size() / width) / sum : missing;
    if (site.prompt == params_.map_prompt) keep_map(site.layer, h, width);
  }

  // Whole columns of the layer's largest features.
  void keep_map(int64_t layer, std::span<const T> h, size_t width) {
    std::vector<T> most(width, 0);
    for (size_t i = 0; i < h.size(); ++i) most[i % width] = std::max(most[i % width], std::abs(h[i]));
    for (const Largest& dim : largest_of<T>(most, static_cast<size_t>(params_.map_dims))) {
      std::vector<float>& column = map_[{layer, dim.place}];
      for (size_t s = 0; s * width < h.size(); ++s)
        column.push_back(static_cast<float>(std::abs(h[s * width + static_cast<size_t>(dim.place)])));
    }
  }

  void see_pattern(const Site& site) {
    const std::span<const T> a = numbers_of<T>(site);
    const auto heads = static_cast<size_t>(site.shape[0]), queries = static_cast<size_t>(site.shape[1]);
    const auto keys = static_cast<size_t>(site.shape[2]);
    if (queries < 2) return;  // nobody but the first position itself looks at it
    double all = 0;
    for (size_t head = 0; head < heads; ++head) {
      double mass = 0;
      for (size_t q = 1; q < queries; ++q) {
        const std::span<const T> row = a.subspan((head * queries + q) * keys, keys);
        mass += static_cast<double>(row[0]);
        worst_row_ = std::max(worst_row_, std::abs(std::accumulate(row.begin(), row.end(), 0.0) - 1));
      }
      mass /= static_cast<double>(queries - 1);
      all += mass;
      sink_head_.as<double>()[static_cast<size_t>(site.layer) * heads + head] += mass;
    }
    rows_ += static_cast<int64_t>(heads * (queries - 1));
    sink_.as<double>()[place(site.layer, site.prompt)] = all / static_cast<double>(heads);
    if (site.layer == 0) ++sink_prompts_;
  }

  void see_values(const Site& site) {
    const std::span<const T> v = numbers_of<T>(site);
    const auto count = static_cast<size_t>(site.shape[0]), heads = static_cast<size_t>(site.shape[1]);
    const auto width = static_cast<size_t>(site.shape[2]);
    double all = 0;
    for (size_t head = 0; head < heads; ++head) {
      double later = 0;
      for (size_t s = 1; s < count; ++s) later += length_of(v.subspan((s * heads + head) * width, width));
      all += length_of(v.subspan(head * width, width)) * static_cast<double>(count - 1) / later;
    }
    // One position has no later ones, and values of zero have no ratio: NaN either way.
    drain_.as<double>()[place(site.layer, site.prompt)] = all / static_cast<double>(heads);
  }

  void put_map(Dataset& result) const {
    std::set<int64_t> dims;
    for (const auto& [where, column] : map_) dims.insert(where.second);
    if (dims.empty()) return;
    const auto width = static_cast<int64_t>(dims.size());
    const int64_t length = study_.probes().longest();  // empty behind this sequence's own end
    Array map = Array::empty(Dtype::f32, {"layer", "pos", "d_model"}, {layers_, length, width});
    for (const auto& [where, column] : map_) {
      const auto dim = std::distance(dims.begin(), dims.find(where.second));
      for (size_t s = 0; s < column.size(); ++s)
        map.as<float>()[static_cast<size_t>((where.first * length + static_cast<int64_t>(s)) * width + dim)] =
            column[s];
    }
    map.title = "sizes of one sequence, |resid_post|";
    result.provenance["leading_array"] = "magnitude";
    result.set("magnitude", std::move(map));
    result.set_coord("d_model", Array({"d_model"}, {width}, std::vector<int64_t>(dims.begin(), dims.end())));
    result.notes.push_back(
        fmt::format("magnitude: sequence {}, the {} largest features of each layer; empty "
                    "where a feature is not among them.",
                    params_.map_prompt, params_.map_dims));
  }

  const Study& study_;
  MassiveParams params_;
  int64_t layers_ = 0, prompts_ = 0, rows_ = 0, sink_prompts_ = 0;
  Array top_, top_pos_, top_dim_, median_, massive_, peak_, sink_, drain_, sink_head_;
  std::map<std::pair<int64_t, int64_t>, std::vector<float>> map_;  // (layer, feature) -> [pos]
  double worst_row_ = 0, worst_order_ = 0;
};

}  // namespace

std::unique_ptr<Cell> begin_massive(const Study& study, const SettingValues& values) {
  const auto params = read_settings<MassiveParams>(values, "massive-activations");
  if (study.compute() == Compute::f64) return std::make_unique<MassiveCell<double>>(study, params);
  return std::make_unique<MassiveCell<float>>(study, params);
}

CellCost massive_cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes,
                      Compute compute) {
  const auto params = read_settings<MassiveParams>(values, "massive-activations");
  const int64_t size = compute == Compute::f64 ? 8 : 4, longest = probes.longest();
  CellCost cost;
  cost.flops = 6.0 * static_cast<double>(spec.layers * spec.d_model * probes.tokens());
  cost.scratch = 2 * longest * spec.d_model * size;
  if (params.attention && spec.attention) cost.scratch += spec.heads * longest * longest * size;
  cost.result_per_place = spec.layers * params.map_dims * 4;  // of one sequence; counted for each, to be safe
  return cost;
}

}  // namespace varve
