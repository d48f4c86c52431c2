// Head detectors: which attention heads look like a known kind, and when in training they begin to.
//
// Each score is a mean over prompts of one number per attention pattern (pattern_scores.h has the formulas).
// Over the series a head forms where its last score reaches the threshold: at the first step from which on
// the score stays above the middle between even attention and the last score, and the lower end of its
// interval above even attention.
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/head_weights.h"
#include "analysis/circuits/pattern_scores.h"
#include "analysis/core/error.h"
#include "analysis/core/statistics.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Params {
  int64_t period = 0;
  std::string queries = "second-copy";
  std::string weights = "copying";
  double threshold = 0.25;
  int64_t bootstrap = 1000;
  int64_t seed = 0;
  int64_t top_k = 5;
  int64_t top_tokens = 64;

  template <class Visit>
  void each(Visit&& visit) {
    visit("period", period, "after how many tokens the prompts repeat; 0 finds it", Range{0, 1e6});
    visit("queries", queries,
          "which queries the induction score averages over: the second copy's, those "
          "from the period on, or the whole diagonal",
          Choices{"second-copy", "from-period", "all"});
    visit("weights", weights,
          "what is read off the weights besides: copying eigenvalues; copying by top-k and composition too",
          Choices{"none", "copying", "all"});
    visit("threshold", threshold,
          "score that a head must have at the end of a series to count as one of its kind", Range{0, 1});
    visit("bootstrap", bootstrap, "resamplings of prompts behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling and of the random baseline", Range{0, 1e15});
    visit("top_k", top_k, "weights=all: a token counts as copied within so many largest logits",
          Range{1, 1e6});
    visit("top_tokens", top_tokens, "weights=all: of how many tokens, spread over the vocabulary",
          Range{1, 1e7});
  }
};

InductionQueries queries_of(const Params& params) {
  if (params.queries == "from-period") return InductionQueries::from_period;
  return params.queries == "all" ? InductionQueries::all : InductionQueries::second_copy;
}

// Kinds whose prompts are kept apart, for intervals and events.
const std::vector<std::string> kinds = {"induction", "previous_token", "duplicate_token", "prefix_matching"};

class DetectorCell : public Cell {
 public:
  DetectorCell(const Study& study, const Params& params) : study_(study), params_(params) {
    for (const auto& prompt : study.probes().prompts) repeats_.push_back(repeats_of(prompt, params.period));
    const ModelSpec& spec = study.spec();
    if (!spec.attention) fail("this model has no attention, so it has no heads to detect");
    heads_ = spec.layers * spec.heads;
    const auto prompts = static_cast<int64_t>(repeats_.size());
    values_.assign(pattern_score_names().size(),
                   std::vector<double>(static_cast<size_t>(heads_ * prompts), missing));
  }
  bool wants(const std::string& site) const override { return site.ends_with(".attn.pattern"); }

  void see(const Site& site) override {
    const Repeats& repeats = repeats_[static_cast<size_t>(site.prompt)];
    const int64_t length = site.shape[1], prompts = static_cast<int64_t>(repeats_.size());
    for (int64_t head = 0; head < site.shape[0]; ++head) {
      const int64_t first = head * length * length;
      const auto a = [&](int64_t query, int64_t key) { return site.at(first + query * length + key); };
      const std::vector<double> scores = pattern_scores(repeats, queries_of(params_), a);
      const int64_t row = site.layer * study_.spec().heads + head;
      for (size_t i = 0; i < scores.size(); ++i)
        values_[i][static_cast<size_t>(row * prompts + site.prompt)] = scores[i];
      for (int64_t query = 0; query < length; ++query) {
        double sum = 0;
        for (int64_t key = 0; key <= query; ++key) sum += a(query, key);
        worst_sum_ = std::max(worst_sum_, std::abs(sum - 1));
      }
      rows_ += length;
    }
  }

  Dataset finish(Task& task) override {
    const ModelSpec& spec = study_.spec();
    const auto prompts = static_cast<int64_t>(repeats_.size());
    Dataset result;
    result.title = "Head detectors";
    result.provenance["leading_array"] = "induction";  // what most people run this for is drawn first
    const std::vector<std::string>& names = pattern_score_names();
    for (size_t i = 0; i < names.size(); ++i) {
      std::vector<double> means;
      for (int64_t row = 0; row < heads_; ++row) means.push_back(mean_over_prompts(i, row));
      Array array({"layer", "head"}, {spec.layers, spec.heads}, means);
      array.title = pattern_score_title(names[i]);
      array.unit = names[i] == "entropy" ? "nats" : "share";
      result.set(names[i], std::move(array));
    }
    for (const std::string& kind : kinds) {
      const size_t i = static_cast<size_t>(std::find(names.begin(), names.end(), kind) - names.begin());
      Array array({"layer", "head", "prompt"}, {spec.layers, spec.heads, prompts}, values_[i]);
      array.title = pattern_score_title(kind) + ", each prompt";
      array.unit = "share";
      result.set(kind + "_by_prompt", std::move(array));
    }
    double even = 0;
    int64_t repeating = 0;
    for (const Repeats& repeats : repeats_) {
      if (repeats.period == 0) continue;
      even += even_induction(repeats, queries_of(params_));
      ++repeating;
    }
    add_scalar(result, "induction_chance", "induction score of even attention",
               repeating == 0 ? missing : even / static_cast<double>(repeating));
    add_scalar(result, "previous_token_chance", "previous-token score of even attention", even_before());
    if (repeating < prompts)
      result.notes.push_back(fmt::format(
          "{} of {} prompts do not repeat; scores about copies leave them out. Try --probes repeat-random.",
          prompts - repeating, prompts));
    if (params_.weights != "none") add_weights(result, task);
    constexpr double rounding = 1e-4;  // of a softmax in f32 over a long row
    result.checks.push_back({"attention sums to one", worst_sum_, rounding, rows_, worst_sum_ <= rounding,
                             "worst row of any pattern"});
    return result;
  }

 private:
  static void add_scalar(Dataset& result, const char* name, const char* title, double value) {
    Array array = Array::scalar(value);
    array.title = title;
    array.unit = "share";
    result.set(name, std::move(array));
  }

  double even_before() const {
    double sum = 0, count = 0;
    for (const Repeats& repeats : repeats_)
      for (int64_t query = 1; query < repeats.length; ++query, ++count)
        sum += 1 / static_cast<double>(query + 1);
    return count > 0 ? sum / count : missing;
  }

  double mean_over_prompts(size_t score, int64_t row) const {
    const auto prompts = static_cast<int64_t>(repeats_.size());
    double sum = 0;
    int64_t count = 0;
    for (int64_t prompt = 0; prompt < prompts; ++prompt) {
      const double value = values_[score][static_cast<size_t>(row * prompts + prompt)];
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
    }
    return count == 0 ? missing : sum / static_cast<double>(count);
  }

  void add_weights(Dataset& result, Task& task) {
    const ModelSpec& spec = study_.spec();
    Task first = task.part(0, params_.weights == "all" ? 0.3 : 1);
    const Copying copying = copying_of(study_.weights(), first);
    const auto add = [&](const char* name, const char* title, const std::vector<double>& values) {
      Array array({"layer", "head"}, {spec.layers, spec.heads}, values);
      array.title = title;
      array.unit = "share";
      result.set(name, std::move(array));
    };
    add("copying_full", "copying by eigenvalues of W_E W_V W_O W_U, -1 to 1", copying.full);
    add("copying_own", "copying by eigenvalues of W_V W_O, -1 to 1", copying.own);
    result.notes.push_back(
        "Weights: norm gains are folded into what reads after them; biases and rotary positions are left "
        "out.");
    if (params_.weights != "all") return;
    Task second = task.part(0.3, 0.6), third = task.part(0.6, 1);
    add("copying_top_k", "share of tokens that W_E W_V W_O W_U gives back among its largest logits",
        copying_top_k(study_.weights(), params_.top_k, params_.top_tokens, second));
    result.notes.push_back(fmt::format("copying_top_k: {} tokens, top {}; by chance {:.2g}.",
                                       std::min(params_.top_tokens, spec.vocab), params_.top_k,
                                       static_cast<double>(params_.top_k) / static_cast<double>(spec.vocab)));
    const Composition composed = composition_of(study_.weights(), static_cast<uint64_t>(params_.seed), third);
    std::vector<std::string> labels;
    for (int64_t row = 0; row < heads_; ++row)
      labels.push_back(fmt::format("L{}H{}", row / spec.heads, row % spec.heads));
    const auto pair = [&](const char* name, const char* title, const std::vector<double>& values) {
      // Stored [dst][src]; shown from what writes to what reads.
      std::vector<float> turned(values.size());
      const auto n = static_cast<size_t>(heads_);
      for (size_t dst = 0; dst < n; ++dst)
        for (size_t src = 0; src < n; ++src)
          turned[src * n + dst] = static_cast<float>(values[dst * n + src]);
      Array array({"src", "dst"}, {heads_, heads_}, std::move(turned));
      array.title = title;
      array.unit = "share above random";
      result.set(name, std::move(array));
    };
    pair("q_composition", "Q composition above random matrices", composed.q);
    pair("k_composition", "K composition above random matrices", composed.k);
    pair("v_composition", "V composition above random matrices", composed.v);
    result.set_coord("src", Array({"src"}, {heads_}, labels));
    result.set_coord("dst", Array({"dst"}, {heads_}, labels));
    result.notes.push_back(
        fmt::format("Random matrices of these shapes compose by {:.4f} (Q, K) and {:.4f} (V).",
                    composed.baseline_qk, composed.baseline_v));
  }

  const Study& study_;
  Params params_;
  std::vector<Repeats> repeats_;
  std::vector<std::vector<double>> values_;  // [score][head * prompts + prompt]
  int64_t heads_ = 0, rows_ = 0;
  double worst_sum_ = 0;
};

void add_events(const Dataset& joined, const Params& params, const std::string& kind,
                const std::vector<double>& low, Dataset& result) {
  const std::vector<int64_t>& shape = joined[kind].shape();  // step, layer, head
  const Array* steps = joined.coord("step");
  const Array& chance = joined[kind + "_chance"];
  const int64_t heads = shape[1] * shape[2], last = shape[0] - 1;
  for (int64_t head = 0; head < heads; ++head) {
    const double end = joined[kind].number(last * heads + head);
    if (!(end >= params.threshold)) continue;
    int64_t first = shape[0];
    for (int64_t step = last; step >= 0; --step) {
      const int64_t place = step * heads + head;
      const double even = chance.number(step);
      const bool certain = !(low[static_cast<size_t>(place)] <= even);  // one prompt has no interval
      if (!(joined[kind].number(place) > (even + end) / 2) || !certain) break;
      first = step;
    }
    if (first == shape[0]) continue;
    result.events.push_back(
        {steps ? static_cast<int64_t>(steps->number(first)) : first,
         fmt::format("L{}H{} is {}", head / shape[2], head % shape[2],
                     kind == "induction" ? "an induction head" : "a previous-token head"),
         fmt::format("score {:.2f} at the end; from here on above the middle between even attention and that",
                     end)});
  }
}

// Means with intervals over prompts, [step, layer, head], and the events of one kind.
void add_intervals(const Dataset& joined, const Params& params, const std::string& kind, Dataset& result) {
  const Array& by_prompt = joined[kind + "_by_prompt"];
  const std::vector<int64_t>& shape = by_prompt.shape();  // step, layer, head, prompt
  const int64_t prompts = shape[3], places = by_prompt.size() / std::max<int64_t>(1, prompts);
  std::vector<double> low, high;
  std::vector<int64_t> cluster;
  for (int64_t prompt = 0; prompt < prompts; ++prompt) cluster.push_back(prompt);
  for (int64_t place = 0; place < places; ++place) {
    std::vector<double> values;
    for (int64_t prompt = 0; prompt < prompts; ++prompt)
      values.push_back(by_prompt.number(place * prompts + prompt));
    const Estimate estimate =
        bootstrap_mean(values, cluster, params.bootstrap, static_cast<uint64_t>(params.seed));
    low.push_back(estimate.low);
    high.push_back(estimate.high);
  }
  const auto set = [&](const std::string& end, const char* what, std::vector<double> values) {
    Array array({"step", "layer", "head"}, {shape[0], shape[1], shape[2]}, std::move(values));
    array.title = fmt::format("{}, {} end of the 95 % interval over prompts", kind, what);
    array.unit = "share";
    result.set(kind + end, std::move(array));
  };
  if (kind == "induction" || kind == "previous_token") add_events(joined, params, kind, low, result);
  set("_low", "lower", std::move(low));
  set("_high", "upper", std::move(high));
}

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "head-detectors");
  Dataset result = joined;
  result.title = "Head detectors over training";
  int64_t done = 0;
  for (const std::string& kind : kinds) {
    add_intervals(joined, params, kind, result);
    task.step(++done, static_cast<int64_t>(kinds.size()));
  }
  if (result.events.empty())
    result.notes.push_back(
        fmt::format("No head scores {} or more at the end: none formed.", params.threshold));
  return result;
}

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute) {
  const Params params = read_settings<Params>(values, "head-detectors");
  const HeadWeightCost weights = head_weight_cost(spec, params.top_tokens);
  CellCost cell;
  // A number a prompt of each score and head, and again in the result.
  cell.scratch = 2 *
                 static_cast<int64_t>(pattern_score_names().size() * probes.prompts.size() * sizeof(double)) *
                 spec.layers * spec.heads;
  if (params.weights == "copying") cell.scratch += weights.copying;
  if (params.weights == "all")
    cell.scratch += std::max({weights.copying, weights.top_k, weights.composition});
  return cell;
}

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<DetectorCell>(study, read_settings<Params>(values, "head-detectors"));
}

}  // namespace

void add_head_detectors(AnalysisCatalog& catalog) {
  Analysis detectors;
  detectors.name = "head-detectors";
  detectors.summary = "which heads are induction, previous-token or duplicate heads, and when they form";
  detectors.help =
      "Scores every head's attention on prompts that repeat: stripes, prefix matching, and the masks of "
      "detect_head, as shares of attention (0 to 1); entropy in nats; copying by eigenvalues -1 to 1, by "
      "top-k a share of tokens. "
      "Over a series each score has an interval over prompts, and heads that form are events. "
      "Example: varve run head-detectors demo.varve --probes repeat-random:prompts=16,period=24";
  detectors.settings = declared_settings<Params>();
  detectors.begin = begin;
  detectors.cost = cost;
  detectors.reduce = over_the_series;
  catalog.add(std::move(detectors));
}

}  // namespace varve
