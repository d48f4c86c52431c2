// Update speed: which kind of weights settles first, the router, the experts or attention? How far the norms
// of weight matrices move from checkpoint to checkpoint (Li, Fan and Zhou, arXiv 2506.21551 v4).
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "analysis/analysis.h"
#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/statistics.h"
#include "analysis/pathways/estimates.h"

namespace varve {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Params {
  double share = 0.5;
  int64_t bootstrap = 1000, seed = 0;

  template <class Visit>
  void each(Visit&& visit) {
    visit("share", share, "share of the checkpoints that counts as early, and the same as late",
          Range{0.05, 0.5});
    visit("bootstrap", bootstrap, "resamplings of matrices behind each interval", Range{100, 100000});
    visit("seed", seed, "seed of the resampling", Range{0, 1e15});
  }
};

// Kinds in the order they are shown.
const std::vector<std::string> kinds{"router", "expert", "attention", "mlp", "embedding", "unembedding"};

std::string kind_of(const std::string& tensor) {
  if (tensor.find("W_router") != std::string::npos) return "router";
  if (tensor.find(".experts.") != std::string::npos || tensor.find(".shared.") != std::string::npos)
    return "expert";
  if (tensor.find(".attn.") != std::string::npos) return "attention";
  if (tensor.find(".mlp.") != std::string::npos) return "mlp";
  return tensor.starts_with("unembed") ? "unembedding" : "embedding";
}

std::vector<std::string> matrices_of(const Weights& weights) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (weights.has(name)) names.push_back(name);
  };
  add("embed.W_E");
  add("pos_embed.W_pos");
  for (int64_t layer = 0; layer < weights.spec().layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    for (const char* one : {"W_Q", "W_K", "W_V", "W_O"}) add(block + "attn." + one);
    add(block + "mlp.W_router");
    std::vector<std::string> homes{"mlp.", "mlp.shared."};
    for (int64_t e = 0; weights.has(fmt::format("{}mlp.experts.{}.W_in", block, e)); ++e)
      homes.push_back(fmt::format("mlp.experts.{}.", e));
    for (const std::string& home : homes)
      for (const char* one : {"W_in", "W_gate", "W_out"}) add(block + home + one);
  }
  if (!weights.spec().tied) add("unembed.W_U");
  return names;
}

double norm_of(const Weights& weights, const std::string& name) {
  const Matrix matrix = weights.matrix(name);
  constexpr int64_t tile = 64;
  std::vector<double> rows(static_cast<size_t>(tile * matrix.columns));
  double squares = 0;
  for (int64_t first = 0; first < matrix.rows; first += tile) {
    const int64_t count = std::min(tile, matrix.rows - first);
    widen_rows(matrix, first, count, rows.data());
    for (int64_t i = 0; i < count * matrix.columns; ++i)
      squares += rows[static_cast<size_t>(i)] * rows[static_cast<size_t>(i)];
  }
  return std::sqrt(squares);
}

class NormCell : public Cell {
 public:
  explicit NormCell(const Study& study) : study_(study) {}
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    const std::vector<std::string> names = matrices_of(study_.weights());
    if (names.empty()) fail("the model has no weight matrix by a name that is known here");
    const auto count = static_cast<int64_t>(names.size());
    std::vector<double> norms;
    double worst = 0;
    for (const std::string& name : names) {
      norms.push_back(norm_of(study_.weights(), name));
      if (!std::isfinite(norms.back())) worst = 1;
      task.step(static_cast<int64_t>(norms.size()), count);
    }
    Dataset cell;
    cell.title = "Norms of weight matrices";
    cell.set("norm", titled({"matrix"}, {count}, std::move(norms), "L2 norm of the matrix", "L2"));
    cell.set_coord("matrix", Array({"matrix"}, {count}, names));
    cell.checks.push_back({"norms are finite", worst, 0, count, worst == 0, "1: one is not"});
    return cell;
  }

 private:
  const Study& study_;
};

struct Speed {
  double early = missing, late = missing, stability = missing;
};

// changes: one a checkpoint, the first of all has none.
Speed speed_of(const std::vector<double>& changes, double share) {
  Speed speed;
  const size_t count = changes.size(),
               part = static_cast<size_t>(std::ceil(share * static_cast<double>(count)));
  if (count < 2) return speed;
  const size_t ends = std::min(part, count / 2);
  double early = 0, late = 0, mean = 0, squares = 0;
  for (size_t i = 0; i < ends; ++i) {
    early += changes[i] / static_cast<double>(ends);
    late += changes[count - 1 - i] / static_cast<double>(ends);
  }
  for (const double one : changes) mean += one / static_cast<double>(count);
  for (const double one : changes) squares += (one - mean) * (one - mean);
  speed.early = early;
  speed.late = late;
  const double deviation = std::sqrt(squares / static_cast<double>(count));
  speed.stability = deviation > 0 ? 1 / deviation : missing;
  return speed;
}

Dataset speeds(const Dataset& joined, const SettingValues& values, Task& task) {
  const Params params = read_settings<Params>(values, "update-speed");
  const Array& norms = joined["norm"];
  const Array* names = joined.coord("matrix");
  const int64_t steps = joined.extent("step"), matrices = joined.extent("matrix");
  if (steps < 2) fail("update speed compares checkpoints, and there is {}; give two or more", steps);
  std::map<std::string, std::vector<int64_t>> members;
  for (int64_t i = 0; i < matrices; ++i) members[kind_of(names->text(i))].push_back(i);
  std::vector<std::string> present;
  for (const std::string& kind : kinds)
    if (members.contains(kind)) present.push_back(kind);
  const auto count = static_cast<int64_t>(present.size());
  const auto size = static_cast<size_t>(steps * count);
  std::vector<double> change(size, missing), low = change, high = change;
  std::vector<double> early, late, speed, stability;
  std::vector<int64_t> held;
  std::mt19937_64 random(static_cast<uint64_t>(params.seed));
  for (int64_t k = 0; k < count; ++k) {
    const std::vector<int64_t>& mine = members[present[static_cast<size_t>(k)]];
    std::vector<double> series;
    for (int64_t step = 1; step < steps; ++step) {
      std::vector<double> moved;
      for (const int64_t i : mine) {
        double scale = 0;
        for (int64_t s = 0; s < steps; ++s)
          scale += norms.number(s * matrices + i) / static_cast<double>(steps);
        if (scale > 0)
          moved.push_back(
              std::abs(norms.number(step * matrices + i) - norms.number((step - 1) * matrices + i)) / scale);
      }
      const auto mean = [](const std::vector<double>& all) {
        double sum = 0;
        for (const double one : all) sum += one;
        return all.empty() ? missing : sum / static_cast<double>(all.size());
      };
      const auto at = static_cast<size_t>(step * count + k);
      change[at] = mean(moved);
      series.push_back(change[at]);
      if (moved.size() < 2) continue;
      std::vector<double> drawn;
      for (int64_t draw = 0; draw < params.bootstrap; ++draw) {
        double sum = 0;
        for (size_t i = 0; i < moved.size(); ++i) sum += moved[random() % moved.size()];
        drawn.push_back(sum / static_cast<double>(moved.size()));
      }
      low[at] = quantile(drawn, 0.025);
      high[at] = quantile(std::move(drawn), 0.975);
      task.step(k * steps + step, count * steps);
    }
    const Speed one = speed_of(series, params.share);
    early.push_back(one.early);
    late.push_back(one.late);
    speed.push_back(one.early - one.late);
    stability.push_back(one.stability);
    held.push_back(static_cast<int64_t>(mine.size()));
  }
  Dataset result;
  result.title = "Update speed by kind of weights";
  const auto over = [&](const char* name, std::vector<double> numbers, const char* title) {
    result.set(name, titled({"step", "kind"}, {steps, count}, std::move(numbers), title, "1"));
  };
  over("change", std::move(change),
       "mean |change of L2 norm| since the checkpoint before, over the mean norm");
  over("change_low", std::move(low), "change, lower end of the 95 % interval");
  over("change_high", std::move(high), "change, upper end of the 95 % interval");
  const auto by_kind = [&](const char* name, std::vector<double> numbers, const char* title) {
    result.set(name, titled({"kind"}, {count}, std::move(numbers), title, "1"));
  };
  by_kind("early", std::move(early), "mean change over the early checkpoints");
  by_kind("late", std::move(late), "mean change over the late checkpoints");
  by_kind("convergence_speed", std::move(speed), "convergence speed: early minus late change");
  by_kind("stability", std::move(stability), "stability: 1 over the standard deviation of the changes");
  result.set("matrices",
             titled({"kind"}, {count}, std::move(held), "weight matrices of the kind", "matrices"));
  result.set_coord("kind", Array({"kind"}, {count}, present));
  result.set_coord("step", *joined.coord("step"));
  result.checks = joined.checks;
  result.notes.push_back("Intervals: 95 % bootstrap over the matrices of a kind.");
  result.notes.push_back(
      "Checkpoints are taken as they come: where they lie unevenly, choose even ones with --steps before "
      "speeds "
      "are compared.");
  if (steps - 1 < 8)
    result.notes.push_back(
        fmt::format("Only {} changes: speed and stability are hardly known below 8.", steps - 1));
  return result;
}

}  // namespace

void add_update_speed(AnalysisCatalog& catalog) {
  Analysis speed;
  speed.name = "update-speed";
  speed.summary = "how fast router, experts and attention settle, by the norms of their weights";
  speed.help =
      "For each weight matrix |norm(t) - norm(t before)| over its mean norm, then the mean over the matrices "
      "of a "
      "kind. Convergence speed is the mean of the early checkpoints minus that of the late ones, stability "
      "one "
      "over the standard deviation; all are pure numbers (arXiv 2506.21551 v4). A norm can stand still while "
      "its "
      "matrix turns, so a low value does not say that nothing is learned. Reads weights only, no prompt. "
      "Example: "
      "varve run update-speed moe.varve --steps 1000-4000";
  speed.settings = declared_settings<Params>();
  speed.needs_probes = false;
  speed.begin = [](const Study& study, const SettingValues&) -> std::unique_ptr<Cell> {
    return std::make_unique<NormCell>(study);
  };
  speed.reduce = speeds;
  catalog.add(std::move(speed));
}

}  // namespace varve
