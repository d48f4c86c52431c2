// Edge attribution against the EAP-IG authors' library, edge counts, and a model where it is exact.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/circuits/circuit_run.h"
#include "analysis/circuits/edge_scores.h"
#include "analysis/circuits/streams.h"
#include "tests/support/golden_run.h"
#include "tests/support/reference_file.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

constexpr double parity = 2e-4;        // f32 scores beside the largest
constexpr double least_rank = 0.9999;  // rank correlation

std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t one, size_t other) { return values[one] < values[other]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size(); ++i) ranks[order[i]] = static_cast<double>(i);
  return ranks;
}

double rank_correlation(const std::vector<double>& one, const std::vector<double>& other) {
  const std::vector<double> a = ranks_of(one), b = ranks_of(other);
  const double mean = static_cast<double>(a.size() - 1) / 2;
  double product = 0, square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += (a[i] - mean) * (b[i] - mean);
    square += (a[i] - mean) * (a[i] - mean);
  }
  return product / square;
}

class EdgeAttribution : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
    if (!std::filesystem::exists(folder_ / "analysis_eap.safetensors"))
      GTEST_SKIP() << "no reference edge scores at " << folder_.filename();
    reference_ = std::make_unique<ReferenceArrays>(folder_ / "analysis_eap.safetensors");
    task_ = pairs_of(reference_->rows("eap.clean_ids"), reference_->rows("eap.corrupted_ids"),
                     reference_->rows("eap.answer_ids"));
  }

  void compare(const Dataset& edges, const std::string& name) {
    for (const Check& check : edges.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
    const ReferenceArray expected = (*reference_)("eap.scores." + name);
    const ReferenceArray real = (*reference_)("eap.real_edge");
    const std::vector<double> found = doubles_of(edges["scores"]);
    ASSERT_EQ(found.size(), expected.values.size());
    std::vector<double> ours, theirs;
    double worst = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      if (real.values[i] == 0) continue;
      ours.push_back(found[i]);
      theirs.push_back(expected.values[i]);
      worst = std::max(worst, std::abs(found[i] - expected.values[i]));
    }
    EXPECT_LE(worst, parity * expected.largest()) << name;
    EXPECT_GT(rank_correlation(ours, theirs), least_rank) << name;
    EXPECT_EQ(doubles_of(edges["real_edge"]), real.values);
  }

  std::filesystem::path folder_;
  std::unique_ptr<ReferenceArrays> reference_;
  Probes task_;
};

TEST_P(EdgeAttribution, EveryMethodEqualsTheReference) {
  GoldenRun run(folder_);
  const auto scores = [&](const std::string& method, const std::string& steps) {
    return run.cell("edge-attribution", task_,
                    {{"method", method}, {"steps", steps}, {"input_group", "as-library"}});
  };
  compare(scores("eap", "5"), "eap");
  compare(scores("eap-ig-inputs", "5"), "eap_ig_inputs_5");
  compare(scores("eap-ig-inputs", "10"), "eap_ig_inputs_10");
  compare(scores("clean-corrupted", "5"), "clean_corrupted");
  compare(scores("eap-ig-activations", "5"), "eap_ig_activations_5");
}

TEST_P(EdgeAttribution, MetricsOfBothRunsEqualTheReference) {
  GoldenRun run(folder_);
  const Dataset edges = run.cell("edge-attribution", task_, {{"method", "eap"}});
  ASSERT_EQ(edges.checks.size(), 1u);
  EXPECT_TRUE(edges.checks[0].passed) << edges.checks[0].residual;
  for (const char* name : {"clean_metric", "corrupted_metric"})
    EXPECT_LE(relative_error(doubles_of(edges[name]), (*reference_)(std::string("eap.") + name)), parity);
}

TEST_P(EdgeAttribution, ExactScoresEqualTheReference) {
  if (GetParam() != "gpt2") GTEST_SKIP() << "the reference has exact scores of gpt2 only";
  GoldenRun run(folder_);
  compare(run.cell("edge-attribution", task_, {{"method", "exact"}}), "exact");
}

INSTANTIATE_TEST_SUITE_P(Models, EdgeAttribution, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& one) { return one.param; });

TEST(CircuitGraph, CountsTheEdgesThatPublishedModelsHave) {
  const auto edges = [](int64_t layers, int64_t heads, bool parallel) {
    return CircuitGraph{layers, heads, parallel}.edges();
  };
  EXPECT_EQ(edges(12, 12, false), 32491);  // GPT-2 small
  EXPECT_EQ(edges(12, 12, true), 32347);   // Pythia-160m
  EXPECT_EQ(edges(6, 8, true), 3580);      // Pythia-70m
  EXPECT_EQ(edges(6, 4, true), 1084);      // Pythia-14m
  EXPECT_EQ(edges(24, 16, true), 231493);  // Pythia-410m
}

TEST(CircuitGraph, NamesItsParts) {
  const CircuitGraph graph{2, 3, false};
  EXPECT_EQ(graph.source_name(0), "input");
  EXPECT_EQ(graph.source_name(graph.head(1, 2)), "a1.h2");
  EXPECT_EQ(graph.source_name(graph.mlp(0)), "m0");
  EXPECT_EQ(graph.destination_name(graph.head_input(1, 2, 0)), "a1.h0<v>");
  EXPECT_EQ(graph.destination_name(graph.mlp_input(1)), "m1");
  EXPECT_EQ(graph.destination_name(graph.logits()), "logits");
  EXPECT_TRUE(graph.has_edge(graph.head(0, 1), graph.mlp_input(0)));
  EXPECT_FALSE((CircuitGraph{2, 3, true}.has_edge(graph.head(0, 1), graph.mlp_input(0))));
}

std::vector<int64_t> ids(int64_t length, int64_t seed) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < length; ++i) all.push_back((seed * 31 + i * i * 7 + i) % 50);
  return all;
}

Probes two_pairs() { return pairs_of({ids(6, 1), ids(4, 2)}, {ids(6, 3), ids(4, 5)}, {{3, 7}, {11, 20}}); }

std::vector<ModelSpec> circuit_specs() {
  std::vector<ModelSpec> specs;
  ModelSpec spec = tiny_spec();
  spec.positions = Positions::learned;
  specs.push_back(spec);
  spec = tiny_spec();
  spec.parallel = true;
  specs.push_back(spec);
  spec.shared_parallel_norm = true;
  specs.push_back(spec);
  spec = tiny_spec();
  spec.heads = 6;
  spec.kv_heads = 2;
  spec.norm = Norm::rms;
  spec.gated_mlp = true;
  spec.clip_qkv = 2;
  specs.push_back(spec);
  spec = tiny_spec();
  spec.experts = 4;
  spec.experts_per_token = 2;
  spec.d_expert = 6;
  spec.sparse_layers = {1};
  spec.gated_mlp = true;
  specs.push_back(spec);
  return specs;
}

TEST(CircuitRun, TheWholeGraphIsTheCleanRunAndNoneOfItTheCorruptedOne) {
  constexpr double rounding = 1e-10;
  for (const ModelSpec& spec : circuit_specs()) {
    const Weights weights = tiny_tensors(spec).weights(spec);
    const CircuitGraph graph = graph_of(spec);
    const Probes clean = two_pairs(), corrupted = corrupted_of(clean);
    Task task;
    const auto others = source_values<double>(graph, weights, corrupted, Compute::f64, task);
    const CircuitRunner<double> runner(graph, weights, clean, Compute::f64, others);
    EdgeSet all(graph), none(graph);
    all.fill();
    EXPECT_EQ(all.count(), graph.edges());
    const Streams clean_run = streams_of(weights, clean, Compute::f64, task);
    const Streams corrupted_run = streams_of(weights, corrupted, Compute::f64, task);
    size_t at = 0;
    for (int64_t prompt = 0; prompt < 2; ++prompt) {
      const std::vector<double> full = runner.run(all, prompt), empty = runner.run(none, prompt);
      for (size_t i = 0; i < full.size(); ++i, ++at) {
        ASSERT_NEAR(full[i], clean_run.at.back()[at], rounding);
        ASSERT_NEAR(empty[i], corrupted_run.at.back()[at], rounding);
      }
    }
  }
}

// The stream is the sum of all sources and the biases of the heads' outputs. With every edge ablated nothing
// but those biases is left, or the mean of the clean run's stream over all prompts and positions.
TEST(CircuitRun, ZeroAndMeanAblationLeaveBiasesAndTheMeanStream) {
  constexpr double rounding = 1e-10;
  const ModelSpec spec = tiny_spec();
  const TinyTensors tensors = tiny_tensors(spec);
  const Weights weights = tensors.weights(spec);
  const CircuitGraph graph = graph_of(spec);
  const Probes clean = two_pairs(), corrupted = corrupted_of(clean);
  Task task;
  std::vector<double> biases(static_cast<size_t>(spec.d_model)), mean(biases.size());
  for (const char* name : {"blocks.0.attn.b_O", "blocks.1.attn.b_O"})
    for (size_t i = 0; i < biases.size(); ++i)
      biases[i] += static_cast<double>(tensors.tensors.at(name).second[i]);
  const std::vector<double> stream = streams_of(weights, clean, Compute::f64, task).at.back();
  for (size_t i = 0; i < stream.size(); ++i) mean[i % mean.size()] += stream[i] / 10;  // 6 + 4 tokens
  for (const int64_t at_once : {1, 2}) {
    const std::vector<double> sources = mean_sources(graph, weights, clean, Compute::f64, at_once, task);
    for (const auto& [how, expected] : {std::pair{Outside::zero, biases}, std::pair{Outside::mean, mean}}) {
      const auto others = outside_values<double>(how, graph, weights, corrupted, sources, Compute::f64, task);
      const CircuitRunner<double> runner(graph, weights, clean, Compute::f64, others);
      for (int64_t prompt = 0; prompt < 2; ++prompt) {
        const std::vector<double> empty = runner.run(EdgeSet(graph), prompt);
        for (size_t i = 0; i < empty.size(); ++i)
          ASSERT_NEAR(empty[i], expected[i % expected.size()], rounding);
      }
    }
  }
}

// Without norms, with values that depend on the stream linearly and attention that does not depend on it at
// all, the metric is linear in every edge.
TEST(EdgeScores, AreExactOnALinearModel) {
  ModelSpec spec = tiny_spec();
  spec.norm = Norm::none;
  spec.pre_norm = false;
  spec.final_norm = false;
  spec.activation = Activation::identity;
  TinyTensors tensors = tiny_tensors(spec);
  for (const char* name : {"blocks.0.attn.W_Q", "blocks.1.attn.W_Q"})
    for (float& value : tensors.tensors.at(name).second) value = 0;
  for (const char* name : {"blocks.0.attn.b_Q", "blocks.1.attn.b_Q"})
    for (float& value : tensors.tensors.at(name).second) value = 0;
  const Weights weights = tensors.weights(spec);
  const CircuitGraph graph = graph_of(spec);
  const Probes clean = two_pairs();
  std::vector<std::vector<float>> scores;
  for (EdgeMethod method :
       {EdgeMethod::exact, EdgeMethod::eap, EdgeMethod::ig_inputs, EdgeMethod::clean_corrupted}) {
    EdgePlan plan;
    plan.method = method;
    Task task;
    edge_scores(
        graph, weights, clean, corrupted_of(clean), Compute::f64, "logit-diff", plan,
        [&](int64_t, const PairScores& pair) { scores.push_back(pair.edges); }, task);
  }
  ASSERT_EQ(scores.size(), 8u);
  constexpr double rounding = 1e-5;  // scores are kept in f32
  double largest = 0;
  for (size_t method = 1; method < 4; ++method)
    for (size_t pair = 0; pair < 2; ++pair)
      for (size_t i = 0; i < scores[pair].size(); ++i) {
        largest = std::max<double>(largest, std::abs(scores[pair][i]));
        ASSERT_NEAR(scores[method * 2 + pair][i], scores[pair][i],
                    rounding * std::max(1.0f, std::abs(scores[pair][i])));
      }
  EXPECT_GT(largest, 0.1);
}

TEST(EdgeScores, DoNotDependOnBatches) {
  const ModelSpec spec = circuit_specs()[3];
  const Weights weights = tiny_tensors(spec).weights(spec);
  const CircuitGraph graph = graph_of(spec);
  const Probes clean = two_pairs();
  std::vector<std::vector<float>> scores;
  // Pairs one by one or together; blocks' insides computed twice or kept.
  for (int64_t bytes : {int64_t{1}, int64_t{1} << 30}) {
    EdgePlan plan;
    plan.batch_bytes = plan.keep_bytes = bytes;
    Task task;
    edge_scores(
        graph, weights, clean, corrupted_of(clean), Compute::f32, "kl", plan,
        [&](int64_t, const PairScores& pair) { scores.push_back(pair.edges); }, task);
  }
  EXPECT_EQ(scores[0], scores[2]);
  EXPECT_EQ(scores[1], scores[3]);
}

TEST(EdgeScores, AGroupedModelEqualsItsExpandedTwin) {
  ModelSpec grouped = tiny_spec();
  grouped.heads = 6;
  grouped.kv_heads = 2;
  TinyTensors tensors = tiny_tensors(grouped);
  ModelSpec full = grouped;
  full.kv_heads = 6;
  TinyTensors expanded = tensors;
  for (int64_t layer = 0; layer < 2; ++layer)
    for (const char* part : {"W_K", "W_V", "b_K", "b_V"}) {
      auto& [shape, values] = expanded.tensors.at(fmt::format("blocks.{}.attn.{}", layer, part));
      const size_t per_head = values.size() / 2;
      std::vector<float> longer;
      for (size_t head = 0; head < 6; ++head) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(head / 3 * per_head);
        longer.insert(longer.end(), first, first + static_cast<std::ptrdiff_t>(per_head));
      }
      shape[0] *= 3;
      values = longer;
    }
  const Probes clean = two_pairs();
  const auto scores = [&](const Weights& weights) {
    std::vector<float> all;
    Task task;
    edge_scores(
        graph_of(weights.spec()), weights, clean, corrupted_of(clean), Compute::f64, "logit-diff", {},
        [&](int64_t, const PairScores& pair) { all.insert(all.end(), pair.edges.begin(), pair.edges.end()); },
        task);
    return all;
  };
  const std::vector<float> one = scores(tensors.weights(grouped)), other = scores(expanded.weights(full));
  ASSERT_EQ(one.size(), other.size());
  for (size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], other[i], 1e-6);
}

}  // namespace
}  // namespace varve
