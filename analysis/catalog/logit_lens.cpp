// The logit lens: what each layer would say if the model stopped there (nostalgebraist 2020).
//
//   z_l = softcap(LN_f(h_l) W_U + b_U),  p_l = softmax(z_l),  h_0 = embedding, h_l = resid_post of block l-1
// LN_f takes its statistics from h_l itself; at the last layer the lens is the model's output. Per layer and
// position: top tokens, entropy, KL(p_L || p_l) and KL(p_l || p_L) in nats, cross-entropy and rank of the
// true next token, rank of the model's own answer. First-correct layer: first whose argmax is the true token.
// Prediction depth: first layer from which on the argmax is the final one at every layer. Agreement: share of
// positions whose argmax is the final one.
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/layer_axis.h"
#include "analysis/lens.h"
#include "analysis/lens_series.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Params {
  int64_t top_k = 5;
  int64_t bootstrap = 1000;
  int64_t seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("top_k", top_k, "how many tokens to keep at each layer and position", Range{1, 100});
    visit("bootstrap", bootstrap, "resamplings of prompts behind each interval over the series",
          Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

// Keeps the residual stream before the first block and after each block; everything else is made from these.
template <class T>
class LensCell : public Cell {
 public:
  LensCell(const Study& study, const Params& params) : study_(study), params_(params) {
    layers_ = study.spec().layers + 1;
    residuals_.resize(study.probes().prompts.size());
    for (auto& prompt : residuals_) prompt.resize(static_cast<size_t>(layers_));
    prompts_ = static_cast<int64_t>(residuals_.size());
    longest_ = study.probes().longest();
    kept_ = std::min(params_.top_k, output_vocab(study.spec()));
    make_arrays();
  }

  bool wants(const std::string& site) const override {
    return site == "blocks.0.resid_pre" || site.ends_with(".resid_post");
  }

  void see(const Site& site) override {
    const int64_t layer = site.name.ends_with(".resid_pre") ? 0 : site.layer + 1;
    std::vector<T>& kept = residuals_[static_cast<size_t>(site.prompt)][static_cast<size_t>(layer)];
    if constexpr (std::is_same_v<T, float>)
      kept.assign(site.f32.begin(), site.f32.end());
    else
      kept.assign(site.f64.begin(), site.f64.end());
  }

  void prompts_read(int64_t first, int64_t count, Task& task) override {
    const std::vector<std::vector<int64_t>>& prompts = study_.probes().prompts;
    const Unembed unembed(study_.weights(), study_.compute());
    // Short prompts share a way past the vocabulary; what is held of one batch stays small.
    for (int64_t p = first; p < first + count;) {
      std::vector<LensPrompt<T>> batch;
      int64_t end = p;
      for (size_t tokens = 0; end < first + count && tokens < most_tokens; ++end) {
        const auto at = static_cast<size_t>(end);
        batch.push_back({residuals_[at], prompts[at]});
        tokens += prompts[at].size();
      }
      const auto share = [&](int64_t at) {
        return static_cast<double>(at - first) / static_cast<double>(count);
      };
      Task part = task.part(share(p), share(end));
      const std::vector<LensResult> lenses =
          lens_of_prompts<T>(unembed, batch, study_.spec().d_model, kept_, part);
      for (const LensResult& lens : lenses) {
        residuals_[static_cast<size_t>(p)] = {};
        take(p, prompts[static_cast<size_t>(p)], lens);
        ++p;
      }
    }
  }

  Dataset finish(Task&) override { return finished(); }

 private:
  static constexpr size_t most_tokens = 12 * lens_positions;

  size_t place(int64_t layer, int64_t prompt, int64_t pos) const {
    return static_cast<size_t>((layer * prompts_ + prompt) * longest_ + pos);
  }

  Array per_place(const char* title, const char* unit) const {
    Array array = Array::empty(Dtype::f32, {"layer", "prompt", "pos"}, {layers_, prompts_, longest_});
    array.title = title;
    array.unit = unit;
    return array;
  }

  void make_arrays() {
    const std::vector<std::string> ranked{"layer", "prompt", "pos", "rank"};
    const std::vector<int64_t> shape{layers_, prompts_, longest_, kept_};
    top_id_ = Array::empty(Dtype::i64, ranked, shape);
    for (int64_t& id : top_id_.as<int64_t>()) id = -1;
    top_text_ = Array::empty(Dtype::text, ranked, shape);
    top_prob_ = Array::empty(Dtype::f32, ranked, shape);
    top_prob_.title = "probability of the top tokens";
    top_prob_.unit = "probability";
    prob_true_ = per_place("probability of the true next token", "probability");
    cross_entropy_ = per_place("cross-entropy of the true next token", "nats");
    entropy_ = per_place("entropy of the layer's distribution", "nats");
    kl_final_lens_ = per_place("KL(final || layer)", "nats");
    kl_lens_final_ = per_place("KL(layer || final)", "nats");
    rank_true_ = per_place("rank of the true next token, 1 = best", "rank");
    rank_final_ = per_place("rank of the model's own answer, 1 = best", "rank");
    first_correct_ = Array::empty(Dtype::f32, {"prompt", "pos"}, {prompts_, longest_});
    first_correct_.title = "first layer whose top token is the true one";
    first_correct_.unit = "layer";
    depth_ = Array::empty(Dtype::f32, {"prompt", "pos"}, {prompts_, longest_});
    depth_.title = "first layer from which on the top token is the final one";
    depth_.unit = "layer";
    agree_.assign(static_cast<size_t>(layers_), 0);
  }

  void take(int64_t p, const std::vector<int64_t>& tokens, const LensResult& lens) {
    const int64_t count = static_cast<int64_t>(tokens.size());
    for (int64_t layer = 0; layer < layers_; ++layer)
      for (int64_t pos = 0; pos < count; ++pos)
        take_point(p, layer, pos, lens.points[static_cast<size_t>(layer * count + pos)]);
    for (int64_t pos = 0; pos < count; ++pos)
      take_depths(p, pos, pos + 1 < count ? tokens[static_cast<size_t>(pos + 1)] : -1);
    positions_ += count;
    const bool unknown = std::isnan(lens.path_residual) || std::isnan(worst_path_);
    worst_path_ = unknown ? missing : std::max(worst_path_, lens.path_residual);
    path_checked_ += lens.path_checked;
  }

  void take_point(int64_t p, int64_t layer, int64_t pos, const LensPoint& point) {
    const size_t at = place(layer, p, pos);
    for (size_t k = 0; k < point.top_id.size(); ++k) {
      const size_t ranked = at * static_cast<size_t>(kept_) + k;
      top_id_.as<int64_t>()[ranked] = point.top_id[k];
      top_text_.as<std::string>()[ranked] = study_.piece(point.top_id[k]);
      top_prob_.as<float>()[ranked] = static_cast<float>(point.top_prob[k]);
    }
    prob_true_.as<float>()[at] = static_cast<float>(std::exp(point.true_logprob));
    cross_entropy_.as<float>()[at] = static_cast<float>(-point.true_logprob);
    entropy_.as<float>()[at] = static_cast<float>(point.entropy);
    kl_final_lens_.as<float>()[at] = static_cast<float>(point.kl_final_lens);
    kl_lens_final_.as<float>()[at] = static_cast<float>(point.kl_lens_final);
    rank_true_.as<float>()[at] = static_cast<float>(point.true_rank);
    rank_final_.as<float>()[at] = static_cast<float>(point.final_rank);
    if (layer + 1 == layers_ && !std::isfinite(point.log_sum_exp)) worst_path_ = missing;
    lowest_kl_ = std::min({lowest_kl_, point.kl_final_lens, point.kl_lens_final});
  }

  void take_depths(int64_t p, int64_t pos, int64_t true_id) {
    const auto top = [&](int64_t layer) {
      return top_id_.as<int64_t>()[place(layer, p, pos) * static_cast<size_t>(kept_)];
    };
    const size_t at = static_cast<size_t>(p * longest_ + pos);
    const int64_t answer = top(layers_ - 1);
    if (answer < 0) return;  // logits that are not finite
    int64_t depth = layers_ - 1;
    while (depth > 0 && top(depth - 1) == answer) --depth;
    depth_.as<float>()[at] = static_cast<float>(depth);
    for (int64_t layer = 0; layer < layers_; ++layer)
      agree_[static_cast<size_t>(layer)] += top(layer) == answer ? 1 : 0;
    for (int64_t layer = 0; layer < layers_; ++layer)
      if (true_id >= 0 && top(layer) == true_id) {
        first_correct_.as<float>()[at] = static_cast<float>(layer);
        break;
      }
  }

  Dataset finished() {
    Dataset result;
    result.title = "Logit lens";
    std::vector<int64_t> layers;
    std::vector<float> agreement;
    for (int64_t layer = 0; layer < layers_; ++layer) {
      layers.push_back(layer);
      agreement.push_back(static_cast<float>(agree_[static_cast<size_t>(layer)]) /
                          static_cast<float>(positions_));
    }
    result.set("top_id", std::move(top_id_));
    result.set("top_text", std::move(top_text_));
    result.set("top_prob", std::move(top_prob_));
    result.set("prob_true", std::move(prob_true_));
    result.set("cross_entropy", std::move(cross_entropy_));
    result.set("entropy", std::move(entropy_));
    result.set("kl_final_lens", std::move(kl_final_lens_));
    result.set("kl_lens_final", std::move(kl_lens_final_));
    result.set("rank_true", std::move(rank_true_));
    result.set("rank_final", std::move(rank_final_));
    result.set("first_correct_layer", std::move(first_correct_));
    result.set("prediction_depth", std::move(depth_));
    Array shares({"layer"}, {layers_}, std::move(agreement));
    shares.title = "share of positions whose top token is the final one";
    shares.unit = "share";
    result.set("agreement", std::move(shares));
    Array ticks({"layer"}, {layers_}, std::move(layers));
    ticks.unit = blocks_applied;
    result.set_coord("layer", std::move(ticks));
    const double kl_slack = study_.compute() == Compute::f64 ? 1e-10 : 1e-5;  // rounding of two log-sum-exps
    result.checks.push_back(
        {"last layer = model output", worst_path_, 0, path_checked_, worst_path_ <= 0,
         "log-sum-exp of the last layer, read as the other layers are, against the model's own output path, "
         "nats; n positions of all"});
    result.checks.push_back({"KL is not negative", std::max(0.0, -lowest_kl_), kl_slack,
                             2 * layers_ * positions_, -lowest_kl_ <= kl_slack,
                             "worst negative divergence, nats"});
    if (std::isnan(worst_path_))
      result.notes.push_back("Some logits are not finite; those places are left empty.");
    return result;
  }

  const Study& study_;
  Params params_;
  int64_t layers_ = 0, prompts_ = 0, longest_ = 0, kept_ = 0, positions_ = 0;
  std::vector<std::vector<std::vector<T>>> residuals_;  // [prompt][layer][pos * d_model]
  Array top_id_, top_text_, top_prob_, prob_true_, cross_entropy_, entropy_, kl_final_lens_, kl_lens_final_;
  Array rank_true_, rank_final_, first_correct_, depth_;
  std::vector<int64_t> agree_;
  int64_t path_checked_ = 0;
  double worst_path_ = 0, lowest_kl_ = 0;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  const Params params = read_settings<Params>(values, "logit-lens");
  if (study.compute() == Compute::f64) return std::make_unique<LensCell<double>>(study, params);
  return std::make_unique<LensCell<float>>(study, params);
}

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute compute) {
  const int64_t top_k = std::min(read_settings<Params>(values, "logit-lens").top_k, output_vocab(spec));
  const LensCost lens = lens_cost(spec, probes.longest(), top_k, compute);
  const int64_t layers = spec.layers + 1;
  CellCost cell;
  cell.flops = lens.flops_per_token * static_cast<double>(probes.tokens());
  cell.kept_per_token = layers * spec.d_model * (compute == Compute::f64 ? 8 : 4);
  cell.scratch = lens.scratch;
  constexpr int64_t numbers = 7, text = sizeof(std::string);
  cell.reduced_per_place = layers * numbers * 4 + 8;
  cell.result_per_place = cell.reduced_per_place + layers * top_k * (8 + 4 + text) + 8 + text;
  return cell;
}

Dataset over_the_series(const Dataset& joined, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "logit-lens");
  return lens_over_the_series(joined, params.bootstrap, static_cast<uint64_t>(params.seed), task);
}

}  // namespace

void add_logit_lens(AnalysisCatalog& catalog) {
  Analysis lens;
  lens.name = "logit-lens";
  lens.summary = "what each layer predicts at each token, and how that forms over training";
  lens.help =
      "Reads every layer's residual stream through the model's own final norm and unembedding. Layer 0 is "
      "the embedding, the "
      "last layer is the model's output, exactly. Entropy, KL and cross-entropy are in nats; ranks begin at "
      "1. "
      "Example: varve run logit-lens demo.varve --text \"The cat sat on the mat\"";
  lens.version = 2;
  lens.settings = declared_settings<Params>();
  lens.begin = begin;
  lens.reduce = over_the_series;
  lens.reduce_reads = {"cross_entropy", "prob_true",        "entropy",
                       "kl_final_lens", "kl_lens_final",    "rank_true",
                       "rank_final",    "prediction_depth", "first_correct_layer"};
  lens.cost = cost;
  catalog.add(std::move(lens));
}

}  // namespace varve
