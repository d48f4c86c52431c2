// Activation patching: what one activation of one run does in the place of the other run's (Vig et al. 2020,
// Meng et al. 2022, Heimersheim and Nanda 2024).
//
// Denoising: run the corrupted prompt, put one clean activation in, report the metric m. Noising: the other
// way round. Reported is m itself, averaged over pairs, and recovery = (m - m_base) / (m_donor - m_base),
// base being the run that is patched. Positions are counted from the first token of each pair.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/streams.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/memory_plan.h"

namespace varve {
namespace {

struct Params {
  std::string metric = "logit-diff";
  std::string direction = "denoising";
  std::string what = "resid_pre,attn_out,mlp_out,head_z,head_q,head_k,head_v,head_pattern";

  template <class Visit>
  void each(Visit&& visit) {
    visit("metric", metric, "what is read at each pair's answer", metric_choices());
    visit("direction", direction, "clean into corrupted (denoising), or corrupted into clean (noising)",
          Choices{"denoising", "noising"});
    visit("what", what,
          "which maps to make: resid_pre, attn_out, mlp_out, head_z, head_q, head_k, head_v, head_pattern, "
          "head_z_by_pos");
  }
};

enum class Cut { position, head, both };
struct Part {
  std::string name, site;
  Cut cut = Cut::position;
};

const std::vector<Part>& parts() {
  static const std::vector<Part> all = {
      {"resid_pre", "resid_pre", Cut::position}, {"attn_out", "attn_out", Cut::position},
      {"mlp_out", "mlp_out", Cut::position},     {"head_z", "attn.z", Cut::head},
      {"head_q", "attn.q", Cut::head},           {"head_k", "attn.k", Cut::head},
      {"head_v", "attn.v", Cut::head},           {"head_pattern", "attn.pattern", Cut::head},
      {"head_z_by_pos", "attn.z", Cut::both},
  };
  return all;
}

std::vector<Part> chosen_parts(const std::string& list) {
  std::vector<Part> chosen;
  std::vector<std::string> names;
  for (const Part& part : parts()) names.push_back(part.name);
  for (const std::string& name : split(list, ',')) {
    bool known = false;
    for (const Part& part : parts())
      if (part.name == name) known = (chosen.push_back(part), true);
    if (!known) fail_usage("there is nothing '{}' to patch; did you mean '{}'?", name, nearest(name, names));
  }
  return chosen;
}

// Bytes that one pair holds while its maps are made: both runs' streams, a layer's sites of the donor, what
// is laid down, and a pass.
int64_t pair_bytes(const ModelSpec& spec, int64_t length, Compute compute) {
  const int64_t number = compute == Compute::f64 ? 8 : 4, d = spec.d_model;
  const int64_t own = spec.heads * spec.d_head, shared = spec.kv_heads * spec.d_head;
  const int64_t hidden = std::max(spec.d_mlp, spec.experts_per_token * spec.d_expert + spec.d_shared);
  const int64_t streams = 2 * (spec.layers + 1) * d * 8;
  const int64_t sites = (3 * d + 2 * own + 2 * shared + spec.heads * length) * 8;
  const int64_t laid_down = 2 * std::max(d, length) * 8;
  const int64_t pass = (7 * d + 3 * own + 2 * shared + 2 * hidden) * number;
  return length * (streams + sites + laid_down + pass);
}

int64_t pairs_at_once(const ModelSpec& spec, const Probes& probes, Compute compute) {
  constexpr int64_t enough = int64_t{256} << 20;  // to keep the products wide
  return std::clamp<int64_t>(enough / std::max<int64_t>(1, pair_bytes(spec, probes.longest(), compute)), 1,
                             static_cast<int64_t>(probes.prompts.size()));
}

class PatchingCell : public Cell {
 public:
  PatchingCell(const Study& study, const Params& params)
      : study_(study), params_(params), parts_(chosen_parts(params.what)) {
    corrupted_of(study.probes());  // for its error, before any work
  }
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    const auto pairs = static_cast<int64_t>(study_.probes().prompts.size());
    const int64_t at_once =
        study_.weights().frugal() ? 1 : pairs_at_once(study_.spec(), study_.probes(), study_.compute());
    denoising_ = params_.direction == "denoising";
    make_arrays(pairs);
    for (int64_t first = 0; first < pairs; first += at_once)
      patch_pairs({first, std::min(at_once, pairs - first)}, task);
    return finished();
  }

 private:
  std::vector<double> metric_at(const Streams& streams, int64_t layer) {
    Task quiet;
    const StartFrom from(streams, layer, study_.compute());
    return metric_values(study_.weights(), streams.probes, study_.compute(), *metric_, quiet, {},
                         from.start());
  }

  int64_t heads_of(const Part& part) const {
    const bool grouped = part.site == "attn.k" || part.site == "attn.v";
    return grouped ? study_.spec().kv_heads : study_.spec().heads;
  }
  std::string head_axis(const Part& part) const {
    return heads_of(part) == study_.spec().heads ? "head" : "kv_head";
  }

  // All maps of some pairs: what a pair gives does not depend on those beside it.
  void patch_pairs(const PromptBlock& block, Task& task) {
    const ModelSpec& spec = study_.spec();
    const Probes clean = prompts_of(study_.probes(), block), corrupted = corrupted_of(clean);
    Task quiet;
    first_ = block.first;
    metric_ = task_metric(params_.metric, study_.weights(), clean, study_.compute(), quiet);
    base_ = streams_of(study_.weights(), denoising_ ? corrupted : clean, study_.compute(), quiet);
    donor_ = streams_of(study_.weights(), denoising_ ? clean : corrupted, study_.compute(), quiet);
    const std::vector<double> base = metric_at(base_, spec.layers), donor = metric_at(donor_, spec.layers);
    base_metrics_.insert(base_metrics_.end(), base.begin(), base.end());
    donor_metrics_.insert(donor_metrics_.end(), donor.begin(), donor.end());
    for (int64_t layer = 0; layer < spec.layers; ++layer) {
      task.doing(fmt::format("patching layer {} of {}", layer + 1, spec.layers));
      patch_layer(layer, task);
    }
    compare_whole_streams(donor);
  }

  void make_arrays(int64_t pairs) {
    const int64_t layers = study_.spec().layers, longest = study_.probes().longest();
    for (const Part& part : parts_) {
      std::vector<std::string> axes = {"layer"};
      std::vector<int64_t> shape = {layers};
      if (part.cut != Cut::position) {
        axes.push_back(head_axis(part));
        shape.push_back(heads_of(part));
      }
      if (part.cut != Cut::head) {
        axes.push_back("pos");
        shape.push_back(longest);
      }
      Array array = Array::empty(Dtype::f64, axes, shape);
      array.unit = unit_of_metric(params_.metric);
      array.title = fmt::format("{} with one {} patched", params_.metric, part.name);
      passes_ += array.size() * pairs;
      values_.emplace_back(static_cast<size_t>(array.size() * pairs),
                           std::numeric_limits<double>::quiet_NaN());
      metrics_.push_back(std::move(array));
    }
  }

  void patch_layer(int64_t layer, Task& task) {
    std::vector<std::string> names;
    for (const Part& part : parts_) names.push_back(fmt::format("blocks.{}.{}", layer, part.site));
    Task quiet;
    const KeptSites own = layer_sites(study_.weights(), donor_, layer, study_.compute(), names, quiet);
    const StartFrom from(base_, layer, study_.compute());
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      const int64_t heads = part.cut == Cut::position ? 1 : heads_of(part);
      const int64_t longest = part.cut == Cut::head ? 1 : study_.probes().longest();
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t pos = 0; pos < longest; ++pos) {
          const std::vector<double> values = patched(layer, part, head, pos, own, from.start());
          const int64_t flat = (layer * heads + head) * longest + pos;
          const auto pairs = static_cast<int64_t>(study_.probes().prompts.size());
          std::copy(values.begin(), values.end(), values_[i].begin() + flat * pairs + first_);
          done_ += static_cast<int64_t>(values.size());
          task.step(done_, passes_);
        }
    }
  }

  // The metric of every pair, unchanged where it has no such place.
  std::vector<double> patched(int64_t layer, const Part& part, int64_t head, int64_t pos,
                              const KeptSites& donor, const Start& start) {
    const std::string site = fmt::format("blocks.{}.{}", layer, part.site);
    Interventions changes;
    for (int64_t prompt = 0; prompt < static_cast<int64_t>(base_.probes.prompts.size()); ++prompt) {
      const std::vector<int64_t>& shape = donor.shape(site, prompt);
      if (part.cut != Cut::head && pos >= shape[0]) continue;
      Intervention change{.site = site, .change = Change::set, .where = {{"prompt", prompt}}};
      if (part.cut != Cut::position)
        change.where[part.site == "attn.pattern" ? "head" : head_axis(part)] = head;
      if (part.cut != Cut::head) change.where["pos"] = pos;
      change.values = selected(donor.of(site, prompt), shape, part, head, pos);
      changes.push_back(std::move(change));
    }
    Task quiet;
    return metric_values(study_.weights(), base_.probes, study_.compute(), *metric_, quiet, changes, start);
  }

  // The values that an intervention at this place lays down, in its order.
  static std::vector<double> selected(const std::vector<double>& values, const std::vector<int64_t>& shape,
                                      const Part& part, int64_t head, int64_t pos) {
    std::vector<double> out;
    const bool pattern = part.site == "attn.pattern";
    const int64_t rows = pattern ? shape[0] : shape[0], width = static_cast<int64_t>(values.size()) / rows;
    for (int64_t row = 0; row < rows; ++row) {
      if (pattern ? row != head : part.cut != Cut::head && row != pos) continue;
      const int64_t inner = pattern || part.cut == Cut::position ? width : shape[2];
      const int64_t offset = pattern || part.cut == Cut::position ? 0 : head * inner;
      const auto first = values.begin() + row * width + offset;
      out.insert(out.end(), first, first + inner);
    }
    return out;
  }

  Dataset finished() {
    Dataset result;
    result.title = "Activation patching";
    if (!parts_.empty()) result.provenance["leading_array"] = parts_.front().name + "_recovery";
    const double base = mean_of(base_metrics_), donor = mean_of(donor_metrics_);
    const size_t pairs = base_metrics_.size(), longest = static_cast<size_t>(study_.probes().longest());
    for (size_t i = 0; i < parts_.size(); ++i) {
      Array error = metrics_[i], recovery = metrics_[i];
      for (size_t place = 0; place * pairs < values_[i].size(); ++place) {
        std::vector<double> there;  // of the pairs that have the place
        const size_t pos = parts_[i].cut == Cut::head ? 0 : place % longest;
        for (size_t pair = 0; pair < pairs; ++pair)
          if (pos < study_.probes().prompts[pair].size()) there.push_back(values_[i][place * pairs + pair]);
        metrics_[i].as<double>()[place] = mean_of(there);
        error.as<double>()[place] = standard_error_of(there);
        recovery.as<double>()[place] = (mean_of(there) - base) / (donor - base);
      }
      error.title += ", standard error over pairs";
      recovery.unit = "share";
      recovery.title = fmt::format("share of the difference that one patched {} makes up", parts_[i].name);
      result.set(parts_[i].name, metrics_[i]);
      result.set(parts_[i].name + "_se", std::move(error));
      result.set(parts_[i].name + "_recovery", std::move(recovery));
    }
    const auto scalar = [&](const char* name, const char* title, double value) {
      Array array = Array::scalar(value);
      array.unit = unit_of_metric(params_.metric);
      array.title = title;
      result.set(name, std::move(array));
    };
    scalar("clean_metric", "metric of the clean run", denoising_ ? donor : base);
    scalar("corrupted_metric", "metric of the corrupted run", denoising_ ? base : donor);
    result.checks.push_back({"whole stream patched = the other run", worst_, 0, static_cast<int64_t>(pairs),
                             worst_ <= 0, "metric after every position of blocks.0.resid_pre was replaced"});
    result.notes.push_back(fmt::format("{} pairs, {}, metric {}.", pairs, params_.direction, params_.metric));
    return result;
  }

  // Every position of the donor's first stream at once is the donor's run.
  void compare_whole_streams(const std::vector<double>& expected) {
    Interventions all;
    const int64_t width = study_.spec().d_model;
    int64_t at = 0;
    for (size_t prompt = 0; prompt < donor_.probes.prompts.size(); ++prompt) {
      const auto size = static_cast<int64_t>(donor_.probes.prompts[prompt].size()) * width;
      Intervention change{.site = "blocks.0.resid_pre",
                          .change = Change::set,
                          .where = {{"prompt", static_cast<int64_t>(prompt)}}};
      change.values.assign(donor_.at[0].begin() + at, donor_.at[0].begin() + at + size);
      at += size;
      all.push_back(std::move(change));
    }
    Task quiet;
    const std::vector<double> got =
        metric_values(study_.weights(), base_.probes, study_.compute(), *metric_, quiet, all);
    for (size_t i = 0; i < got.size(); ++i) worst_ = std::max(worst_, std::abs(got[i] - expected[i]));
  }

  const Study& study_;
  Params params_;
  std::vector<Part> parts_;
  bool denoising_ = true;
  int64_t first_ = 0;  // of the pairs in hand
  std::unique_ptr<Metric> metric_;
  Streams base_, donor_;
  std::vector<double> base_metrics_, donor_metrics_;  // [pair]
  std::vector<Array> metrics_;
  std::vector<std::vector<double>> values_;  // [part][place of the map * pairs + pair]
  double worst_ = 0;
  int64_t passes_ = 0, done_ = 0;
};

CellCost cost(const ModelSpec& spec, const SettingValues& values, const Probes& probes, Compute compute) {
  const Params params = read_settings<Params>(values, "activation-patching");
  const auto pairs = static_cast<int64_t>(probes.prompts.size());
  const int64_t longest = probes.longest(), number = compute == Compute::f64 ? 8 : 4;
  int64_t places = 0;
  for (const Part& part : chosen_parts(params.what))
    places +=
        spec.layers * (part.cut == Cut::position ? 1 : spec.heads) * (part.cut == Cut::head ? 1 : longest);
  // Logits of a tile of answers beside the divergence's own; the largest matrix, packed.
  const int64_t logits = output_vocab(spec) * (params.metric == "kl" ? 3 : 1) * 8;
  const int64_t matrix = 2 * spec.d_model * std::max(spec.d_mlp, spec.heads * spec.d_head) * number;
  const int64_t fixed = places * (pairs + 3) * 8 + matrix;
  const int64_t at_once = pairs_at_once(spec, probes, compute);
  CellCost cell;
  cell.scratch = at_once * (pair_bytes(spec, longest, compute) + logits) + fixed;
  cell.frugal_scratch = pair_bytes(spec, longest, compute) + logits + fixed;
  // Half the layers on average, for every place of every map.
  const double block =
      2.0 * static_cast<double>(4 * spec.d_model * spec.heads * spec.d_head + 3 * spec.d_model * spec.d_mlp);
  cell.flops = static_cast<double>(probes.tokens()) * block * static_cast<double>(spec.layers) *
               (4 + 0.5 * static_cast<double>(places));
  return cell;
}

std::unique_ptr<Cell> begin(const Study& study, const SettingValues& values) {
  return std::make_unique<PatchingCell>(study, read_settings<Params>(values, "activation-patching"));
}

}  // namespace

void add_activation_patching(AnalysisCatalog& catalog) {
  Analysis patching;
  patching.name = "activation-patching";
  patching.summary =
      "which activation carries the answer: one is taken from another run, the rest computed on";
  patching.help =
      "Needs a task of clean and corrupted pairs. Denoising runs the corrupted prompt with one clean "
      "activation, noising the clean prompt with a corrupted one. Maps over layer x position and layer x "
      "head give the metric itself (logits, probability or nats), `_recovery` the share of the difference "
      "between the runs, `_se` the standard error over pairs. "
      "Example: varve run activation-patching demo.varve --task ioi.toml --set metric=logit-diff";
  patching.settings = declared_settings<Params>();
  patching.begin = begin;
  patching.cost = cost;
  catalog.add(std::move(patching));
}

}  // namespace varve
