// Attention patterns: how much each query position reads from each key position, head by head.
#include "analysis/analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace varve {
namespace {

struct Params {
  int64_t top = 0;
  template <class Visit>
  void each(Visit&& visit) {
    visit("top", top, "keep the so many largest weights of each query; 0: all of them", Range{0, 1024});
  }
};

class PatternCell : public Cell {
 public:
  PatternCell(const Study& study, const Params& params)
      : spec_(study.spec()),
        prompts_(static_cast<int64_t>(study.probes().prompts.size())),
        longest_(study.probes().longest()),
        kept_(params.top == 0 ? longest_ : std::min(params.top, longest_)),
        is_thinned_(params.top > 0) {
    const auto size = static_cast<size_t>(rows() * kept_);
    weight_.assign(size, std::numeric_limits<float>::quiet_NaN());
    if (is_thinned_) {
      key_.assign(size, -1);
      mass_.assign(static_cast<size_t>(rows()), std::nan(""));
    }
  }

  bool wants(const std::string& site) const override { return site.ends_with(".attn.pattern"); }

  void see(const Site& site) override {
    const int64_t heads = site.shape[0], length = site.shape[1];
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t query = 0; query < length; ++query) {
        const int64_t from = (head * length + query) * length;
        const int64_t row =
            ((site.prompt * spec_.layers + site.layer) * spec_.heads + head) * longest_ + query;
        double sum = 0;
        for (int64_t key = 0; key < length; ++key) sum += site.at(from + key);
        worst_ = std::max(worst_, std::abs(sum - 1));
        for (int64_t key = query + 1; key < length; ++key)
          ahead_ = std::max(ahead_, std::abs(site.at(from + key)));
        ++rows_seen_;
        if (is_thinned_)
          keep_largest(site, from, query, row);
        else
          for (int64_t key = 0; key < length; ++key)
            weight_[static_cast<size_t>(row * kept_ + key)] = static_cast<float>(site.at(from + key));
      }
  }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Attention patterns";
    std::vector<std::string> axes = {"prompt", "layer", "head", "query", is_thinned_ ? "rank" : "key"};
    const std::vector<int64_t> shape = {prompts_, spec_.layers, spec_.heads, longest_, kept_};
    Array pattern(axes, shape, std::move(weight_));
    pattern.title = "attention of a query on a key";
    pattern.unit = "share";
    result.set("pattern", std::move(pattern));
    if (is_thinned_) {
      Array key(axes, shape, std::move(key_));
      key.title = "position of that key; -1: none";
      result.set("pattern_key", std::move(key));
      axes.pop_back();
      Array mass(axes, {prompts_, spec_.layers, spec_.heads, longest_}, std::move(mass_));
      mass.title = "share of a query's attention that the kept keys hold";
      mass.unit = "share";
      result.set("kept_mass", std::move(mass));
    }
    result.checks.push_back(
        {"weights of each query sum to 1", worst_, 1e-4, rows_seen_, worst_ <= 1e-4, "worst query"});
    result.checks.push_back(
        {"no query reads ahead", ahead_, 0, rows_seen_, ahead_ == 0, "largest weight on a later key"});
    return result;
  }

 private:
  int64_t rows() const { return prompts_ * spec_.layers * spec_.heads * longest_; }

  void keep_largest(const Site& site, int64_t from, int64_t query, int64_t row) {
    order_.resize(static_cast<size_t>(query + 1));
    std::iota(order_.begin(), order_.end(), int64_t{0});
    const auto count = static_cast<std::ptrdiff_t>(std::min(kept_, query + 1));
    // Of equal weights the earlier key: an order that does not depend on how it was sorted.
    std::partial_sort(order_.begin(), order_.begin() + count, order_.end(), [&](int64_t a, int64_t b) {
      const double x = site.at(from + a), y = site.at(from + b);
      return x != y ? x > y : a < b;
    });
    double mass = 0;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const int64_t key = order_[static_cast<size_t>(i)];
      mass += site.at(from + key);
      weight_[static_cast<size_t>(row * kept_ + i)] = static_cast<float>(site.at(from + key));
      key_[static_cast<size_t>(row * kept_ + i)] = key;
    }
    mass_[static_cast<size_t>(row)] = mass;
  }

  const ModelSpec spec_;
  int64_t prompts_, longest_, kept_;
  bool is_thinned_;
  std::vector<float> weight_;
  std::vector<int64_t> key_, order_;
  std::vector<double> mass_;
  double worst_ = 0, ahead_ = 0;
  int64_t rows_seen_ = 0;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<PatternCell>(study, read_settings<Params>(values, "attention-patterns"));
}

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute compute) {
  const Params params = read_settings<Params>(values, "attention-patterns");
  const int64_t longest = probes.longest(), kept = params.top == 0 ? longest : std::min(params.top, longest);
  CellCost cell;
  cell.result_per_place = cell.reduced_per_place =
      spec.layers * spec.heads * (params.top == 0 ? kept * 4 : kept * 12 + 8);
  // One prompt's weights of a layer, whole, beside what is kept of all prompts.
  cell.scratch = spec.heads * longest * longest * (compute == Compute::f64 ? 8 : 4) +
                 static_cast<int64_t>(probes.prompts.size()) * longest * cell.result_per_place;
  return cell;
}

}  // namespace

void add_attention_patterns(AnalysisCatalog& catalog) {
  Analysis patterns;
  patterns.name = "attention-patterns";
  patterns.summary = "how much each position reads from each earlier one, head by head";
  patterns.help =
      "The pattern A of every head: softmax over keys of q k^T / sqrt(d_head), with the model's own masks "
      "and "
      "caps. pattern [prompt, layer, head, query, key]; with top=K the K largest weights of each query, "
      "pattern_key says of which keys and kept_mass how much of all attention they are. Example: varve run "
      "attention-patterns pythia.varve --text 'When Mary and John went to the store' --steps last";
  patterns.settings = declared_settings<Params>();
  patterns.begin = begin;
  patterns.cost = cost;
  catalog.add(std::move(patterns));
}

}  // namespace varve
