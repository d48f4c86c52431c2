// Edge attribution patching: which edges between heads, MLPs, input and output carry a task (EAP, EAP-IG).
//
// edge_scores.h has the formulas. A positive score: the metric rises when that edge carries the corrupted
// run's value. With signed-mean scores are averaged over pairs as they are, with abs-mean their magnitudes
// are. The pairs are dealt into folds whose own scores show how much of a circuit is the choice of examples.
#include <cmath>

#include "analysis/analysis.h"
#include "analysis/circuits/edge_cost.h"
#include "analysis/circuits/edge_scores.h"
#include "analysis/circuits/streams.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

struct Params {
  std::string method = "eap-ig-inputs";
  std::string metric = "logit-diff";
  int64_t steps = 5;
  std::string rule = "left";
  std::string aggregate = "signed-mean";
  std::string input_group = "whole";
  int64_t folds = 2;

  template <class Visit>
  void each(Visit&& visit) {
    visit("method", method,
          "where gradients are taken: at the clean run, along the way of the embedding or of "
          "activations, at both ends, or every edge run on its own",
          Choices{"eap", "eap-ig-inputs", "eap-ig-activations", "clean-corrupted", "exact"});
    visit("metric", metric, "what is differentiated at each pair's answer", metric_choices());
    visit("steps", steps, "points along the way of the integrated gradients", Range{1, 1000});
    visit("rule", rule, "which points: left sum without the clean end (the authors'), midpoint, trapezoid",
          Choices{"left", "midpoint", "trapezoid"});
    visit("aggregate", aggregate, "over pairs: the mean of scores, or of their magnitudes",
          Choices{"signed-mean", "abs-mean"});
    visit("input_group", input_group,
          "eap-ig-activations: the authors' library sees no gradient at the first layer's inputs while the "
          "embedding is mixed, unless positions are learned; as-library leaves them out, too",
          Choices{"whole", "as-library"});
    visit("folds", folds, "into how many parts the pairs are dealt for the noise floor", Range{1, 16});
  }
};

EdgePlan plan_of(const Params& params) {
  EdgePlan plan;
  plan.steps = params.steps;
  if (params.method == "eap") plan.method = EdgeMethod::eap;
  if (params.method == "eap-ig-activations") plan.method = EdgeMethod::ig_activations;
  if (params.method == "clean-corrupted") plan.method = EdgeMethod::clean_corrupted;
  if (params.method == "exact") plan.method = EdgeMethod::exact;
  if (params.input_group == "as-library") plan.input_group = InputGroup::as_library;
  if (params.rule == "midpoint") plan.rule = PathRule::midpoint;
  if (params.rule == "trapezoid") plan.rule = PathRule::trapezoid;
  return plan;
}

class EdgeCell : public Cell {
 public:
  EdgeCell(const Study& study, const Params& params)
      : study_(study), params_(params), graph_(graph_of(study.spec())) {
    corrupted_of(study.probes());  // for its error, before any work
    if (params.metric == "kl" && params.method == "eap")
      fail_usage(
          "the divergence from the clean run has no slope at the clean run: use eap-ig-inputs with kl");
    const auto edges = static_cast<size_t>(graph_.sources() * graph_.destinations());
    sum_.assign(edges, 0.0);
    folds_.assign(static_cast<size_t>(params.folds), std::vector<double>(edges, 0.0));
    in_fold_.assign(static_cast<size_t>(params.folds), 0);
    nodes_.assign(static_cast<size_t>(graph_.sources()), 0.0);
  }
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    task.doing(fmt::format("{} of {} edges", params_.method, graph_.edges()));
    const Probes& clean = study_.probes();
    edge_scores(
        graph_, study_.weights(), clean, corrupted_of(clean), study_.compute(), params_.metric,
        plan_of(params_), [this](int64_t pair, const PairScores& scores) { take(pair, scores); }, task);
    return finished();
  }

 private:
  void take(int64_t pair, const PairScores& scores) {
    const bool magnitude = params_.aggregate == "abs-mean";
    const auto fold = static_cast<size_t>(pair % params_.folds);
    ++in_fold_[fold];
    for (size_t i = 0; i < sum_.size(); ++i) {
      const double score = magnitude ? std::abs(scores.edges[i]) : static_cast<double>(scores.edges[i]);
      sum_[i] += score;
      folds_[fold][i] += score;
    }
    for (int64_t source = 0; source < graph_.sources(); ++source) {
      const auto at = static_cast<size_t>(source);
      double edges = 0;
      for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
        edges += static_cast<double>(
            scores.edges[static_cast<size_t>(source * graph_.destinations() + destination)]);
      worst_ = std::max(worst_, std::abs(edges - scores.nodes[at]));
      largest_ = std::max(largest_, std::abs(scores.nodes[at]));
      nodes_[at] += scores.nodes[at];
      ++compared_;
    }
    clean_.push_back(scores.clean_metric);
    corrupted_.push_back(scores.corrupted_metric);
  }

  Array edges_array(const std::vector<double>& sums, int64_t pairs, const std::string& title) const {
    std::vector<float> mean;
    for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>(pairs)));
    Array array({"src", "dst"}, {graph_.sources(), graph_.destinations()}, std::move(mean));
    array.title = title;
    array.unit = unit_of_metric(params_.metric);
    return array;
  }

  Dataset finished() {
    const auto pairs = static_cast<int64_t>(clean_.size());
    const std::string unit = unit_of_metric(params_.metric);
    Dataset result;
    result.title = "Edge attribution";
    result.set_coord("src", Array({"src"}, {graph_.sources()}, graph_.source_names()));
    result.set_coord("dst", Array({"dst"}, {graph_.destinations()}, graph_.destination_names()));
    result.set("scores", edges_array(sum_, pairs, "effect of corrupting one edge, " + params_.aggregate));
    std::vector<uint8_t> real;
    for (int64_t source = 0; source < graph_.sources(); ++source)
      for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
        real.push_back(graph_.has_edge(source, destination) ? 1 : 0);
    Array edge({"src", "dst"}, {graph_.sources(), graph_.destinations()}, std::move(real));
    edge.title = "1 where the edge exists";
    result.set("real_edge", std::move(edge));
    std::vector<Array> parts;
    for (size_t fold = 0; fold < folds_.size() && params_.folds > 1 && pairs >= params_.folds; ++fold)
      parts.push_back(edges_array(folds_[fold], in_fold_[fold], "the same over one fold of the pairs"));
    if (!parts.empty()) result.set("fold_scores", Array::stack("fold", parts));
    const auto add = [&](const char* name, std::vector<std::string> axes, std::vector<int64_t> shape,
                         std::vector<double> values, const char* title) {
      Array array(std::move(axes), std::move(shape), std::move(values));
      array.title = title;
      array.unit = unit;
      result.set(name, std::move(array));
    };
    for (double& node : nodes_) node /= static_cast<double>(pairs);
    add("node_scores", {"src"}, {graph_.sources()}, nodes_,
        "effect of corrupting a whole source, signed mean");
    add("head_importance", {"layer", "head"}, {graph_.layers, graph_.heads}, head_importance(pairs),
        "sum of |score| over the edges that leave a head");
    add("clean_metric", {"prompt"}, {pairs}, clean_, "metric of the clean run");
    add("corrupted_metric", {"prompt"}, {pairs}, corrupted_, "metric of the corrupted run");
    const double share = largest_ > 0 ? worst_ / largest_ : 0;
    const double limit = study_.compute() == Compute::f64 ? 1e-6 : 1e-3;  // scores are kept in f32
    if (params_.method != "exact" && params_.input_group == "whole")
      result.checks.push_back({"edges of a source add up to its own attribution", share, limit, compared_,
                               share <= limit, "worst source of any pair, beside the largest"});
    result.notes.push_back(fmt::format("{} edges, {} pairs, {}, metric {}.", graph_.edges(), pairs,
                                       params_.method, params_.metric));
    result.provenance["edges"] = std::to_string(graph_.edges());
    return result;
  }

  std::vector<double> head_importance(int64_t pairs) const {
    std::vector<double> importance;
    for (int64_t layer = 0; layer < graph_.layers; ++layer)
      for (int64_t head = 0; head < graph_.heads; ++head) {
        double sum = 0;
        for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
          sum += std::abs(
              sum_[static_cast<size_t>(graph_.head(layer, head) * graph_.destinations() + destination)]);
        importance.push_back(sum / static_cast<double>(pairs));
      }
    return importance;
  }

  const Study& study_;
  Params params_;
  CircuitGraph graph_;
  std::vector<double> sum_, nodes_, clean_, corrupted_;
  std::vector<std::vector<double>> folds_;
  std::vector<int64_t> in_fold_;
  double worst_ = 0, largest_ = 0;
  int64_t compared_ = 0;
};

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<EdgeCell>(study, read_settings<Params>(values, "edge-attribution"));
}

}  // namespace

void add_edge_attribution(AnalysisCatalog& catalog) {
  Analysis edges;
  edges.name = "edge-attribution";
  edges.summary = "which edges between heads, MLPs, input and output carry a task (EAP, EAP-IG)";
  edges.help =
      "Needs a task of clean and corrupted pairs. Scores are in the metric's unit: by how much it would "
      "change if that edge carried the corrupted run's value; positive means it rises. A source's edges add "
      "up to the source's own attribution, which is checked. "
      "Example: varve run edge-attribution demo.varve --task ioi.toml --set steps=5";
  edges.settings = declared_settings<Params>();
  edges.begin = begin;
  edges.cost = [](const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute compute) {
    const Params params = read_settings<Params>(values, "edge-attribution");
    return edge_cost(spec, probes, compute, plan_of(params), params.folds + 1, 0);
  };
  catalog.add(std::move(edges));
}

}  // namespace varve
