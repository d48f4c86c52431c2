// Laws of the backward pass: finite differences for every kind of block, interventions, sums.
#include "analysis/model/backward.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "tests/support/site_values.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

std::vector<int64_t> ids(int64_t length, int64_t seed) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < length; ++i) all.push_back((seed * 31 + i * i * 7 + i) % 50);
  return all;
}

ModelSpec base() {
  ModelSpec spec = tiny_spec();
  spec.d_model = 12;
  spec.heads = 3;
  spec.kv_heads = 3;
  spec.d_head = 4;
  spec.d_mlp = 10;
  spec.context = 16;
  spec.rope.dims = 4;
  return spec;
}

struct Kind {
  std::string name;
  std::function<void(ModelSpec&)> make;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

void mixture(ModelSpec& spec) {
  spec.gated_mlp = true;
  spec.norm = Norm::rms;
  spec.activation = Activation::silu;
  spec.experts = 4;
  spec.experts_per_token = 2;
  spec.d_expert = 6;
  spec.sparse_layers = {0, 1};
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"gpt2",
       [](ModelSpec& s) {
         s.positions = Positions::learned;
         s.tied = true;
         s.activation = Activation::gelu_tanh;
       }},
      {"neox",
       [](ModelSpec& s) {
         s.parallel = true;
         s.rope.dims = 2;
       }},
      {"shared_norm",
       [](ModelSpec& s) {
         s.parallel = true;
         s.shared_parallel_norm = true;
         s.rope.interleaved = true;
       }},
      {"llama",
       [](ModelSpec& s) {
         s.norm = Norm::rms;
         s.gated_mlp = true;
         s.activation = Activation::silu;
         s.heads = 6;
         s.kv_heads = 2;
       }},
      {"gemma2",
       [](ModelSpec& s) {
         s.norm = Norm::rms;
         s.norm_offset = 1;
         s.post_norm = true;
         s.gated_mlp = true;
         s.activation = Activation::gelu_tanh;
         s.attention_softcap = 3;
         s.logit_softcap = 5;
         s.embed_scale = 2;
         s.window = {0, 3};
         s.tied = true;
       }},
      {"qwen3",
       [](ModelSpec& s) {
         s.norm = Norm::rms;
         s.qk_norm_per_head = true;
         s.heads = 4;
         s.kv_heads = 2;
       }},
      {"olmoe",
       [](ModelSpec& s) {
         mixture(s);
         s.qk_norm_full = true;
       }},
      {"mixtral",
       [](ModelSpec& s) {
         mixture(s);
         s.renormalise = true;
       }},
      {"qwen2_moe",
       [](ModelSpec& s) {
         mixture(s);
         s.d_shared = 5;
         s.shared_gate = true;
         s.sparse_layers = {1};
       }},
      {"olmo",
       [](ModelSpec& s) {
         s.norm_has_gain = false;
         s.norm_has_bias = false;
         s.clip_qkv = 1.5;
       }},
      {"norm_after",
       [](ModelSpec& s) {
         s.pre_norm = false;
         s.norm_after_sum = true;
         s.activation = Activation::tanh;
       }},
      {"post_only",
       [](ModelSpec& s) {
         s.pre_norm = false;
         s.post_norm = true;
         s.norm = Norm::rms;
       }},
      {"bidirectional",
       [](ModelSpec& s) {
         s.causal = false;
         s.activation = Activation::quick_gelu;
       }},
      {"squares",
       [](ModelSpec& s) {
         s.activation = Activation::square;
         s.logit_scale = 0.5;
         s.scale_by_layer = true;
       }},
      {"sigmoid",
       [](ModelSpec& s) {
         s.activation = Activation::sigmoid;
         s.final_norm = false;
       }},
  };
  return all;
}

// Adds what norms in unusual places and q, k norms need, which tiny_tensors leaves out.
TinyTensors tensors_of(const ModelSpec& spec) {
  TinyTensors all = tiny_tensors(spec, 7);
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    if (spec.norm_after_sum)
      for (const char* norm : {"ln1", "ln2"}) {
        all.add(block + norm + ".w", {spec.d_model}, 0.3, 1);
        all.add(block + norm + ".b", {spec.d_model}, 0.1);
      }
    if (!spec.qk_norm_full && !spec.qk_norm_per_head) continue;
    const int64_t q = spec.qk_norm_full ? spec.heads * spec.d_head : spec.d_head;
    const int64_t k = spec.qk_norm_full ? spec.kv_heads * spec.d_head : spec.d_head;
    all.add(block + "attn.q_norm.w", {q}, 0.3, 1);
    all.add(block + "attn.k_norm.w", {k}, 0.3, 1);
  }
  return all;
}

// Gradients of parameters, or of sites, as doubles.
struct Grown : ParameterReader {
  std::map<std::string, std::vector<double>> of;
  bool wants(const std::string&) const override { return true; }
  void see(const std::string& name, const std::vector<int64_t>&, std::span<const float> f32,
           std::span<const double> f64) override {
    EXPECT_EQ(of.count(name), 0u) << name << " was given twice";
    of[name].assign(f64.begin(), f64.end());
    if (!f32.empty()) of[name].assign(f32.begin(), f32.end());
  }
};

SiteValues site_gradients(const Weights& weights, const Probes& probes, const Metric& metric,
                          const std::vector<std::string>& sites, const Interventions& changes = {}) {
  std::vector<std::string> names;
  for (const std::string& site : sites) names.push_back("grad." + site);
  SiteValues seen(names);
  SiteReader* const readers[] = {&seen};
  Task task;
  backward(weights, probes, Compute::f64, metric, readers, task, changes);
  return seen;
}

double total(const Weights& weights, const Probes& probes, const Metric& metric,
             const Interventions& changes = {}) {
  Task task;
  double sum = 0;
  for (const double value : metric_values(weights, probes, Compute::f64, metric, task, changes)) sum += value;
  return sum;
}

// Fourth-order differences in f64: what is left is rounding of the metric over the step.
constexpr double step = 1e-3;
constexpr double relative = 1e-6;
double slope(const std::function<double(double)>& f) {
  return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

class BackwardOf : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    spec_ = base();
    GetParam().make(spec_);
    tensors_ = tensors_of(spec_);
    probes_.prompts = {ids(7, 1), ids(4, 2)};
    metric_ = metric_from("nll", probes_, spec_.vocab);
  }
  ModelSpec spec_;
  TinyTensors tensors_;
  Probes probes_;
  std::unique_ptr<Metric> metric_;
};

TEST_P(BackwardOf, EverySiteEqualsAFiniteDifference) {
  const Weights weights = tensors_.weights(spec_);
  std::vector<std::string> sites;
  for (const SiteInfo& site : sites_of(spec_))
    if (!site.name.ends_with("topk_indices") && site.name != "logits" && !site.name.starts_with("ln_final"))
      sites.push_back(site.name);
  const SiteValues gradients = site_gradients(weights, probes_, *metric_, sites);
  for (const std::string& site : sites) {
    // One direction that touches every value of both prompts.
    double expected = 0;
    std::vector<std::vector<double>> direction;
    TinyTensors random;
    for (int64_t prompt = 0; prompt < 2; ++prompt) {
      const std::vector<double>& gradient = gradients("grad." + site, prompt);
      const bool scores = site.ends_with(".scores");
      std::vector<double> along;
      for (const double value : gradient) {
        along.push_back(0.1 * random.uniform());
        ASSERT_TRUE(std::isfinite(value)) << site;
        expected += value * along.back();
      }
      (void)scores;
      direction.push_back(along);
    }
    const double found = slope([&](double h) {
      Interventions changes;
      for (int64_t prompt = 0; prompt < 2; ++prompt) {
        Intervention change{.site = site, .change = Change::add, .where = {{"prompt", prompt}}};
        change.values = direction[static_cast<size_t>(prompt)];
        for (double& value : change.values) value *= h;
        changes.push_back(change);
      }
      return total(weights, probes_, *metric_, changes);
    });
    EXPECT_NEAR(found, expected, relative * std::max(0.01, std::abs(expected))) << site;
  }
}

TEST_P(BackwardOf, EveryParameterEqualsAFiniteDifference) {
  // Weights in f64: an f32 tensor cannot take a step of 1e-3 without rounding it.
  auto values = std::make_shared<std::map<std::string, std::vector<double>>>();
  TensorRecipe recipe;
  for (const auto& [name, tensor] : tensors_.tensors) {
    (*values)[name].assign(tensor.second.begin(), tensor.second.end());
    recipe[name] = {name, {}, -1, 0, 0, {}, tensor.first};
  }
  const auto shapes = tensors_.tensors;
  const Weights weights(spec_, recipe, [values, shapes](const std::string& name) {
    return RawTensor{RawType::f64, shapes.at(name).first, std::as_bytes(std::span(values->at(name)))};
  });
  Grown grown;
  Task task;
  backward(weights, probes_, Compute::f64, *metric_, {}, task, {}, &grown);
  for (const auto& [name, tensor] : shapes) {
    ASSERT_EQ(grown.of.count(name), spec_.final_norm || !name.starts_with("ln_final") ? 1u : 0u) << name;
    if (grown.of.count(name) == 0) continue;
    ASSERT_EQ(grown.of[name].size(), tensor.second.size()) << name;
    TinyTensors random;
    random.state = 3;
    std::vector<double> along;
    double expected = 0;
    for (const double value : grown.of[name]) {
      along.push_back(0.1 * random.uniform());
      expected += value * along.back();
    }
    const std::vector<double> before = values->at(name);
    const double found = slope([&](double h) {
      for (size_t i = 0; i < before.size(); ++i) values->at(name)[i] = before[i] + h * along[i];
      return total(weights, probes_, *metric_);
    });
    values->at(name) = before;
    EXPECT_NEAR(found, expected, relative * std::max(0.01, std::abs(expected))) << name;
  }
}

// Ways into a head's queries, keys, values and the MLP are all there is beside the stream itself.
TEST_P(BackwardOf, InputsOfHeadsAndMlpAddUpToTheStream) {
  if (spec_.norm_after_sum || !spec_.residual) return;
  const Weights weights = tensors_.weights(spec_);
  const SiteValues g = site_gradients(weights, probes_, *metric_,
                                      {"blocks.1.resid_pre", "blocks.1.resid_mid", "blocks.1.q_input",
                                       "blocks.1.k_input", "blocks.1.v_input", "blocks.1.mlp_in"});
  const auto d = static_cast<size_t>(spec_.d_model), heads = static_cast<size_t>(spec_.heads);
  const bool late = spec_.parallel && spec_.pre_norm;
  for (int64_t prompt = 0; prompt < 2; ++prompt)
    for (size_t i = 0; i < g("grad.blocks.1.resid_pre", prompt).size(); ++i) {
      double sum = g("grad.blocks.1.resid_mid", prompt)[i];
      if (late) sum += g("grad.blocks.1.mlp_in", prompt)[i];
      for (const char* input : {"q_input", "k_input", "v_input"})
        for (size_t head = 0; head < heads; ++head)
          sum += g(std::string("grad.blocks.1.") + input, prompt)[(i / d * heads + head) * d + i % d];
      ASSERT_NEAR(sum, g("grad.blocks.1.resid_pre", prompt)[i], 1e-10);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, BackwardOf, testing::ValuesIn(kinds()),
                         [](const auto& one) { return one.param.name; });

TEST(Backward, NothingFlowsThroughWhatWasSet) {
  const ModelSpec spec = base();
  const Weights weights = tiny_tensors(spec).weights(spec);
  Probes probes;
  probes.prompts = {ids(6, 1)};
  const auto metric = metric_from("logit:3@-1", probes, spec.vocab);
  const Interventions zeroed = {{.site = "blocks.1.attn.result", .where = {{"head", 0}}},
                                {.site = "blocks.1.mlp_out"}};
  const SiteValues g =
      site_gradients(weights, probes, *metric, {"blocks.1.attn.z", "blocks.1.mlp.post", "embed"}, zeroed);
  for (size_t row = 0; row < 6; ++row)
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(g("grad.blocks.1.attn.z")[row * 12 + i], 0);
  for (const double value : g("grad.blocks.1.mlp.post")) EXPECT_EQ(value, 0);
  // The rest still equals a finite difference, with the change in place.
  double expected = 0;
  for (size_t i = 0; i < g("grad.embed").size(); ++i) expected += g("grad.embed")[i] * std::sin(double(i));
  const double found = slope([&](double h) {
    Interventions changes = zeroed;
    Intervention moved{.site = "embed", .change = Change::add};
    for (size_t i = 0; i < g("grad.embed").size(); ++i) moved.values.push_back(h * std::sin(double(i)));
    changes.push_back(moved);
    return total(weights, probes, *metric, changes);
  });
  EXPECT_NEAR(found, expected, relative * std::abs(expected));
}

TEST(Backward, EveryMetricEqualsItsFiniteDifference) {
  const ModelSpec spec = base();
  const Weights weights = tiny_tensors(spec).weights(spec);
  Probes probes;
  probes.prompts = {ids(6, 1), ids(3, 2)};
  probes.questions = {{{}, {4, 9}, {7}, -1}, {{}, {5}, {8, 2, 1}, 1}};
  std::vector<std::unique_ptr<Metric>> metrics;
  for (Answered what : {Answered::logit_difference, Answered::probability_difference, Answered::loss})
    metrics.push_back(question_metric(what, probes));
  std::vector<std::vector<double>> reference(2, std::vector<double>(50));
  for (size_t i = 0; i < 50; ++i) reference[0][i] = reference[1][i] = std::sin(double(i));
  metrics.push_back(divergence_metric(reference, {5, 1}));
  metrics.push_back(metric_from("logit_diff:3,8@-2", probes, spec.vocab));
  for (const auto& metric : metrics) {
    const SiteValues g = site_gradients(weights, probes, *metric, {"embed"});
    double expected = 0;
    for (int64_t prompt = 0; prompt < 2; ++prompt)
      for (size_t i = 0; i < g("grad.embed", prompt).size(); ++i)
        expected += g("grad.embed", prompt)[i] * std::cos(double(i));
    const double found = slope([&](double h) {
      Interventions changes;
      for (int64_t prompt = 0; prompt < 2; ++prompt) {
        Intervention moved{.site = "embed", .change = Change::add, .where = {{"prompt", prompt}}};
        for (size_t i = 0; i < g("grad.embed", prompt).size(); ++i)
          moved.values.push_back(h * std::cos(double(i)));
        changes.push_back(moved);
      }
      return total(weights, probes, *metric, changes);
    });
    EXPECT_NEAR(found, expected, relative * std::max(0.01, std::abs(expected)));
  }
}

}  // namespace
}  // namespace varve
