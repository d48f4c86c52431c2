// The forward pass: all prompts go through a layer before the next one is touched.
#include "analysis/model/forward.h"

#include <cmath>
#include <type_traits>

#include "analysis/core/error.h"
#include "analysis/core/read_ahead.h"
#include "analysis/model/embedding.h"
#include "analysis/model/kernels.h"
#include "analysis/model/pass.h"

namespace varve {

template <class T>
Pass<T>::Pass(const Weights& weights, const Probes& probes, Compute compute, SiteDesk& desk, Task& task,
              const Pace& pace, const Changes& changes, const Start& start)
    : weights_(weights),
      spec_(weights.spec()),
      probes_(probes),
      compute_(compute),
      desk_(desk),
      task_(task),
      pace_(pace),
      changes_(changes),
      start_(start),
      stages_((spec_.layers - start.layer) * stages_per_layer + 2) {
  for (const std::vector<int64_t>& ids : probes.prompts) {
    for (size_t position = 0; position < ids.size(); ++position) {
      prompt_of_.push_back(begin_.size() - 1);
      position_of_.push_back(static_cast<int64_t>(position));
    }
    begin_.push_back(begin_.back() + static_cast<int64_t>(ids.size()));
  }
  rows_ = begin_.back();
}

template <class T>
void Pass<T>::run() {
  if (desk_.finished()) return;
  want_next();
  if (start_.f32.empty() && start_.f64.empty())
    embed();
  else
    take_start();
  for (const char* table : {"embed.", "pos_embed."}) weights_.release(table);
  if (spec_.positions == Positions::rotary) make_rope_tables();
  for (layer_ = start_.layer; layer_ < spec_.layers && !desk_.finished(); ++layer_) {
    want_next();
    block();
    weights_.release(named(""));
    if (weights_.frugal()) give_back({&mlp_input_, &hidden_, &factor_, &out_});
  }
  layer_ = -1;
  if (weights_.frugal()) give_back({&normed_, &q_, &k_, &v_, &z_});
  if (!desk_.finished()) finish();
}

// The weights behind those in use, asked for while these are multiplied.
template <class T>
void Pass<T>::want_next() {
  if (!pace_.ahead) return;
  const int64_t next = layer_ + 1;
  if (next > desk_.last_layer()) return pace_.ahead->want(pace_.after);
  // Few tokens choose few experts: which ones is not known yet, so none is fetched.
  const bool all = !is_sparse(spec_, next) || rows_ * spec_.experts_per_token >= 2 * spec_.experts;
  pace_.ahead->want(weights_.stretches(fmt::format("blocks.{}.{}", next, all ? "" : "attn.")));
}

template <class T>
void Pass<T>::stage() {
  task_.doing(layer_ < 0 ? "embedding and unembedding"
                         : fmt::format("layer {} of {}", layer_ + 1, spec_.layers));
  task_.step(std::min(++stage_, stages_), stages_);
}

// values [rows, rest...]
template <class T>
void Pass<T>::show(const std::string& name, const std::vector<int64_t>& rest, std::vector<T>& values,
                   const T* chosen) {
  const bool changed = changes_.any(name);
  if (!changed && !desk_.wanted(name)) return;
  int64_t width = 1;
  for (int64_t extent : rest) width *= extent;
  if (changed) {
    SiteBuffer<T> buffer{values.data(), {}, chosen};
    for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
      buffer.shapes.push_back({begin_[prompt + 1] - begin_[prompt]});
      buffer.shapes.back().insert(buffer.shapes.back().end(), rest.begin(), rest.end());
    }
    changes_.apply(name, buffer);
    if (!desk_.wanted(name)) return;
  }
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    std::vector<int64_t> shape = {begin_[prompt + 1] - begin_[prompt]};
    shape.insert(shape.end(), rest.begin(), rest.end());
    desk_.show(name, layer_, static_cast<int64_t>(prompt), shape, values.data() + begin_[prompt] * width);
  }
  desk_.shown();
}
// out = x W^T + b; the bias is whatever the model has under that name.
template <class T>
void Pass<T>::apply(const std::string& w, const std::string& b, int64_t columns, const std::vector<T>& x,
                    int64_t rows, std::vector<T>& out) {
  const Matrix matrix = matrix_of(weights_, named(w.c_str()), rows, columns);
  const std::vector<T> bias = vector_if_any<T>(weights_, named(b.c_str()));
  out.resize(static_cast<size_t>(rows_ * rows));
  linear<T>({x.data(), columns}, begin_, matrix, bias, {out.data(), rows}, task_, compute_);
  // Rows are released as they are met; where columns lie apart every tile touches every page.
  if (matrix.column_stride != 1) weights_.release(named(w.c_str()));
}

// Layers of a plain MLP may leave either matrix out where nothing changes width.
template <class T>
void Pass<T>::apply_if_any(const std::string& w, const std::string& b, int64_t columns,
                           const std::vector<T>& x, int64_t rows, std::vector<T>& out) {
  if (!spec_.residual && rows == columns && !weights_.has(named(w.c_str())))
    out = x;
  else
    apply(w, b, columns, x, rows, out);
}

template <class T>
void Pass<T>::normed(const char* name, const std::vector<T>& x, std::vector<T>& out) {
  out.resize(x.size());
  const std::string full = layer_ < 0 ? name : named(name);
  norm_rows(norm_weights<T>(weights_, full), x.data(), rows_, spec_.d_model, out.data());
}

template <class T>
void Pass<T>::embed() {
  const int64_t width = spec_.d_model;
  resid_ = embeddings<T>(weights_, probes_, begin_, task_);
  show_stream("embed", resid_);
  if (spec_.positions != Positions::learned || desk_.finished()) return stage();
  const Matrix positions = matrix_of(weights_, "pos_embed.W_pos", spec_.context, width);
  std::vector<T> placed = buffer(width);
  for (int64_t row = 0; row < rows_; ++row)
    widen_rows(positions, position_of_[static_cast<size_t>(row)], 1, placed.data() + row * width);
  show_stream("pos_embed", placed);
  add_to(resid_.data(), placed.data(), rows_ * width);
  stage();
}

template <class T>
void Pass<T>::take_start() {
  if constexpr (std::is_same_v<T, float>)
    resid_.assign(start_.f32.begin(), start_.f32.end());
  else
    resid_.assign(start_.f64.begin(), start_.f64.end());
  if (static_cast<int64_t>(resid_.size()) != rows_ * spec_.d_model)
    fail("a pass that begins at layer {} was given {} values for {} rows of {}", start_.layer, resid_.size(),
         rows_, spec_.d_model);
  stage();
}

template <class T>
void Pass<T>::make_rope_tables() {
  // Only dynamic scaling makes a position's angle depend on how long its prompt is.
  const bool own = spec_.rope.scaling == RopeScaling::dynamic;
  const int64_t longest = probes_.longest();
  for (const std::vector<int64_t>& ids : probes_.prompts) {
    const int64_t length = own ? static_cast<int64_t>(ids.size()) : longest;
    if (tables_.count(length) == 0) tables_.emplace(length, rope_table<T>(spec_, length));
    table_of_prompt_.push_back(&tables_.at(length));
  }
}

template <class T>
void Pass<T>::block() {
  show_stream("resid_pre", resid_);
  const bool own_norm = spec_.pre_norm && !spec_.shared_parallel_norm;
  if (spec_.attention) {
    if (!desk_.finished()) attention();
    if (desk_.finished()) return;
    // In a parallel block the second norm reads what the first one read.
    if (own_norm && spec_.parallel) normed("ln2", resid_, mlp_input_);
    if (spec_.shared_parallel_norm) mlp_input_.swap(normed_);
    if (weights_.frugal()) give_back({&normed_, &q_, &k_, &v_, &z_});
    take_in("ln1");
    show_stream("resid_mid", resid_);
  }
  if (desk_.finished()) return;
  if (spec_.mlp) {
    if (own_norm && !spec_.parallel) normed("ln2", resid_, mlp_input_);
    if (own_norm) show_stream("ln2.normalized", mlp_input_);
    if (!spec_.pre_norm) mlp_input_ = resid_;
    stage();
    if (!desk_.finished()) mlp();
    if (desk_.finished()) return;
    take_in("ln2");
  }
  show_stream("resid_post", resid_);
  stage();
}

// A module's output joins the stream, or takes its place.
template <class T>
void Pass<T>::take_in(const char* sum_norm) {
  if (spec_.residual)
    add_to(resid_.data(), out_.data(), rows_ * spec_.d_model);
  else
    resid_ = out_;
  if (spec_.norm_after_sum) normed(sum_norm, resid_, resid_);
}

// The module's output, shown before and after the post norm, where there is one.
template <class T>
void Pass<T>::show_module(const char* module_site, const char* stream_site, const char* post_norm) {
  show_stream(module_site, out_);
  if (desk_.finished()) return;
  if (spec_.post_norm) normed(post_norm, out_, out_);
  show_stream(stream_site, out_);
}

template <class T>
void Pass<T>::mlp() {
  if (is_sparse(spec_, layer_)) {
    experts();
  } else {
    const std::string first = spec_.gated_mlp ? "gate" : "in";
    apply_if_any("mlp.W_" + first, "mlp.b_" + first, spec_.d_model, mlp_input_, spec_.d_mlp, hidden_);
    show(named("mlp.pre"), {spec_.d_mlp}, hidden_);
    if (desk_.finished()) return;
    if (spec_.gated_mlp) apply("mlp.W_in", "mlp.b_in", spec_.d_model, mlp_input_, spec_.d_mlp, factor_);
    activate(spec_.activation, hidden_.data(), spec_.gated_mlp ? factor_.data() : nullptr,
             rows_ * spec_.d_mlp);
    show(named("mlp.post"), {spec_.d_mlp}, hidden_);
    stage();
    if (desk_.finished()) return;
    apply_if_any("mlp.W_out", "mlp.b_out", spec_.d_mlp, hidden_, spec_.d_model, out_);
  }
  if (!desk_.finished()) show_module("mlp.out", "mlp_out", "ln2_post");
}

// An index that was set must be an expert's.
template <class T>
void Pass<T>::check_indices(const std::vector<T>& indices) {
  for (const T index : indices)
    if (!(index >= 0) || index >= static_cast<T>(spec_.experts) || index != std::floor(index))
      fail_usage("router.topk_indices of layer {} was set to {}, but there are experts 0 to {}", layer_,
                 index, spec_.experts - 1);
}

template <class T>
void Pass<T>::experts() {
  Routing<T> routing = route(weights_, layer_, begin_, mlp_input_.data(), task_);
  show(named("router.logits"), {spec_.experts}, routing.logits);
  if (changes_.any(named("router.logits"))) choose_again(spec_, rows_, Chosen::by_logits, routing);
  show(named("router.probs"), {spec_.experts}, routing.probs);
  if (changes_.any(named("router.probs"))) choose_again(spec_, rows_, Chosen::by_probs, routing);
  show(named("router.topk_indices"), {spec_.experts_per_token}, routing.indices);
  if (changes_.any(named("router.topk_indices"))) check_indices(routing.indices);
  show(named("router.topk_weights"), {spec_.experts_per_token}, routing.weights, routing.indices.data());
  if (spec_.shared_gate) show(named("router.shared_gate"), {}, routing.shared_gate);
  stage();
  if (desk_.finished()) return;
  out_.resize(resid_.size());
  run_experts(weights_, layer_, begin_, routing, mlp_input_.data(), out_.data(), task_, compute_);
}

// One prompt's logits.
template <class T>
void Pass<T>::unembed_rows(const Unembed& unembed, int64_t prompt, T* logits) {
  const auto at = static_cast<size_t>(prompt);
  const int64_t width = spec_.d_model, vocab = unembed.vocab(), length = begin_[at + 1] - begin_[at];
  const auto take = [&](int64_t first, int64_t tokens, std::span<const T> tile) {
    if (task_.stop_requested()) throw Stopped();
    for (int64_t row = 0; row < length; ++row)
      std::copy_n(tile.data() + row * tokens, tokens, logits + row * vocab + first);
  };
  const bool changed = changes_.any("ln_final.normalized");
  const std::span<const T> rows((changed ? normed_ : resid_).data() + begin_[at] * width,
                                static_cast<size_t>(length * width));
  if (changed)
    unembed.run_normalised(rows, length, take);
  else
    unembed.run(rows, length, take);
}

// Changed logits are held for all prompts: a change may read those of another.
template <class T>
void Pass<T>::finish_changed(const Unembed& unembed) {
  std::vector<T> logits = buffer(unembed.vocab());
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt)
    unembed_rows(unembed, static_cast<int64_t>(prompt), logits.data() + begin_[prompt] * unembed.vocab());
  show("logits", {unembed.vocab()}, logits);
}

template <class T>
void Pass<T>::finish() {
  const bool own_norm = changes_.any("ln_final.normalized");
  if (own_norm || desk_.wanted("ln_final.normalized")) {
    normed("ln_final", resid_, normed_);
    show_stream("ln_final.normalized", normed_);
  }
  stage();
  if (desk_.finished()) return;
  const Unembed unembed(weights_, compute_);
  const int64_t vocab = unembed.vocab();
  std::vector<T> logits;
  if (changes_.any("logits")) return finish_changed(unembed);
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    const int64_t length = begin_[prompt + 1] - begin_[prompt];
    logits.resize(static_cast<size_t>(length * vocab));
    unembed_rows(unembed, static_cast<int64_t>(prompt), logits.data());
    desk_.show("logits", -1, static_cast<int64_t>(prompt), {length, vocab}, logits.data());
    task_.step(stages_, stages_);
  }
  desk_.shown();
}

template class Pass<float>;
template class Pass<double>;

void forward(const Weights& weights, const Probes& probes, Compute compute,
             std::span<SiteReader* const> readers, Task& task, const Pace& pace, const Interventions& changes,
             const Start& start) {
  const ModelSpec& spec = weights.spec();
  check_probes(probes, spec.vocab, spec.context);
  if (start.layer < 0 || start.layer > spec.layers ||
      (start.f32.empty() && start.f64.empty() && start.layer > 0))
    fail("a pass cannot begin at layer {} of {} without the stream there", start.layer, spec.layers);
  SiteDesk desk(spec, readers, pace.first_prompt, start.f32.empty() && start.f64.empty() ? -1 : start.layer);
  const Changes ready(spec, changes, pace.first_prompt);
  if (compute != Compute::f64)
    Pass<float>(weights, probes, compute, desk, task, pace, ready, start).run();
  else
    Pass<double>(weights, probes, compute, desk, task, pace, ready, start).run();
}

}  // namespace varve
