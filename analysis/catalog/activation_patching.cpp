// Activation patching: what one activation of one run does in the place of the other run's (Vig et al. 2020,
// Meng et al. 2022, Heimersheim and Nanda 2024).
//
// Denoising: run the corrupted prompt, put one clean activation in, report the metric m. Noising: the other
// way round. Reported is m itself, averaged over pairs, and recovery = (m - m_base) / (m_donor - m_base),
// base being the run that is patched. Positions are counted from the first token of each pair.
#include <cmath>
#include <limits>

#include "analysis/analysis.h"
#include "analysis/circuits/streams.h"
#include "analysis/circuits/task_metric.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"

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

class PatchingCell : public Cell {
 public:
  PatchingCell(const Study& study, const Params& params)
      : study_(study), params_(params), parts_(chosen_parts(params.what)) {
    corrupted_of(study.probes());  // for its error, before any work
  }
  bool wants(const std::string&) const override { return false; }
  void see(const Site&) override {}

  Dataset finish(Task& task) override {
    const ModelSpec& spec = study_.spec();
    const Probes& clean = study_.probes();
    const Probes corrupted = corrupted_of(clean);
    Task quiet;
    metric_ = task_metric(params_.metric, study_.weights(), clean, study_.compute(), quiet);
    const bool denoising = params_.direction == "denoising";
    base_ = streams_of(study_.weights(), denoising ? corrupted : clean, study_.compute(), quiet);
    donor_ = streams_of(study_.weights(), denoising ? clean : corrupted, study_.compute(), quiet);
    base_metric_ = mean_of(metric_at(base_, spec.layers));
    donor_metric_ = mean_of(metric_at(donor_, spec.layers));
    make_arrays();
    for (int64_t layer = 0; layer < spec.layers; ++layer) {
      task.doing(fmt::format("patching layer {} of {}", layer + 1, spec.layers));
      patch_layer(layer, task);
    }
    return finished(denoising);
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

  void make_arrays() {
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
      metrics_.push_back(array);
      array.title += ", standard error over pairs";
      errors_.push_back(array);
      passes_ += array.size();
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
          const auto flat = static_cast<size_t>((layer * heads + head) * longest + pos);
          metrics_[i].as<double>()[flat] = mean_of(values);
          errors_[i].as<double>()[flat] = standard_error_of(values);
          task.step(++done_, passes_);
        }
    }
  }

  // The metric of every pair that has the place.
  std::vector<double> patched(int64_t layer, const Part& part, int64_t head, int64_t pos,
                              const KeptSites& donor, const Start& start) {
    const std::string site = fmt::format("blocks.{}.{}", layer, part.site);
    Interventions changes;
    std::vector<bool> has;
    for (int64_t prompt = 0; prompt < static_cast<int64_t>(base_.probes.prompts.size()); ++prompt) {
      const std::vector<int64_t>& shape = donor.shape(site, prompt);
      has.push_back(part.cut == Cut::head || pos < shape[0]);
      if (!has.back()) continue;
      Intervention change{.site = site, .change = Change::set, .where = {{"prompt", prompt}}};
      if (part.cut != Cut::position)
        change.where[part.site == "attn.pattern" ? "head" : head_axis(part)] = head;
      if (part.cut != Cut::head) change.where["pos"] = pos;
      change.values = selected(donor.of(site, prompt), shape, part, head, pos);
      changes.push_back(std::move(change));
    }
    Task quiet;
    const std::vector<double> all =
        metric_values(study_.weights(), base_.probes, study_.compute(), *metric_, quiet, changes, start);
    std::vector<double> values;
    for (size_t prompt = 0; prompt < all.size(); ++prompt)
      if (has[prompt]) values.push_back(all[prompt]);
    return values;
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

  Dataset finished(bool denoising) {
    Dataset result;
    result.title = "Activation patching";
    if (!parts_.empty()) result.provenance["leading_array"] = parts_.front().name + "_recovery";
    const double span = donor_metric_ - base_metric_;
    for (size_t i = 0; i < parts_.size(); ++i) {
      Array recovery = metrics_[i];
      for (double& value : recovery.as<double>()) value = (value - base_metric_) / span;
      recovery.unit = "share";
      recovery.title = fmt::format("share of the difference that one patched {} makes up", parts_[i].name);
      result.set(parts_[i].name, metrics_[i]);
      result.set(parts_[i].name + "_se", errors_[i]);
      result.set(parts_[i].name + "_recovery", std::move(recovery));
    }
    const auto scalar = [&](const char* name, const char* title, double value) {
      Array array = Array::scalar(value);
      array.unit = unit_of_metric(params_.metric);
      array.title = title;
      result.set(name, std::move(array));
    };
    scalar("clean_metric", "metric of the clean run", denoising ? donor_metric_ : base_metric_);
    scalar("corrupted_metric", "metric of the corrupted run", denoising ? base_metric_ : donor_metric_);
    result.checks.push_back(whole_stream());
    result.notes.push_back(fmt::format("{} pairs, {}, metric {}.", base_.probes.prompts.size(),
                                       params_.direction, params_.metric));
    return result;
  }

  // Every position of the donor's first stream at once is the donor's run.
  Check whole_stream() {
    const Streams& donor = donor_;
    Interventions all;
    const int64_t width = study_.spec().d_model;
    int64_t at = 0;
    for (size_t prompt = 0; prompt < donor.probes.prompts.size(); ++prompt) {
      const auto size = static_cast<int64_t>(donor.probes.prompts[prompt].size()) * width;
      Intervention change{.site = "blocks.0.resid_pre",
                          .change = Change::set,
                          .where = {{"prompt", static_cast<int64_t>(prompt)}}};
      change.values.assign(donor.at[0].begin() + at, donor.at[0].begin() + at + size);
      at += size;
      all.push_back(std::move(change));
    }
    Task quiet;
    const std::vector<double> got =
        metric_values(study_.weights(), base_.probes, study_.compute(), *metric_, quiet, all);
    const std::vector<double> expected = metric_at(donor, study_.spec().layers);
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - expected[i]));
    return {"whole stream patched = the other run",
            worst,
            0,
            static_cast<int64_t>(got.size()),
            worst <= 0,
            "metric after every position of blocks.0.resid_pre was replaced"};
  }

  const Study& study_;
  Params params_;
  std::vector<Part> parts_;
  std::unique_ptr<Metric> metric_;
  Streams base_, donor_;
  double base_metric_ = 0, donor_metric_ = 0;
  std::vector<Array> metrics_, errors_;
  int64_t passes_ = 0, done_ = 0;
};

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
  catalog.add(std::move(patching));
}

}  // namespace varve
