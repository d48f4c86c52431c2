// Effective dimension, a toy: do routers whose samples take more distant paths use more directions of the
// kernel? One mixture-of-experts layer with a frozen random router on clustered Gaussian samples (arXiv
// 2506.21551 v4, figure 8). The paper leaves ridge, hidden width, number of routers and their sharpness open;
// here they are settings.
#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/analysis.h"
#include "analysis/core/correlation.h"
#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/pathways/edit_distance.h"
#include "analysis/pathways/estimates.h"
#include "analysis/pathways/pathway.h"
#include "analysis/pathways/routing_kernel.h"

namespace varve {
namespace {

struct Params {
  int64_t samples = 200, width = 100, experts = 16, hidden = 64, clusters = 8, routers = 50, bootstrap = 1000,
          seed = 0;
  double ridge = 0.01, theta = 0.7, spread = 0.5, sharp_low = 1, sharp_high = 4, noise = 0.1, delta = 0.05;

  template <class Visit>
  void each(Visit&& visit) {
    visit("samples", samples, "how many samples", Range{8, 2000});
    visit("width", width, "dimensions of a sample", Range{2, 2000});
    visit("experts", experts, "how many experts", Range{2, 256});
    visit("hidden", hidden, "hidden units of an expert", Range{1, 2000});
    visit("clusters", clusters, "Gaussian clusters the samples come from", Range{1, 1000});
    visit("spread", spread, "standard deviation within a cluster; that of the centres is 1", Range{0, 100});
    visit("routers", routers, "random routers, one point of the scatter each", Range{3, 1000});
    visit("sharp_low", sharp_low, "least standard deviation of a router's logits", Range{0.01, 100});
    visit("sharp_high", sharp_high, "largest; each router's is drawn between the two", Range{0.01, 100});
    visit("ridge", ridge, "lambda as a share of the mean eigenvalue", Range{1e-9, 1e3});
    visit("noise", noise, "standard deviation of the labels' noise in the risk bound", Range{0, 100});
    visit("delta", delta, "chance that the risk bound does not hold", Range{1e-9, 0.999});
    visit("theta", theta, "a path holds the experts whose summed weight exceeds this", Range{0.05, 0.999});
    visit("bootstrap", bootstrap, "resamplings of routers behind the interval", Range{100, 100000});
    visit("seed", seed, "seed of samples, experts and routers", Range{0, 1e15});
  }
};

// Standard normals whose bits depend on the seed alone (Box and Muller 1958).
class Normals {
 public:
  explicit Normals(uint64_t seed) : random_(seed) {}
  double uniform() { return (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53; }
  double operator()() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::mt19937_64 random_;
};

std::vector<double> clustered(const Params& params, Normals& normal) {
  std::vector<double> centres, x;
  for (int64_t i = 0; i < params.clusters * params.width; ++i) centres.push_back(normal());
  for (int64_t i = 0; i < params.samples; ++i) {
    const int64_t cluster = i % params.clusters;
    double square = 0;
    const size_t begin = x.size();
    for (int64_t d = 0; d < params.width; ++d) {
      x.push_back(centres[static_cast<size_t>(cluster * params.width + d)] + params.spread * normal());
      square += x.back() * x.back();
    }
    // Unit length, so that no sample outweighs another in the kernel.
    for (size_t d = begin; d < x.size(); ++d) x[d] /= std::sqrt(square);
  }
  return x;
}

struct Point {
  double sharpness = 0, distance = 0;
  EffectiveDimension dimension;
  RiskBound bound;
};

// Every other cluster is +1, the others -1, with noise.
std::vector<double> labels_of(const Params& params, Normals& normal) {
  std::vector<double> labels;
  for (int64_t i = 0; i < params.samples; ++i)
    labels.push_back((i % params.clusters % 2 == 0 ? 1 : -1) + params.noise * normal());
  return labels;
}

Point measure(const Params& params, const std::vector<double>& x, const std::vector<double>& labels,
              const std::vector<std::vector<double>>& kernels, uint64_t seed) {
  Normals normal(seed);
  Point point;
  point.sharpness = params.sharp_low + (params.sharp_high - params.sharp_low) * normal.uniform();
  std::vector<double> router;
  for (int64_t i = 0; i < params.experts * params.width; ++i) router.push_back(point.sharpness * normal());
  std::vector<double> gates;
  std::vector<std::vector<int64_t>> paths;
  for (int64_t i = 0; i < params.samples; ++i) {
    std::vector<double> g(static_cast<size_t>(params.experts), 0);
    for (int64_t j = 0; j < params.experts; ++j)
      for (int64_t d = 0; d < params.width; ++d)
        g[static_cast<size_t>(j)] +=
            router[static_cast<size_t>(j * params.width + d)] * x[static_cast<size_t>(i * params.width + d)];
    const double most = *std::max_element(g.begin(), g.end());
    double mass = 0;
    for (double& one : g) mass += one = std::exp(one - most);
    for (double& one : g) one /= mass;
    paths.push_back(layer_path(g, params.theta));
    gates.insert(gates.end(), g.begin(), g.end());
  }
  double sum = 0, pairs = 0;
  for (size_t i = 0; i < paths.size(); ++i)
    for (size_t k = i + 1; k < paths.size(); ++k, ++pairs)
      sum += static_cast<double>(edit_distance(paths[i], paths[k])) /
             static_cast<double>(std::max(paths[i].size(), paths[k].size()));
  point.distance = sum / pairs;
  const std::vector<double> kernel = routing_kernel(kernels, gates, params.samples);
  point.dimension = effective_dimension(kernel, params.samples, params.ridge);
  point.bound = risk_bound(kernel, point.dimension, labels, params.noise, params.delta);
  return point;
}

double deviation(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) square += (value - mean) * (value - mean);
  return std::sqrt(square / n);
}

Dataset toy(const Dataset&, const Inputs&, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "effective-dimension");
  if (params.sharp_low > params.sharp_high)
    fail_usage("sharp_low = {} is above sharp_high = {}", params.sharp_low, params.sharp_high);
  Normals normal(static_cast<uint64_t>(params.seed));
  const std::vector<double> x = clustered(params, normal);
  ToyExperts experts{params.width, params.hidden, {}, {}};
  for (int64_t j = 0; j < params.experts; ++j) {
    std::vector<double>&w = experts.w.emplace_back(), &a = experts.a.emplace_back();
    for (int64_t i = 0; i < params.hidden * params.width; ++i) w.push_back(normal());
    for (int64_t i = 0; i < params.hidden; ++i) a.push_back(normal());
  }
  std::vector<std::vector<double>> kernels(static_cast<size_t>(params.experts));
  parallel_for(params.experts, [&](int64_t j, int) {
    kernels[static_cast<size_t>(j)] = expert_kernel(experts, j, x, params.samples);
  });
  const std::vector<double> labels = labels_of(params, normal);
  std::vector<Point> points(static_cast<size_t>(params.routers));
  constexpr int64_t stretch = 4;
  for (int64_t first = 0; first < params.routers; first += stretch) {
    parallel_for(std::min(stretch, params.routers - first), [&](int64_t i, int) {
      points[static_cast<size_t>(first + i)] =
          measure(params, x, labels, kernels, static_cast<uint64_t>(params.seed + 1 + first + i));
    });
    task.step(first, params.routers);
  }
  std::vector<double> distance, share, sharpness, bias, variance;
  double worst_trace = 0, least = 0;
  for (const Point& point : points) {
    distance.push_back(point.distance);
    share.push_back(point.dimension.value / static_cast<double>(params.samples));
    sharpness.push_back(point.sharpness);
    bias.push_back(point.bound.bias);
    variance.push_back(point.bound.variance);
    worst_trace = std::max(worst_trace, std::abs(point.dimension.value - point.dimension.by_trace));
    least = std::min(least, point.dimension.least_eigenvalue / point.dimension.eigenvalues.front());
  }
  Dataset result;
  result.title = "Effective dimension against path distance";
  const std::vector<std::string> axes{"router"};
  const std::vector<int64_t> shape{params.routers};
  result.set("distance",
             titled(axes, shape, distance, "mean edit distance of paths over the longer one", "share"));
  result.set("dimension",
             titled(axes, shape, share, "effective dimension over the number of samples", "share"));
  result.set("sharpness", titled(axes, shape, sharpness, "standard deviation of the router's logits", ""));
  result.set("risk_bias", titled(axes, shape, bias, "risk bound, bias: lambda^2 / n y' (H + lambda I)^-2 y",
                                 "squared label"));
  result.set(
      "risk_variance",
      titled(axes, shape, variance, "risk bound, variance: noise^2 (effective dimension + log 1 / delta) / n",
             "squared label"));
  std::vector<double> bound = bias;
  for (size_t i = 0; i < bound.size(); ++i) bound[i] += variance[i];
  result.set("risk_bound", titled(axes, shape, std::move(bound),
                                  "risk bound, bias and variance with weights 1", "squared label"));
  const Correlation c = correlate(distance, share, params.bootstrap, static_cast<uint64_t>(params.seed));
  const double slope = c.pearson.value * deviation(share) / deviation(distance);
  result.notes.push_back(fmt::format(
      "Over {} routers: Pearson r = {:.3f} (95 % {:.2f} to {:.2f}), permutation p = {:.2g}; slope {:.3g}.",
      c.n, c.pearson.value, c.pearson.low, c.pearson.high, c.pearson.p, slope));
  result.notes.push_back(
      "Samples and experts are the same for every router. Routers differ in seed and in sharpness, which "
      "moves both sides; "
      "set sharp_low = sharp_high to see the seeds alone.");
  result.notes.push_back(
      "The risk bound's two constants are not given in the paper and stand at 1: compare routers by it, and "
      "take "
      "no bound for a risk.");
  constexpr double rounding = 1e-6;
  result.checks.push_back({"sum over eigenvalues = trace", worst_trace, rounding, params.routers,
                           worst_trace <= rounding, "effective dimension computed in two ways"});
  result.checks.push_back({"kernels have no negative eigenvalue", -least, 1e-9, params.routers,
                           -least <= 1e-9, "worst over the largest eigenvalue"});
  return result;
}

}  // namespace

void add_effective_dimension(AnalysisCatalog& catalog) {
  Analysis dimension;
  dimension.name = "effective-dimension";
  dimension.summary = "a toy: path distance against the effective dimension of the routing kernel";
  dimension.help =
      "One mixture-of-experts layer with ReLU experts and a frozen random router on clustered Gaussian "
      "samples. The routing "
      "kernel sums the experts' gradient kernels weighted by both samples' gates; its effective dimension is "
      "sum mu / (mu + "
      "lambda). Beside it the two terms of the bound on the risk of ridge regression in that kernel, for "
      "labels +1 "
      "and -1 by cluster. Needs no checkpoint; the store only keeps the result. Example: varve run "
      "effective-dimension "
      "moe.varve --set "
      "routers=50";
  dimension.version = 2;
  dimension.settings = declared_settings<Params>();
  dimension.needs_probes = false;
  dimension.reduce_with = toy;
  catalog.add(std::move(dimension));
}

}  // namespace varve
