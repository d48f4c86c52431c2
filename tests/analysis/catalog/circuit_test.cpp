// Circuits: choice and pruning small enough for paper, laws of faithfulness, and the demo series end to end.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/circuits/graph_export.h"
#include "analysis/circuits/select.h"
#include "loaders/tasks.h"
#include "tests/support/golden_run.h"

namespace varve {
namespace {

// One layer of one head: input -> a0.h0<q,k,v>, m0; a0.h0 -> m0; all -> logits. Eight edges.
const CircuitGraph small{1, 1, false};
int64_t flat(int64_t source, int64_t destination) { return source * small.destinations() + destination; }

std::vector<float> small_scores() {
  std::vector<float> scores(static_cast<size_t>(small.sources() * small.destinations()), 0.0f);
  const auto set = [&](int64_t source, int64_t destination, float score) {
    scores[static_cast<size_t>(flat(source, destination))] = score;
  };
  set(0, small.head_input(0, 0, 0), 5);
  set(0, small.head_input(0, 2, 0), -4);
  set(0, small.mlp_input(0), 0.5f);
  set(small.head(0, 0), small.logits(), 1);
  set(small.mlp(0), small.logits(), 2);
  set(0, small.logits(), -3);
  return scores;
}

TEST(CircuitChoice, TopEdgesGoBySizeOrByValue) {
  ASSERT_EQ(small.edges(), 8);
  const EdgeSet big = top_edges(small, small_scores(), 3, EdgeRank::magnitude);
  EXPECT_TRUE(big.has(0, small.head_input(0, 0, 0)));
  EXPECT_TRUE(big.has(0, small.head_input(0, 2, 0)));
  EXPECT_TRUE(big.has(0, small.logits()));
  const EdgeSet positive = top_edges(small, small_scores(), 3, EdgeRank::value);
  EXPECT_FALSE(positive.has(0, small.logits()));
  EXPECT_TRUE(positive.has(small.mlp(0), small.logits()));
}

TEST(CircuitChoice, GreedyOnlyTakesEdgesThatLeadToTheOutput) {
  // The best edge goes into the head, but the head must come in first, and it does third.
  const EdgeSet two = greedy_edges(small, small_scores(), 2, EdgeRank::magnitude);
  EXPECT_TRUE(two.has(0, small.logits()));
  EXPECT_TRUE(two.has(small.mlp(0), small.logits()));
  const EdgeSet four = greedy_edges(small, small_scores(), 4, EdgeRank::magnitude);
  EXPECT_TRUE(four.has(small.head(0, 0), small.logits()));
  EXPECT_TRUE(four.has(0, small.head_input(0, 0, 0)));
}

TEST(CircuitChoice, PruningDropsDeadEnds) {
  EdgeSet edges(small);
  edges.set(0, small.head_input(0, 0, 0), 1);  // the head leads nowhere
  edges.set(small.mlp(0), small.logits(), 1);  // nothing reaches the MLP
  EXPECT_EQ(pruned(edges).count(), 0);
  edges.set(small.head(0, 0), small.mlp_input(0), 1);
  EXPECT_EQ(pruned(edges).count(), 3);
  EXPECT_EQ(heads_of(pruned(edges)), std::vector<uint8_t>{1});
}

TEST(CircuitChoice, RandomEdgesAreRealAndAsManyAsAsked) {
  const CircuitGraph graph{3, 4, true};
  const EdgeSet some = random_edges(graph, 50, 7);
  EXPECT_EQ(some.count(), 50);
  for (int64_t source = 0; source < graph.sources(); ++source)
    for (int64_t destination = 0; destination < graph.destinations(); ++destination)
      EXPECT_TRUE(!some.has(source, destination) || graph.has_edge(source, destination));
}

const std::filesystem::path demo = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox";

TEST(Circuit, TheDemoInductionHeadsAreFoundAndTheirCircuitIsFaithful) {
  GoldenRun run(demo / "step7000");
  const Probes task = read_task("induction:pairs=8,period=10,high=200", "", 1024);
  const Dataset circuit = run.cell("circuit", task, {{"size", "0.1"}});
  for (const Check& check : circuit.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
  const Array& heads = circuit["heads_in"];
  EXPECT_EQ(heads.number(2 * 4 + 3), 1);
  for (int64_t head : {1, 2, 3}) EXPECT_EQ(heads.number(3 * 4 + head), 1) << head;
  const Array& curve = circuit["faithfulness"];
  EXPECT_NEAR(curve.number(curve.size() - 1), 1, 1e-4);
  // At a tenth of the edges the chosen circuit must be far nearer the model than a random one.
  EXPECT_LT(std::abs(1 - circuit["faithfulness_magnitude"].number(6)),
            std::abs(1 - circuit["faithfulness_random"].number(6)));
  EXPECT_GT(circuit["cpr"].number(0), 0.5);
  EXPECT_LT(circuit["cmd"].number(0), 0.5);
}

TEST(Circuit, GraphsAreWrittenForOtherPrograms) {
  GoldenRun run(demo / "step7000");
  const Probes task = read_task("induction:pairs=3,period=6,high=100", "", 1024);
  const Dataset circuit = run.cell("circuit", task, {{"curve", "no"}, {"method", "eap"}});
  const auto edges = static_cast<size_t>(circuit["circuit_edges"].number(0));
  const nlohmann::json eap = nlohmann::json::parse(eap_graph_json(circuit));
  EXPECT_EQ(eap["cfg"]["n_layers"], 4);
  EXPECT_EQ(eap["cfg"]["n_heads"], 4);
  EXPECT_EQ(eap["cfg"]["parallel_attn_mlp"], true);
  size_t in = 0;
  for (const auto& [name, edge] : eap["edges"].items()) in += edge["in_graph"] ? 1 : 0;
  EXPECT_EQ(in, edges);
  const nlohmann::json graph = nlohmann::json::parse(attribution_graph_json(circuit));
  EXPECT_EQ(graph["metadata"]["generator"]["name"], "varve");
  EXPECT_EQ(graph["metadata"]["prompt_tokens"].size(), task.prompts[0].size());
  EXPECT_LE(graph["links"].size(), edges);
  EXPECT_FALSE(graph["nodes"].empty());
  const std::string csv = edges_csv(circuit);
  EXPECT_EQ(csv.rfind("source,target,input,score,in_circuit\n", 0), 0u);
  Dataset other;
  other.set("entropy", Array::scalar(1));
  EXPECT_THROW(edges_csv(other), Error);
}

TEST(Circuit, EveryAblationKeepsTheWholeModelWhole) {
  GoldenRun run(demo / "step7000");
  const Probes task = read_task("induction:pairs=3,period=6,high=100", "", 1024);
  for (const char* ablation : {"mean", "zero"}) {
    const Dataset circuit =
        run.cell("circuit", task, {{"curve", "no"}, {"method", "eap"}, {"ablation", ablation}});
    ASSERT_EQ(circuit.checks.size(), 1u);
    EXPECT_TRUE(circuit.checks[0].passed);
  }
}

TEST(Circuit, AThresholdAndGreedyChoiceGiveCircuitsToo) {
  GoldenRun run(demo / "step7000");
  const Probes task = read_task("induction:pairs=3,period=6,high=100", "", 1024);
  for (const char* choose : {"threshold", "greedy"}) {
    const Dataset circuit =
        run.cell("circuit", task, {{"curve", "no"}, {"method", "eap"}, {"choose", choose}});
    EXPECT_GT(circuit["circuit_edges"].number(0), 0) << choose;
  }
}

}  // namespace
}  // namespace varve
