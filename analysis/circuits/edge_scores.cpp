// The scores of a batch of pairs: differences of sources times gradients at destinations, one product for
// each pair, step and layer.
#include "analysis/circuits/edge_scores.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "analysis/circuits/circuit_run.h"
#include "analysis/circuits/sources.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/memory_plan.h"
#include "analysis/model/backward.h"
#include "analysis/model/kernels.h"

namespace varve {
namespace {

// Multiplies gradients at destinations with the differences as they stream by.
template <class T>
class EdgeReader : public SiteReader {
 public:
  EdgeReader(const CircuitGraph& graph, const SourceValues<T>& difference, std::vector<PairScores>& scores)
      : graph_(graph), difference_(difference), scores_(scores) {
    last_ = fmt::format("grad.blocks.{}.resid_post", graph.layers - 1);
  }
  void weigh(double weight) { weight_ = weight; }
  void leave_out_first_inputs() { least_sources_ = 2; }

  bool wants(const std::string& site) const override {
    return site == last_ || site.ends_with("_input") || site.ends_with(".mlp_in") || site == "grad.embed" ||
           (site.starts_with("grad.") && (site.ends_with(".attn_out") || site.ends_with(".mlp_out")));
  }

  void see(const Site& site) override {
    if (site.name == "grad.embed") return node(site, 0, 1);
    if (site.name.ends_with(".attn_out")) return node(site, graph_.head(site.layer, 0), graph_.heads);
    if (site.name.ends_with(".mlp_out")) return node(site, graph_.mlp(site.layer), 1);
    if (site.name == last_) return edges(site, graph_.logits(), 1);
    if (site.name.ends_with(".mlp_in")) return edges(site, graph_.mlp_input(site.layer), 1);
    const char letter = site.name[site.name.size() - 7];  // q_input, k_input, v_input
    edges(site, graph_.head_input(site.layer, letter == 'q' ? 0 : letter == 'k' ? 1 : 2, 0), graph_.heads);
  }

 private:
  static constexpr int64_t least_depth = 4096, most_stretches = 16;

  static const T* values_of(const Site& site) {
    if constexpr (std::is_same_v<T, float>)
      return site.f32.data();
    else
      return site.f64.data();
  }

  // One product for each stretch of positions, so that there is work for every thread however few the
  // sources. How they are cut depends on shapes alone: the same sums for any number of threads.
  void edges(const Site& site, int64_t destination, int64_t count) {
    const int64_t length = site.shape[0], width = difference_.width, depth = length * width;
    const int64_t sources = graph_.sources_of(destination);
    if (sources < least_sources_) return;
    const T* const gradient = values_of(site);
    const int64_t stretch = std::max(least_depth / width + 1, (length + most_stretches - 1) / most_stretches);
    const int64_t stretches = (length + stretch - 1) / stretch, cells = sources * count;
    products_.resize(static_cast<size_t>(stretches * cells));
    std::vector<std::vector<T>> scratch(static_cast<size_t>(threads()));
    parallel_for(stretches, [&](int64_t piece, int worker) {
      const int64_t first = piece * stretch, places = std::min(stretch, length - first);
      RowsOf<const T> rows{gradient + first * width, depth};
      if (count > 1) {  // [pos, count, d_model] as [count][pos * d_model]
        std::vector<T>& laid_out = scratch[static_cast<size_t>(worker)];
        laid_out.resize(static_cast<size_t>(count * places * width));
        for (int64_t pos = 0; pos < places; ++pos)
          for (int64_t one = 0; one < count; ++one)
            std::copy_n(gradient + ((first + pos) * count + one) * width, width,
                        laid_out.data() + (one * places + pos) * width);
        rows = {laid_out.data(), places * width};
      }
      multiply_turned<T>(sources, count, places * width, T{1},
                         {difference_.at(site.prompt, 0) + first * width, depth}, rows,
                         {products_.data() + piece * cells, count});
    });
    std::vector<float>& scores = scores_[static_cast<size_t>(site.prompt)].edges;
    for (int64_t source = 0; source < sources; ++source)
      for (int64_t one = 0; one < count; ++one) {
        double sum = 0;
        for (int64_t piece = 0; piece < stretches; ++piece)
          sum += static_cast<double>(products_[static_cast<size_t>(piece * cells + source * count + one)]);
        scores[static_cast<size_t>(source * graph_.destinations() + destination + one)] +=
            static_cast<float>(weight_ * sum);
      }
  }

  void node(const Site& site, int64_t first, int64_t count) {
    const int64_t depth = site.shape[0] * difference_.width;
    for (int64_t one = 0; one < count; ++one) {
      const T* const difference = difference_.at(site.prompt, first + one);
      const T* const gradient = values_of(site);
      constexpr int64_t lanes = 8;  // each waits for its own last addition only
      double sums[lanes] = {};
      for (int64_t i = 0; i < depth; ++i)
        sums[i % lanes] += static_cast<double>(difference[i]) * static_cast<double>(gradient[i]);
      const double sum = std::accumulate(sums, sums + lanes, 0.0);
      scores_[static_cast<size_t>(site.prompt)].nodes[static_cast<size_t>(first + one)] += weight_ * sum;
    }
  }

  const CircuitGraph& graph_;
  const SourceValues<T>& difference_;
  std::vector<PairScores>& scores_;
  std::string last_;
  double weight_ = 1;
  int64_t least_sources_ = 1;
  std::vector<T> products_;
};

struct PathPoint {
  double share = 1;  // of the clean run
  double weight = 1;
};

std::vector<PathPoint> path_of(const EdgePlan& plan) {
  const double n = static_cast<double>(plan.steps);
  std::vector<PathPoint> points;
  if (plan.method == EdgeMethod::eap) return {{1, 1}};
  if (plan.method == EdgeMethod::clean_corrupted) return {{1, 0.5}, {0, 0.5}};
  for (int64_t j = 0; j < plan.steps; ++j) {
    const double at = static_cast<double>(j);
    if (plan.rule == PathRule::left) points.push_back({at / n, 1 / n});
    if (plan.rule == PathRule::midpoint) points.push_back({(at + 0.5) / n, 1 / n});
    if (plan.rule == PathRule::trapezoid) points.push_back({at / n, (j == 0 ? 0.5 : 1) / n});
  }
  if (plan.rule == PathRule::trapezoid) points.push_back({1, 0.5 / n});
  return points;
}

// One batch of pairs under way.
template <class T>
class Batch {
 public:
  Batch(const CircuitGraph& graph, const Weights& weights, const Probes& clean, const Probes& corrupted,
        Compute compute, const std::string& metric, const EdgePlan& plan)
      : graph_(graph),
        weights_(weights),
        clean_(clean),
        corrupted_(corrupted),
        compute_(compute),
        plan_(plan) {
    Task quiet;
    metric_ = task_metric(metric, weights, clean, compute, quiet);
    difference_ = source_values<T>(graph, weights, clean, compute, quiet);
    const std::vector<double> at_clean = metric_at(clean);
    const bool all_mixed = plan.method == EdgeMethod::exact || plan.method == EdgeMethod::ig_activations;
    own_ = all_mixed ? difference_ : embeddings_of(difference_);
    subtract_from(graph, weights, corrupted, compute, difference_, quiet);
    const std::vector<double> at_corrupted = metric_at(corrupted);
    difference_.stream = {};
    scores_.resize(clean.prompts.size());
    for (size_t prompt = 0; prompt < scores_.size(); ++prompt) {
      scores_[prompt].edges.assign(static_cast<size_t>(graph.sources() * graph.destinations()), 0.0f);
      scores_[prompt].nodes.assign(static_cast<size_t>(graph.sources()), 0.0);
      scores_[prompt].clean_metric = at_clean[prompt];
      scores_[prompt].corrupted_metric = at_corrupted[prompt];
    }
  }

  const std::vector<PairScores>& run(Task& task) {
    if (plan_.method == EdgeMethod::exact) {
      exact(task);
    } else if (plan_.method == EdgeMethod::ig_activations) {
      along_activations(task);
    } else {
      const std::vector<PathPoint> path = path_of(plan_);
      for (size_t i = 0; i < path.size(); ++i) {
        gradients(path[i].share == 1 ? Interventions{} : mixed("embed", 0, 1, path[i].share), path[i].weight);
        task.step(static_cast<int64_t>(i) + 1, static_cast<int64_t>(path.size()));
      }
    }
    return scores_;
  }

 private:
  // Of the run whose last stream `difference_` holds: no block is passed a second time.
  std::vector<double> metric_at(const Probes& probes) const {
    Task quiet;
    Start end{graph_.layers, {}, {}};
    if constexpr (std::is_same_v<T, float>)
      end.f32 = difference_.stream;
    else
      end.f64 = difference_.stream;
    return metric_values(weights_, probes, compute_, *metric_, quiet, {}, end);
  }

  SourceValues<T> embeddings_of(const SourceValues<T>& values) const {
    SourceValues<T> first;
    first.length = values.length;
    first.width = values.width;
    for (size_t prompt = 0; prompt < values.of.size(); ++prompt)
      first.of.emplace_back(values.of[prompt].begin(),
                            values.of[prompt].begin() + values.length[prompt] * values.width);
    return first;
  }

  enum class First { seen, left_out };
  void gradients(const Interventions& changes, double weight, First first = First::seen) {
    EdgeReader<T> reader(graph_, difference_, scores_);
    reader.weigh(weight);
    if (first == First::left_out) reader.leave_out_first_inputs();
    SiteReader* const readers[] = {&reader};
    Task quiet;
    backward(weights_, clean_, compute_, *metric_, readers, quiet, changes, nullptr,
             weights_.frugal() ? 0 : plan_.keep_bytes);
  }

  // Sources [first, first + count) at that share of the clean run, as a change of `site` [pos, count, width].
  Interventions mixed(const std::string& site, int64_t first, int64_t count, double share) const {
    Interventions changes;
    for (int64_t prompt = 0; prompt < static_cast<int64_t>(own_.of.size()); ++prompt) {
      const int64_t length = own_.length[static_cast<size_t>(prompt)], width = own_.width;
      Intervention change{.site = site, .change = Change::set, .where = {{"prompt", prompt}}};
      change.values.resize(static_cast<size_t>(length * count * width));
      for (int64_t one = 0; one < count; ++one) {
        const T* own = own_.at(prompt, first + one);
        const T* difference = difference_.at(prompt, first + one);
        for (int64_t pos = 0; pos < length; ++pos)
          for (int64_t i = 0; i < width; ++i)
            change.values[static_cast<size_t>((pos * count + one) * width + i)] =
                static_cast<double>(own[pos * width + i]) +
                (1 - share) * static_cast<double>(difference[pos * width + i]);
      }
      changes.push_back(std::move(change));
    }
    return changes;
  }

  // The sources of one group at a time, alpha = j / n for j = 1 .. n; the sum is divided by groups * n, the
  // authors' normalisation.
  void along_activations(Task& task) {
    const int64_t groups = 1 + 2 * graph_.layers, all = groups * plan_.steps;
    int64_t done = 0;
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t j = 1; j <= plan_.steps; ++j) {
        const double share = static_cast<double>(j) / static_cast<double>(plan_.steps);
        const int64_t layer = (group - 1) / 2;
        Interventions changes;
        if (group == 0)
          changes = mixed("embed", 0, 1, share);
        else if (group % 2 == 1)
          changes =
              mixed(fmt::format("blocks.{}.attn.result", layer), graph_.head(layer, 0), graph_.heads, share);
        else
          changes = mixed(fmt::format("blocks.{}.mlp_out", layer), graph_.mlp(layer), 1, share);
        const bool blind = group == 0 && plan_.input_group == InputGroup::as_library &&
                           weights_.spec().positions != Positions::learned;
        gradients(changes, 1 / static_cast<double>(all), blind ? First::left_out : First::seen);
        task.step(++done, all);
      }
  }

  // Every edge on its own: the metric with that edge corrupted, minus the clean one.
  void exact(Task& task) {
    SourceValues<T> other = difference_;
    for (size_t prompt = 0; prompt < own_.of.size(); ++prompt)
      for (size_t i = 0; i < own_.of[prompt].size(); ++i) other.of[prompt][i] += own_.of[prompt][i];
    CircuitRunner<T> runner(graph_, weights_, clean_, compute_, other);
    EdgeSet all(graph_);
    all.fill();
    const std::vector<double> base = runner.metric(all, *metric_);
    int64_t done = 0;
    for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
      for (int64_t source = 0; source < graph_.sources_of(destination); ++source) {
        all.set(source, destination, 0);
        const std::vector<double> without = runner.metric(all, *metric_);
        all.set(source, destination, 1);
        for (size_t prompt = 0; prompt < scores_.size(); ++prompt) {
          const double score = without[prompt] - base[prompt];
          scores_[prompt].edges[static_cast<size_t>(source * graph_.destinations() + destination)] =
              static_cast<float>(score);
          scores_[prompt].nodes[static_cast<size_t>(source)] += score;
        }
        task.step(++done, graph_.edges());
      }
  }

  const CircuitGraph& graph_;
  const Weights& weights_;
  const Probes &clean_, &corrupted_;
  Compute compute_;
  EdgePlan plan_;
  std::unique_ptr<Metric> metric_;
  SourceValues<T> own_, difference_;
  std::vector<PairScores> scores_;
};

}  // namespace

int64_t pairs_at_once(const ModelSpec& spec, const Probes& clean, Compute compute, const EdgePlan& plan) {
  const auto pairs = static_cast<int64_t>(clean.prompts.size());
  const int64_t each =
      graph_of(spec).sources() * clean.longest() * spec.d_model * (compute == Compute::f64 ? 8 : 4);
  const int64_t most = std::clamp<int64_t>(plan.batch_bytes / std::max<int64_t>(1, each), 1, pairs);
  const int64_t parts = (pairs + most - 1) / most;
  return (pairs + parts - 1) / parts;
}

int64_t pairs_at_once(const Weights& weights, const Probes& clean, Compute compute, const EdgePlan& plan) {
  return weights.frugal() ? 1 : pairs_at_once(weights.spec(), clean, compute, plan);
}

void edge_scores(const CircuitGraph& graph, const Weights& weights, const Probes& clean,
                 const Probes& corrupted, Compute compute, const std::string& metric, const EdgePlan& plan,
                 const TakePair& take, Task& task) {
  const int64_t pairs = static_cast<int64_t>(clean.prompts.size());
  const int64_t at_once = pairs_at_once(weights, clean, compute, plan);
  for (int64_t first = 0; first < pairs; first += at_once) {
    const PromptBlock block{first, std::min(at_once, pairs - first)};
    const Probes some = prompts_of(clean, block), others = prompts_of(corrupted, block);
    Task part = task.part(static_cast<double>(first) / static_cast<double>(pairs),
                          static_cast<double>(first + block.count) / static_cast<double>(pairs));
    const auto run = [&](auto batch) {
      const std::vector<PairScores>& scores = batch.run(part);
      for (int64_t i = 0; i < block.count; ++i) take(first + i, scores[static_cast<size_t>(i)]);
    };
    if (compute == Compute::f64)
      run(Batch<double>(graph, weights, some, others, compute, metric, plan));
    else
      run(Batch<float>(graph, weights, some, others, compute, metric, plan));
  }
}

}  // namespace varve
