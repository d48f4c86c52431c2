// Circuits: the edges that carry a task, and how much of the model's answer they alone give (Hanna et al.
// 2403.17806; CPR and CMD as in the MIB benchmark, 2504.13151).
//
// faithfulness f(C) = (m(C) - m(empty)) / (m(whole) - m(empty)), m the metric with edges outside C carrying
// the ablated values. CPR: area under f over the share of edges kept, circuits chosen by value; CMD: area of
// |1 - f|, chosen by magnitude. Both by trapezoids between the ten standard sizes, none from 0 to the first.
#include <cmath>

#include "analysis/analysis.h"
#include "analysis/circuits/circuit_settings.h"
#include "analysis/circuits/edge_cost.h"
#include "analysis/circuits/edge_scores.h"
#include "analysis/circuits/select.h"
#include "analysis/circuits/streams.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

using Params = CircuitSettings;

const std::vector<double> standard_sizes = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};

EdgePlan plan_of(const Params& params) {
  EdgePlan plan;
  plan.steps = params.steps;
  if (params.method == "eap") plan.method = EdgeMethod::eap;
  if (params.method == "eap-ig-activations") plan.method = EdgeMethod::ig_activations;
  if (params.method == "clean-corrupted") plan.method = EdgeMethod::clean_corrupted;
  if (params.method == "exact") plan.method = EdgeMethod::exact;
  return plan;
}

int64_t edges_at(const CircuitGraph& graph, double size) {
  const double count = size <= 1 ? size * static_cast<double>(graph.edges()) : size;
  return std::clamp<int64_t>(std::llround(count), 1, graph.edges());
}

// Scores by how much an edge helps: the metric of the corrupted run is to be kept away from.
std::vector<float> helpful(std::vector<float> scores, double whole, double empty) {
  const float sign = whole >= empty ? -1.0f : 1.0f;
  for (float& score : scores) score *= sign;
  return scores;
}

EdgeSet chosen(const CircuitGraph& graph, const std::vector<float>& scores, const Params& params) {
  const EdgeRank rank = params.rank == "value" ? EdgeRank::value : EdgeRank::magnitude;
  if (params.choose == "greedy")
    return pruned(greedy_edges(graph, scores, edges_at(graph, params.size), rank));
  if (params.choose == "top") return pruned(top_edges(graph, scores, edges_at(graph, params.size), rank));
  double largest = 0;
  for (const float score : scores) largest = std::max(largest, std::abs(static_cast<double>(score)));
  const double least = params.threshold_mode == "relative" ? params.threshold * largest : params.threshold;
  return pruned(edges_from(graph, scores, least, rank));
}

double area(const std::vector<double>& values) {
  double sum = 0;
  for (size_t i = 1; i < values.size(); ++i)
    sum += (standard_sizes[i] - standard_sizes[i - 1]) * (values[i] + values[i - 1]) / 2;
  return sum;
}

template <class T>
class CircuitCell : public Cell {
 public:
  CircuitCell(const Study& study, const Params& params)
      : study_(study),
        params_(params),
        graph_(graph_of(study.spec())),
        corrupted_(corrupted_of(study.probes())) {
    if (params.metric == "kl" && params.method == "eap")
      fail_usage(
          "the divergence from the clean run has no slope at the clean run: use eap-ig-inputs with kl");
  }
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    Task scoring = task.part(0, params_.curve == "yes" ? 0.5 : 0.9), running = task.part(0.5, 1);
    scoring.doing("scoring edges");
    score(scoring);
    running.doing("running circuits");
    return finished(running);
  }

 private:
  void score(Task& task) {
    const auto edges = static_cast<size_t>(graph_.sources() * graph_.destinations());
    std::vector<std::vector<double>> folds(static_cast<size_t>(params_.folds),
                                           std::vector<double>(edges, 0.0));
    std::vector<double> in_fold(folds.size(), 0), sum(edges, 0.0);
    edge_scores(
        graph_, study_.weights(), study_.probes(), corrupted_, study_.compute(), params_.metric,
        plan_of(params_),
        [&](int64_t pair, const PairScores& one) {
          const auto fold = static_cast<size_t>(pair % params_.folds);
          in_fold[fold] += 1;
          for (size_t i = 0; i < edges; ++i) {
            folds[fold][i] += static_cast<double>(one.edges[i]);
            sum[i] += static_cast<double>(one.edges[i]);
          }
        },
        task);
    const auto pairs = static_cast<double>(study_.probes().prompts.size());
    for (const double value : sum) scores_.push_back(static_cast<float>(value / pairs));
    for (size_t fold = 0; fold < folds.size(); ++fold) {
      std::vector<float> mean;
      for (const double value : folds[fold])
        mean.push_back(in_fold[fold] > 0 ? static_cast<float>(value / in_fold[fold]) : 0.0f);
      if (in_fold[fold] > 0) folds_.push_back(std::move(mean));
    }
  }

  // The mean metric of each circuit: block by block of pairs, all circuits of one before the next.
  std::vector<double> metrics_of(const std::vector<EdgeSet>& circuits, Task& task) const {
    const Probes& clean = study_.probes();
    const auto pairs = static_cast<int64_t>(clean.prompts.size());
    const auto sets = static_cast<int64_t>(circuits.size());
    const int64_t at_once = pairs_at_once(study_.weights(), clean, study_.compute(), plan_of(params_));
    const Outside how = params_.ablation == "mean"   ? Outside::mean
                        : params_.ablation == "zero" ? Outside::zero
                                                     : Outside::patching;
    Task quiet;
    std::vector<double> mean, sums(circuits.size());
    if (how == Outside::mean)
      mean = mean_sources(graph_, study_.weights(), clean, study_.compute(), at_once, quiet);
    for (int64_t first = 0; first < pairs; first += at_once) {
      const PromptBlock block{first, std::min(at_once, pairs - first)};
      const Probes some = prompts_of(clean, block), twins = prompts_of(corrupted_, block);
      const auto metric = task_metric(params_.metric, study_.weights(), some, study_.compute(), quiet);
      const SourceValues<T> others =
          outside_values<T>(how, graph_, study_.weights(), twins, mean, study_.compute(), quiet);
      const CircuitRunner<T> runner(graph_, study_.weights(), some, study_.compute(), others);
      for (int64_t i = 0; i < sets; ++i) {
        for (const double value : runner.metric(circuits[static_cast<size_t>(i)], *metric))
          sums[static_cast<size_t>(i)] += value / static_cast<double>(pairs);
        task.step(first * sets + (i + 1) * block.count, pairs * sets);
      }
    }
    return sums;
  }

  Dataset finished(Task& task) {
    EdgeSet whole(graph_), none(graph_);
    whole.fill();
    Task ends_task = task.part(0, 0.1), circuits_task = task.part(0.1, 1);
    const std::vector<double> ends = metrics_of({whole, none}, ends_task);
    const double top = ends[0], bottom = ends[1];
    helpful_ = helpful(scores_, top, bottom);
    for (std::vector<float>& fold : folds_) fold = helpful(std::move(fold), top, bottom);
    const EdgeSet circuit = chosen(graph_, helpful_, params_);
    std::vector<EdgeSet> circuits = {circuit};
    if (params_.curve == "yes") add_standard(circuits);
    const std::vector<double> metrics = metrics_of(circuits, circuits_task);
    std::vector<double> faithfulness;
    for (const double metric : metrics) faithfulness.push_back((metric - bottom) / (top - bottom));
    Dataset result;
    result.title = "Circuit";
    result.set_coord("src", Array({"src"}, {graph_.sources()}, graph_.source_names()));
    result.set_coord("dst", Array({"dst"}, {graph_.destinations()}, graph_.destination_names()));
    Array scores({"src", "dst"}, {graph_.sources(), graph_.destinations()}, scores_);
    scores.title = "edge scores";
    scores.unit = unit_of_metric(params_.metric);
    result.set("scores", std::move(scores));
    std::vector<uint8_t> in;
    for (int64_t source = 0; source < graph_.sources(); ++source)
      for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
        in.push_back(circuit.has(source, destination) ? 1 : 0);
    Array edges({"src", "dst"}, {graph_.sources(), graph_.destinations()}, std::move(in));
    edges.title = "1 where the edge is in the circuit";
    result.set("in_circuit", std::move(edges));
    add_heads(circuit, result);
    const auto scalar = [&](const char* name, const char* title, const std::string& unit, double value) {
      Array array = Array::scalar(value);
      array.title = title;
      array.unit = unit;
      result.set(name, std::move(array));
    };
    const std::string unit = unit_of_metric(params_.metric);
    scalar("whole_metric", "metric of the whole model", unit, top);
    scalar("empty_metric", "metric with every edge ablated", unit, bottom);
    scalar("circuit_metric", "metric of the circuit", unit, metrics[0]);
    scalar("circuit_faithfulness", "share of the metric that the circuit gives", "share", faithfulness[0]);
    scalar("circuit_edges", "edges of the circuit after pruning", "edges",
           static_cast<double>(circuit.count()));
    if (params_.curve == "yes") add_curves(faithfulness, result);
    add_checks(top, bottom, result);
    result.notes.push_back(fmt::format("{} of {} edges after pruning; {} pairs.", circuit.count(),
                                       graph_.edges(), study_.probes().prompts.size()));
    return result;
  }

  void add_heads(const EdgeSet& circuit, Dataset& result) const {
    Array heads({"layer", "head"}, {graph_.layers, graph_.heads}, heads_of(circuit));
    heads.title = "1 where an edge of the circuit leaves the head";
    result.set("heads_in", std::move(heads));
    std::vector<Array> parts;
    for (const std::vector<float>& fold : folds_)
      parts.emplace_back(std::vector<std::string>{"layer", "head"},
                         std::vector<int64_t>{graph_.layers, graph_.heads},
                         heads_of(chosen(graph_, fold, params_)));
    Array folds = Array::stack("fold", parts);
    folds.title = "the same from one fold of the pairs alone";
    result.set("heads_in_fold", std::move(folds));
    const auto importance = [&](std::vector<double> values, const char* title) {
      Array array({"layer", "head"}, {graph_.layers, graph_.heads}, std::move(values));
      array.title = title;
      array.unit = unit_of_metric(params_.metric);
      return array;
    };
    result.set("head_importance", importance(importance_of(circuit, scores_),
                                             "sum of |score| over the circuit's edges that leave a head"));
    std::vector<Array> by_fold;
    for (const std::vector<float>& fold : folds_)
      by_fold.push_back(importance(importance_of(chosen(graph_, fold, params_), fold),
                                   "the same from one fold of the pairs alone"));
    result.set("head_importance_fold", Array::stack("fold", by_fold));
  }

  std::vector<double> importance_of(const EdgeSet& circuit, const std::vector<float>& scores) const {
    std::vector<double> importance;
    for (int64_t layer = 0; layer < graph_.layers; ++layer)
      for (int64_t head = 0; head < graph_.heads; ++head) {
        double sum = 0;
        for (int64_t destination = 0; destination < graph_.destinations(); ++destination) {
          const int64_t source = graph_.head(layer, head);
          if (circuit.has(source, destination))
            sum += std::abs(static_cast<double>(
                scores[static_cast<size_t>(source * graph_.destinations() + destination)]));
        }
        importance.push_back(sum);
      }
    return importance;
  }

  // Of every standard size: chosen by value, by magnitude, and random ones.
  void add_standard(std::vector<EdgeSet>& circuits) const {
    const auto sizes = static_cast<int64_t>(standard_sizes.size());
    for (int64_t i = 0; i < sizes; ++i) {
      const int64_t count = edges_at(graph_, standard_sizes[static_cast<size_t>(i)]);
      circuits.push_back(pruned(top_edges(graph_, helpful_, count, EdgeRank::value)));
      circuits.push_back(pruned(top_edges(graph_, scores_, count, EdgeRank::magnitude)));
      for (int64_t k = 0; k < params_.random; ++k)
        circuits.push_back(
            pruned(random_edges(graph_, count, static_cast<uint64_t>(params_.seed + k * sizes + i) + 1)));
    }
  }

  // `faithfulness`: of the circuit itself, then of what add_standard added.
  void add_curves(const std::vector<double>& faithfulness, Dataset& result) const {
    const auto sizes = static_cast<int64_t>(standard_sizes.size());
    std::vector<double> value, magnitude, off, random, random_se;
    auto next = faithfulness.begin() + 1;
    for (int64_t i = 0; i < sizes; ++i) {
      value.push_back(*next++);
      magnitude.push_back(*next++);
      off.push_back(std::abs(1 - magnitude.back()));
      const std::vector<double> some(next, next + params_.random);
      next += params_.random;
      random.push_back(mean_of(some));
      random_se.push_back(standard_error_of(some));
    }
    const auto add = [&](const char* name, const char* title, const std::vector<double>& values) {
      Array array({"size"}, {sizes}, values);
      array.title = title;
      array.unit = "share";
      result.set(name, std::move(array));
    };
    Array ticks({"size"}, {sizes}, standard_sizes);
    ticks.unit = "share of edges";
    result.set_coord("size", std::move(ticks));
    add("faithfulness", "faithfulness of circuits chosen by value", value);
    add("faithfulness_magnitude", "faithfulness of circuits chosen by magnitude", magnitude);
    add("faithfulness_random", "faithfulness of random circuits", random);
    add("faithfulness_random_se", "standard error over random circuits", random_se);
    const auto area_of = [&](const char* name, const char* title, double area_value) {
      Array array = Array::scalar(area_value);
      array.title = title;
      array.unit = "share";
      result.set(name, std::move(array));
    };
    area_of("cpr", "area under faithfulness, by value; higher is better", area(value));
    area_of("cmd", "area of |1 - faithfulness|, by magnitude; 0 is best", area(off));
  }

  void add_checks(double top, double bottom, Dataset& result) const {
    Task quiet;
    const auto metric =
        task_metric(params_.metric, study_.weights(), study_.probes(), study_.compute(), quiet);
    const double clean =
        mean_of(metric_values(study_.weights(), study_.probes(), study_.compute(), *metric, quiet));
    const double slack = (study_.compute() == Compute::f64 ? 1e-8 : 1e-3) * std::max(1.0, std::abs(clean));
    const auto pairs = static_cast<int64_t>(study_.probes().prompts.size());
    const double whole = std::abs(top - clean);
    result.checks.push_back({"whole graph = clean run", whole, slack, pairs, whole <= slack, "mean metric"});
    if (params_.ablation != "patching") return;
    const double other =
        mean_of(metric_values(study_.weights(), corrupted_, study_.compute(), *metric, quiet));
    const double empty = std::abs(bottom - other);
    result.checks.push_back(
        {"empty graph = corrupted run", empty, slack, pairs, empty <= slack, "mean metric"});
  }

  const Study& study_;
  Params params_;
  CircuitGraph graph_;
  Probes corrupted_;
  std::vector<float> scores_, helpful_;
  std::vector<std::vector<float>> folds_;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  const Params params = read_settings<Params>(values, "circuit");
  if (study.compute() == Compute::f64) return std::make_unique<CircuitCell<double>>(study, params);
  return std::make_unique<CircuitCell<float>>(study, params);
}

}  // namespace

void add_circuit(AnalysisCatalog& catalog) {
  Analysis circuit;
  circuit.name = "circuit";
  circuit.version = 2;
  circuit.summary = "the edges that carry a task, and how faithful they alone are to the model";
  circuit.help =
      "Needs a task of clean and corrupted pairs. Scores edges, chooses some, prunes dead ends, and runs the "
      "model with all others ablated. Faithfulness is a share: 1 is the whole model, 0 nothing but ablated "
      "edges; curves stand beside random circuits of the same sizes. "
      "Example: varve run circuit demo.varve --task induction:pairs=16 --set size=0.05";
  circuit.settings = declared_settings<Params>();
  circuit.begin = begin;
  circuit.cost = [](const ModelSpec& spec, const SettingValues& values, const Probes& probes,
                    Compute compute) {
    const Params params = read_settings<Params>(values, "circuit");
    const auto sizes = static_cast<int64_t>(standard_sizes.size());
    const int64_t runs = 3 + (params.curve == "yes" ? sizes * (2 + params.random) : 0);
    return edge_cost(spec, probes, compute, plan_of(params), 2 * params.folds + 4, runs);
  };
  catalog.add(std::move(circuit));
}

}  // namespace varve
