// Direct logit attribution: how much each part of the stream adds to a logit difference by the unembedding
// alone (Elhage et al. 2021, "direct path"; TransformerLens logit_attrs).
//
//   logit[a] - logit[b] = sum over components c of ((c - mean c) / s * gain) . (U[a] - U[b]) + bias
// with s the final norm's own scale at that place; no centring for RMS norm. Components: embedding,
// positions, every attention and MLP output with its bias; heads: z W_O of one head, without the bias they
// share. With one token the same holds for its logit alone.
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/kernels.h"

namespace varve {
namespace {

struct Params {
  std::string answers;

  template <class Visit>
  void each(Visit&& visit) {
    visit("answers", answers,
          "token ids 'A,B' for logit[A] - logit[B], or 'A'; empty: the task's answers, or else the prompt's "
          "last token");
  }
};

// What one prompt's direction is made of.
struct Direction {
  std::vector<std::pair<int64_t, double>> tokens;
  std::vector<double> read;  // gain * (U[a] - U[b])
  double total = 0, bias = 0;
};

class AttributionCell : public Cell {
 public:
  AttributionCell(const Study& study, const Params& params) : study_(study), spec_(study.spec()) {
    if (!spec_.residual || spec_.norm_after_sum)
      fail("direct logit attribution needs a residual stream that is a plain sum, and this model's is not");
    norm_ = norm_weights<double>(study.weights(), "ln_final");
    add_component("embed");
    if (spec_.positions == Positions::learned) add_component("pos_embed");
    for (int64_t layer = 0; layer < spec_.layers; ++layer) {
      if (spec_.attention) add_component(fmt::format("blocks.{}.attn_out", layer));
      if (spec_.mlp) add_component(fmt::format("blocks.{}.mlp_out", layer));
    }
    last_ = fmt::format("blocks.{}.resid_post", spec_.layers - 1);
    const auto prompts = static_cast<int64_t>(study.probes().prompts.size());
    for (int64_t prompt = 0; prompt < prompts; ++prompt) directions_.push_back(direction(params, prompt));
    longest_ = study.probes().longest();
    heads_ = spec_.attention && !spec_.post_norm ? spec_.heads : 0;
    const auto count = static_cast<int64_t>(components_.size());
    parts_ = blank({"component", "prompt", "pos"}, {count, prompts, longest_}, "direct effect", "logits");
    part_norms_ = blank({"component", "prompt", "pos"}, {count, prompts, longest_}, "L2 norm", "");
    head_parts_ = blank({"layer", "head", "prompt", "pos"}, {spec_.layers, heads_, prompts, longest_},
                        "direct effect of each head", "logits");
    head_norms_ = blank({"layer", "head", "prompt", "pos"}, {spec_.layers, heads_, prompts, longest_},
                        "L2 norm of each head's output", "");
    logit_ = blank({"prompt", "pos"}, {prompts, longest_}, "logit difference of the model", "logits");
  }

  bool wants(const std::string& site) const override {
    if (site == last_ || site == "logits") return true;
    if (heads_ > 0 && site.ends_with(".attn.result")) return true;
    return std::find(components_.begin(), components_.end(), site) != components_.end();
  }

  void see(const Site& site) override {
    if (site.name == "logits") return take_logits(site);
    if (site.name == last_) take_scale(site);
    const int64_t width = spec_.d_model;
    if (site.name.ends_with(".attn.result")) {
      for (int64_t pos = 0; pos < site.shape[0]; ++pos)
        for (int64_t head = 0; head < heads_; ++head)
          take(site, (pos * heads_ + head) * width, site.prompt,
               ((site.layer * heads_ + head) * prompts() + site.prompt) * longest_ + pos, head_parts_,
               head_norms_);
      return;
    }
    const auto found = std::find(components_.begin(), components_.end(), site.name);
    if (found == components_.end()) return;
    for (int64_t pos = 0; pos < site.shape[0]; ++pos)
      take(site, pos * width, site.prompt,
           ((found - components_.begin()) * prompts() + site.prompt) * longest_ + pos, parts_, part_norms_);
  }

  Dataset finish(Task&) override {
    Dataset result;
    result.title = "Direct logit attribution";
    std::vector<double> bias;
    for (const Direction& one : directions_) bias.push_back(one.bias * spec_.logit_scale);
    scale(parts_);
    scale(head_parts_);
    double worst = 0, largest = 0;
    int64_t places = 0;
    for (int64_t prompt = 0; prompt < prompts(); ++prompt)
      for (int64_t pos = 0; pos < length(prompt); ++pos) {
        double sum = bias[static_cast<size_t>(prompt)];
        for (size_t c = 0; c < components_.size(); ++c)
          sum += parts_.number((static_cast<int64_t>(c) * prompts() + prompt) * longest_ + pos);
        const double logit = logit_.number(prompt * longest_ + pos);
        worst = std::max(worst, std::abs(sum - logit));
        largest = std::max(largest, std::abs(logit));
        ++places;
      }
    // Components cancel: what rounds is as large as they are, not as their sum.
    for (int64_t i = 0; i < parts_.size(); ++i)
      if (!std::isnan(parts_.number(i))) largest = std::max(largest, std::abs(parts_.number(i)));
    const double limit = (study_.compute() == Compute::f64 ? 1e-9 : 1e-4) * std::max(1.0, largest);
    result.checks.push_back({"components + bias = logit difference", worst, limit, places, worst <= limit,
                             "worst place, logits"});
    const auto count = static_cast<int64_t>(components_.size());
    result.set_coord("component", Array({"component"}, {count}, components_));
    result.set("components", std::move(parts_));
    result.set("components_norm", std::move(part_norms_));
    if (heads_ > 0) {
      result.set("heads", std::move(head_parts_));
      result.set("heads_norm", std::move(head_norms_));
    } else {
      result.notes.push_back("Heads are left out: a norm stands between them and the stream.");
    }
    result.set("logit_diff", std::move(logit_));
    Array biases({"prompt"}, {prompts()}, bias);
    biases.title = "final norm's and unembedding's bias";
    biases.unit = "logits";
    result.set("bias", std::move(biases));
    result.notes.push_back(
        "Weights are raw: the embedding is not centred. Terms use the final norm's scale at each place.");
    if (spec_.logit_softcap > 0) result.notes.push_back("Logits are those before the soft cap.");
    return result;
  }

 private:
  int64_t prompts() const { return static_cast<int64_t>(study_.probes().prompts.size()); }
  int64_t length(int64_t prompt) const {
    return static_cast<int64_t>(study_.probes().prompts[static_cast<size_t>(prompt)].size());
  }
  void add_component(const std::string& site) { components_.push_back(site); }

  static Array blank(std::vector<std::string> axes, std::vector<int64_t> shape, const char* title,
                     const char* unit) {
    Array array = Array::empty(Dtype::f64, std::move(axes), std::move(shape));
    array.title = title;
    array.unit = unit;
    return array;
  }

  Direction direction(const Params& params, int64_t prompt) const {
    Direction one;
    const auto at = static_cast<size_t>(prompt);
    const Probes& probes = study_.probes();
    const auto add = [&](const std::vector<int64_t>& tokens, double sign) {
      for (const int64_t id : tokens) one.tokens.emplace_back(id, sign / static_cast<double>(tokens.size()));
    };
    if (!params.answers.empty()) {
      double sign = 1;
      for (const std::string& word : split(params.answers, ',')) {
        char* end = nullptr;
        const int64_t id = std::strtoll(word.c_str(), &end, 10);
        if (word.empty() || *end != '\0' || id < 0 || id >= output_vocab(spec_) || one.tokens.size() == 2)
          fail_usage("answers '{}': give one or two token ids below {}, as in 17,42", params.answers,
                     output_vocab(spec_));
        one.tokens.emplace_back(id, sign);
        sign = -1;
      }
    } else if (!probes.questions.empty() && !probes.questions[at].correct.empty()) {
      add(probes.questions[at].correct, 1);
      add(probes.questions[at].incorrect, -1);
    } else {
      add({probes.prompts[at].back()}, 1);
    }
    const Weights& weights = study_.weights();
    const bool own = weights.has("unembed.W_U") || !spec_.tied;
    const Matrix u = weights.matrix(own ? "unembed.W_U" : "embed.W_E");
    const std::vector<double> b_u = vector_if_any<double>(weights, "unembed.b_U");
    std::vector<double> row(static_cast<size_t>(spec_.d_model));
    one.read.assign(row.size(), 0.0);
    for (const auto& [id, weight] : one.tokens) {
      widen_rows(u, id, 1, row.data());
      for (size_t i = 0; i < row.size(); ++i) {
        one.read[i] += weight * row[i] * (norm_.gain.empty() ? 1 : norm_.gain[i]);
        if (!norm_.bias.empty()) one.bias += weight * row[i] * norm_.bias[i];
      }
      if (!b_u.empty()) one.bias += weight * b_u[static_cast<size_t>(id)];
    }
    for (const double value : one.read) one.total += value;
    return one;
  }

  // Before the scale is known, which comes with the last stream.
  void take(const Site& site, int64_t first, int64_t prompt, int64_t flat, Array& parts, Array& norms) {
    const Direction& one = directions_[static_cast<size_t>(prompt)];
    const int64_t width = spec_.d_model;
    double dot = 0, sum = 0, square = 0;
    for (int64_t i = 0; i < width; ++i) {
      const double value = site.at(first + i);
      dot += value * one.read[static_cast<size_t>(i)];
      sum += value;
      square += value * value;
    }
    const double mean = norm_.kind == Norm::layer ? sum / static_cast<double>(width) : 0;
    parts.as<double>()[static_cast<size_t>(flat)] = dot - mean * one.total;
    norms.as<double>()[static_cast<size_t>(flat)] = std::sqrt(square);
  }

  void take_scale(const Site& site) {
    const int64_t width = spec_.d_model;
    for (int64_t pos = 0; pos < site.shape[0]; ++pos) {
      double mean = 0, square = 0;
      for (int64_t i = 0; i < width; ++i) mean += site.at(pos * width + i);
      mean = norm_.kind == Norm::layer ? mean / static_cast<double>(width) : 0;
      for (int64_t i = 0; i < width; ++i) square += std::pow(site.at(pos * width + i) - mean, 2);
      const double s =
          norm_.kind == Norm::none ? 1 : std::sqrt(square / static_cast<double>(width) + norm_.eps);
      scales_[{site.prompt, pos}] = s;
    }
  }

  void take_logits(const Site& site) {
    const int64_t vocab = site.shape[1];
    for (int64_t pos = 0; pos < site.shape[0]; ++pos) {
      double sum = 0;
      for (const auto& [id, weight] : directions_[static_cast<size_t>(site.prompt)].tokens) {
        double logit = site.at(pos * vocab + id);
        if (spec_.logit_softcap > 0) logit = spec_.logit_softcap * std::atanh(logit / spec_.logit_softcap);
        sum += weight * logit;
      }
      logit_.as<double>()[static_cast<size_t>(site.prompt * longest_ + pos)] = sum;
    }
  }

  void scale(Array& parts) const {
    const int64_t per = prompts() * longest_;
    for (int64_t i = 0; i < parts.size(); ++i) {
      const auto found = scales_.find({i % per / longest_, i % longest_});
      if (found != scales_.end())
        parts.as<double>()[static_cast<size_t>(i)] *= spec_.logit_scale / found->second;
    }
  }

  const Study& study_;
  const ModelSpec& spec_;
  NormWeights<double> norm_;
  std::vector<std::string> components_;
  std::string last_;
  std::vector<Direction> directions_;
  std::map<std::pair<int64_t, int64_t>, double> scales_;  // by prompt and position
  int64_t longest_ = 0, heads_ = 0;
  Array parts_, part_norms_, head_parts_, head_norms_, logit_;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<AttributionCell>(study, read_settings<Params>(values, "direct-logit-attribution"));
}

}  // namespace

void add_direct_logit_attribution(AnalysisCatalog& catalog) {
  Analysis attribution;
  attribution.name = "direct-logit-attribution";
  attribution.summary = "what each layer and head adds to an answer's logit directly";
  attribution.help =
      "Takes the stream apart into embedding, attention and MLP outputs and single heads, and reads each "
      "through the final norm (with its own scale) and the unembedding of the answer. Unit: logits. The "
      "terms "
      "and the bias add up to the model's logit difference, which is checked. "
      "Example: varve run direct-logit-attribution demo.varve --task ioi.toml";
  attribution.settings = declared_settings<Params>();
  attribution.begin = begin;
  catalog.add(std::move(attribution));
}

}  // namespace varve
