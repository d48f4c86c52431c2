// The backward pass: from the metric through the unembedding, block by block, to the embedding.
#include "analysis/model/backward.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include "analysis/core/error.h"
#include "analysis/model/backward_pass.h"

namespace varve {
namespace {

// Keeps sites for all prompts, one after the other.
template <class T>
class Keeper : public SiteReader {
 public:
  Keeper(std::set<std::string> names, std::map<std::string, std::vector<T>>& kept, int64_t rows)
      : names_(std::move(names)), kept_(kept), rows_(rows) {}
  bool wants(const std::string& site) const override { return names_.count(site) > 0; }
  void see(const Site& site) override {
    std::vector<T>& values = kept_[site.name];
    // All prompts' at once: growing would hold it twice.
    if (values.empty() && site.shape[0] > 0)
      values.reserve(static_cast<size_t>(site.size() / site.shape[0] * rows_));
    if constexpr (std::is_same_v<T, float>)
      values.insert(values.end(), site.f32.begin(), site.f32.end());
    else
      values.insert(values.end(), site.f64.begin(), site.f64.end());
  }

 private:
  std::set<std::string> names_;
  std::map<std::string, std::vector<T>>& kept_;
  int64_t rows_;
};

template <class T>
Start start_at(int64_t layer, const std::vector<T>& stream) {
  Start start;
  start.layer = layer;
  if constexpr (std::is_same_v<T, float>)
    start.f32 = stream;
  else
    start.f64 = stream;
  return start;
}

// What the way back through a block reads: without parameters' own gradients far from all of it.
std::vector<std::string> parts_read(const ModelSpec& spec, int64_t layer, bool parameters) {
  if (parameters || is_sparse(spec, layer))
    return {"resid_pre",
            "ln1.normalized",
            "attn.q",
            "attn.k",
            "attn.v",
            "attn.rot_q",
            "attn.rot_k",
            "attn.z",
            "attn.out",
            "attn_out",
            "resid_mid",
            "ln2.normalized",
            "mlp.pre",
            "mlp.post",
            "mlp.out",
            "mlp_out",
            "router.logits",
            "router.probs",
            "router.topk_indices",
            "router.topk_weights",
            "router.shared_gate"};
  std::vector<std::string> parts = {"resid_pre", "attn.v", "resid_mid", "mlp.pre"};
  const bool rotary = spec.positions == Positions::rotary,
             normed = spec.qk_norm_full || spec.qk_norm_per_head;
  if (rotary) parts.insert(parts.end(), {"attn.rot_q", "attn.rot_k"});
  if (!rotary || spec.clip_qkv > 0) parts.insert(parts.end(), {"attn.q", "attn.k"});
  if (normed || (spec.gated_mlp && spec.shared_parallel_norm)) parts.push_back("ln1.normalized");
  if (spec.gated_mlp) parts.push_back("ln2.normalized");
  if (spec.post_norm) parts.insert(parts.end(), {"attn.out", "mlp.out"});
  if (spec.norm_after_sum) parts.insert(parts.end(), {"attn_out", "mlp_out"});
  return parts;
}

}  // namespace

int64_t kept_bytes_per_place(const ModelSpec& spec, int64_t layer, Compute compute) {
  std::map<std::string, std::vector<std::string>> axes;
  for (const SiteInfo& site : sites_of(spec)) axes[site.name] = site.axes;
  int64_t numbers = 0;
  for (const std::string& part : parts_read(spec, layer, false)) {
    const auto found = axes.find(fmt::format("blocks.{}.{}", layer, part));
    if (found == axes.end()) continue;
    int64_t width = 1;
    for (const std::string& axis : found->second)
      if (axis != "pos") width *= site_extent(spec, axis, 1);
    numbers += width;
  }
  return numbers * (compute == Compute::f64 ? 8 : 4);
}

std::vector<SiteInfo> gradient_sites_of(const ModelSpec& spec) {
  std::vector<SiteInfo> sites;
  for (const SiteInfo& site : sites_of(spec))
    if (!site.name.ends_with("topk_indices")) sites.push_back({"grad." + site.name, site.axes});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    for (const char* input : {"q_input", "k_input", "v_input"})
      if (spec.attention)
        sites.push_back({fmt::format("grad.blocks.{}.{}", layer, input), {"pos", "head", "d_model"}});
    if (spec.mlp) sites.push_back({fmt::format("grad.blocks.{}.mlp_in", layer), {"pos", "d_model"}});
  }
  return sites;
}

template <class T>
BackwardPass<T>::BackwardPass(const Weights& weights, const Probes& probes, Compute compute,
                              const Metric& metric, std::span<SiteReader* const> readers, Task& task,
                              const Interventions& interventions, ParameterReader* parameters,
                              int64_t keep_bytes)
    : weights_(weights),
      spec_(weights.spec()),
      probes_(probes),
      compute_(compute),
      metric_(metric),
      readers_(readers.begin(), readers.end()),
      task_(task),
      interventions_(interventions),
      changes_(weights.spec(), interventions, 0),
      parameters_(parameters),
      keep_bytes_(keep_bytes) {
  for (const Intervention& change : interventions) {
    const std::string site = plain_site(change.site);
    if (site == "logits" || site.starts_with("ln_final") || site.ends_with("topk_indices"))
      fail("there is no way back through a change of {}; change what lies before it", site);
  }
  for (const SiteInfo& site : gradient_sites_of(spec_)) axes_[site.name] = site.axes;
  for (const std::vector<int64_t>& ids : probes.prompts) {
    for (size_t position = 0; position < ids.size(); ++position) {
      prompt_of_.push_back(begin_.size() - 1);
      position_of_.push_back(static_cast<int64_t>(position));
    }
    begin_.push_back(begin_.back() + static_cast<int64_t>(ids.size()));
  }
  rows_ = begin_.back();
  metrics_.assign(probes.prompts.size(), 0.0);
}

template <class T>
std::vector<double> BackwardPass<T>::run() {
  keep_streams();
  output_back();
  if (spec_.positions == Positions::rotary) make_rope_tables();
  for (layer_ = spec_.layers - 1; layer_ >= 0; --layer_) {
    task_.doing(fmt::format("back through layer {} of {}", layer_ + 1, spec_.layers));
    recompute_layer();
    block_back();
    had_.clear();
    Values().swap(streams_[static_cast<size_t>(layer_) + 1]);
    task_.step(2 * spec_.layers - layer_, 2 * spec_.layers + 1);
  }
  embedding_back();
  task_.step(1, 1);
  return metrics_;
}

template <class T>
bool BackwardPass<T>::looks_into_attention() const {
  for (int64_t layer = 0; layer < spec_.layers; ++layer)
    for (const char* part : {"attn.scores", "attn.pattern"})
      if (const std::string site = fmt::format("blocks.{}.{}", layer, part);
          changes_.any(site) || wanted(site))
        return true;
  return false;
}

template <class T>
void BackwardPass<T>::keep_streams() {
  std::set<std::string> names;
  const auto after = [](int64_t layer) { return fmt::format("blocks.{}.resid_post", layer); };
  for (int64_t layer = 0; layer < spec_.layers; ++layer) names.insert(after(layer));
  first_kept_ = spec_.layers;
  // Gradients of parameters read more than is planned for, whole patterns would not fit.
  int64_t left = parameters_ != nullptr || looks_into_attention() ? 0 : keep_bytes_;
  for (int64_t layer = spec_.layers - 1; layer >= 0; --layer) {
    left -= rows_ * kept_bytes_per_place(spec_, layer, compute_);
    if (left < 0) break;
    first_kept_ = layer;
    for (const std::string& part : parts_read(spec_, layer, false))
      names.insert(fmt::format("blocks.{}.{}", layer, part));
  }
  Keeper<T> keeper(names, kept_, rows_);
  SiteReader* const readers[] = {&keeper};
  Task forwards = task_.part(0, 0.45);
  forward(weights_, probes_, compute_, readers, forwards, {}, interventions_);
  streams_.resize(static_cast<size_t>(spec_.layers) + 1);
  for (int64_t layer = 0; layer < spec_.layers; ++layer)
    streams_[static_cast<size_t>(layer) + 1] = std::move(kept_.extract(after(layer)).mapped());
}

template <class T>
void BackwardPass<T>::recompute_layer() {
  std::set<std::string> names;
  for (const std::string& part : parts_read(spec_, layer_, parameters_ != nullptr)) names.insert(named(part));
  if (layer_ >= first_kept_) {
    for (const std::string& name : names)
      if (auto found = kept_.extract(name)) had_.insert(std::move(found));
    return;
  }
  const bool whole = changes_.any(named("attn.scores")) || changes_.any(named("attn.pattern")) ||
                     wanted(named("attn.scores")) || wanted(named("attn.pattern"));
  if (whole) names.insert({named("attn.scores"), named("attn.pattern")});
  Keeper<T> keeper(names, had_, rows_);
  SiteReader* const readers[] = {&keeper};
  Task quiet = task_.part(0, 0);
  const Start start = layer_ == 0 ? Start{} : start_at(layer_, streams_[static_cast<size_t>(layer_)]);
  forward(weights_, probes_, compute_, readers, quiet, {}, interventions_, start);
}

template <class T>
const std::vector<T>& BackwardPass<T>::had(const std::string& part) const {
  const auto found = had_.find(named(part));
  if (found == had_.end()) fail("the way back needs {}, which this model does not compute", named(part));
  return found->second;
}

template <class T>
const std::vector<T>& BackwardPass<T>::had_for_parameters(const std::string& part) const {
  static const Values nothing;
  return parameters_ == nullptr ? nothing : had(part);
}

template <class T>
bool BackwardPass<T>::wanted(const std::string& site) const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [&](SiteReader* reader) { return reader->wants("grad." + site); });
}

template <class T>
void BackwardPass<T>::show_one(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape,
                               const T* values) {
  size_t size = 1;
  for (const int64_t extent : shape) size *= static_cast<size_t>(extent);
  Site shown{"grad." + site,
             site.starts_with("blocks.") ? layer_ : -1,
             prompt,
             axes_.at("grad." + site),
             shape,
             {},
             {}};
  if constexpr (std::is_same_v<T, float>)
    shown.f32 = {values, size};
  else
    shown.f64 = {values, size};
  for (SiteReader* reader : readers_)
    if (reader->wants(shown.name)) reader->see(shown);
}

template <class T>
void BackwardPass<T>::meet(const std::string& site, const std::vector<int64_t>& rest, Values& gradient,
                           const T* chosen) {
  const bool shown = wanted(site), changed = changes_.any(site);
  if (!shown && !changed) return;
  int64_t width = 1;
  for (const int64_t extent : rest) width *= extent;
  SiteBuffer<T> buffer{gradient.data(), {}, chosen};
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    std::vector<int64_t> shape = {begin_[prompt + 1] - begin_[prompt]};
    shape.insert(shape.end(), rest.begin(), rest.end());
    if (shown) show_one(site, static_cast<int64_t>(prompt), shape, gradient.data() + begin_[prompt] * width);
    buffer.shapes.push_back(std::move(shape));
  }
  if (changed) changes_.turn_back(site, buffer);
}

template <class T>
bool BackwardPass<T>::wants_parameter(const std::string& name) const {
  return parameters_ != nullptr && weights_.has(name) && parameters_->wants(name);
}

template <class T>
void BackwardPass<T>::give(const std::string& name, const std::vector<int64_t>& shape, const Values& values) {
  if constexpr (std::is_same_v<T, float>)
    parameters_->see(name, shape, values, {});
  else
    parameters_->see(name, shape, {}, values);
}

template <class T>
void BackwardPass<T>::make_rope_tables() {
  const bool own = spec_.rope.scaling == RopeScaling::dynamic;
  for (const std::vector<int64_t>& ids : probes_.prompts) {
    const int64_t length = own ? static_cast<int64_t>(ids.size()) : probes_.longest();
    if (tables_.count(length) == 0) tables_.emplace(length, rope_table<T>(spec_, length));
    table_of_prompt_.push_back(&tables_.at(length));
  }
}

// The stream is the sum of embedding and position; the embedding a row of its table, or what small networks
// make of several.
template <class T>
void BackwardPass<T>::embedding_back() {
  const int64_t width = spec_.d_model;
  if (spec_.positions == Positions::learned) {
    Values placed = gradient_;
    meet("pos_embed", {width}, placed);
    if (wants_parameter("pos_embed.W_pos")) {
      Values grown(static_cast<size_t>(spec_.context * width), T{0});
      for (int64_t row = 0; row < rows_; ++row)
        for (int64_t i = 0; i < width; ++i)
          grown[static_cast<size_t>(position_of_[static_cast<size_t>(row)] * width + i)] +=
              placed[static_cast<size_t>(row * width + i)];
      give("pos_embed.W_pos", {spec_.context, width}, grown);
    }
  }
  meet("embed", {width}, gradient_);
  for (T& value : gradient_) value *= static_cast<T>(spec_.embed_scale);
  const int64_t each = spec_.d_embed > 0 ? spec_.d_embed : width, joined = spec_.joined_tokens;
  const bool has_table = weights_.has("embed.W_E");
  const auto row_before = [&](int64_t row, int64_t slot) {
    const int64_t from = row - (joined - 1 - slot);
    return from < begin_[prompt_of_[static_cast<size_t>(row)]] ? int64_t{-1} : from;
  };
  const auto id_at = [&](int64_t row) {
    const auto at = static_cast<size_t>(row);
    return probes_.prompts[prompt_of_[at]][static_cast<size_t>(position_of_[at])];
  };
  if (weights_.has("embed.W_in")) {
    Values wide = buffer(each * joined);
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t slot = 0; slot < joined; ++slot) {
        const int64_t from = row_before(row, slot);
        if (from < 0) continue;
        T* into = wide.data() + (row * joined + slot) * each;
        if (has_table)
          widen_rows(weights_.matrix("embed.W_E"), id_at(from), 1, into);
        else
          into[id_at(from)] = T{1};
      }
    const Matrix w = matrix_of(weights_, "embed.W_in", width, each * joined);
    if (wants_parameter("embed.W_in"))
      give("embed.W_in", {width, each * joined},
           weight_gradient<T>({gradient_.data(), width}, width, {wide.data(), each * joined}, each * joined,
                              rows_, task_));
    if (wants_parameter("embed.b_in")) give("embed.b_in", {width}, bias_gradient(gradient_, width));
    gradient_ = linear_back<T>({gradient_.data(), width}, begin_, w, task_, compute_);
  }
  if (!has_table || !wants_parameter("embed.W_E")) return;
  table_grown_.resize(static_cast<size_t>(spec_.vocab * each), T{0});
  for (int64_t row = 0; row < rows_; ++row)
    for (int64_t slot = 0; slot < joined; ++slot) {
      const int64_t from = row_before(row, slot);
      if (from < 0) continue;
      for (int64_t i = 0; i < each; ++i)
        table_grown_[static_cast<size_t>(id_at(from) * each + i)] +=
            gradient_[static_cast<size_t>((row * joined + slot) * each + i)];
    }
  give("embed.W_E", {spec_.vocab, each}, table_grown_);
}

template class BackwardPass<float>;
template class BackwardPass<double>;

std::vector<double> backward(const Weights& weights, const Probes& probes, Compute compute,
                             const Metric& metric, std::span<SiteReader* const> readers, Task& task,
                             const Interventions& changes, ParameterReader* parameters, int64_t keep_bytes) {
  check_probes(probes, weights.spec().vocab, weights.spec().context);
  if (compute != Compute::f64)
    return BackwardPass<float>(weights, probes, compute, metric, readers, task, changes, parameters,
                               keep_bytes)
        .run();
  return BackwardPass<double>(weights, probes, compute, metric, readers, task, changes, parameters,
                              keep_bytes)
      .run();
}

}  // namespace varve
