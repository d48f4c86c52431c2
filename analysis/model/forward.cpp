// The forward pass: all prompts go through a layer before the next one is touched.
#include "analysis/model/forward.h"

#include <algorithm>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/read_ahead.h"
#include "analysis/model/attention.h"
#include "analysis/model/embedding.h"
#include "analysis/model/kernels.h"
#include "analysis/model/moe.h"
#include "analysis/model/rope.h"
#include "analysis/model/sites.h"

namespace varve {
namespace {

// Ragged buffers hold the rows of all prompts one after the other.
template <class T>
class Pass {
 public:
  Pass(const Weights& weights, const Probes& probes, Compute compute, SiteDesk& desk, Task& task,
       const Pace& pace)
      : weights_(weights),
        spec_(weights.spec()),
        probes_(probes),
        compute_(compute),
        desk_(desk),
        task_(task),
        pace_(pace),
        stages_(spec_.layers * stages_per_layer + 2) {
    for (const std::vector<int64_t>& ids : probes.prompts) {
      for (size_t position = 0; position < ids.size(); ++position) {
        prompt_of_.push_back(begin_.size() - 1);
        position_of_.push_back(static_cast<int64_t>(position));
      }
      begin_.push_back(begin_.back() + static_cast<int64_t>(ids.size()));
    }
    rows_ = begin_.back();
  }

  void run() {
    if (desk_.finished()) return;
    want_next();
    embed();
    for (const char* table : {"embed.", "pos_embed."}) weights_.release(table);
    if (spec_.positions == Positions::rotary) make_rope_tables();
    for (layer_ = 0; layer_ < spec_.layers && !desk_.finished(); ++layer_) {
      want_next();
      block();
      weights_.release(named(""));
      if (weights_.frugal()) give_back({&mlp_input_, &hidden_, &factor_, &out_});
    }
    layer_ = -1;
    if (weights_.frugal()) give_back({&normed_, &q_, &k_, &v_, &z_});
    if (!desk_.finished()) finish();
  }

 private:
  static constexpr int64_t stages_per_layer = 6;

  // The weights behind those in use, asked for while these are multiplied.
  void want_next() {
    if (!pace_.ahead) return;
    const int64_t next = layer_ + 1;
    if (next > desk_.last_layer()) return pace_.ahead->want(pace_.after);
    // Few tokens choose few experts: which ones is not known yet, so none is fetched.
    const bool all = !is_sparse(spec_, next) || rows_ * spec_.experts_per_token >= 2 * spec_.experts;
    pace_.ahead->want(weights_.stretches(fmt::format("blocks.{}.{}", next, all ? "" : "attn.")));
  }

  void give_back(std::initializer_list<std::vector<T>*> buffers) {
    for (std::vector<T>* buffer : buffers) std::vector<T>().swap(*buffer);
  }

  std::string named(const char* part) const { return fmt::format("blocks.{}.{}", layer_, part); }
  std::vector<T> buffer(int64_t width) const { return std::vector<T>(static_cast<size_t>(rows_ * width)); }

  void stage() {
    task_.doing(layer_ < 0 ? "embedding and unembedding"
                           : fmt::format("layer {} of {}", layer_ + 1, spec_.layers));
    task_.step(std::min(++stage_, stages_), stages_);
  }

  // values [rows, rest...]
  void show(const std::string& name, const std::vector<int64_t>& rest, const std::vector<T>& values) {
    if (!desk_.wanted(name)) return;
    int64_t width = 1;
    for (int64_t extent : rest) width *= extent;
    for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
      std::vector<int64_t> shape = {begin_[prompt + 1] - begin_[prompt]};
      shape.insert(shape.end(), rest.begin(), rest.end());
      desk_.show(name, layer_, static_cast<int64_t>(prompt), shape, values.data() + begin_[prompt] * width);
    }
    desk_.shown();
  }
  void show_stream(const char* part, const std::vector<T>& values) {
    show(layer_ < 0 ? part : named(part), {spec_.d_model}, values);
  }

  // out = x W^T + b; the bias is whatever the model has under that name.
  void apply(const std::string& w, const std::string& b, int64_t columns, const std::vector<T>& x,
             int64_t rows, std::vector<T>& out) {
    const Matrix matrix = matrix_of(weights_, named(w.c_str()), rows, columns);
    const std::vector<T> bias = vector_if_any<T>(weights_, named(b.c_str()));
    out.resize(static_cast<size_t>(rows_ * rows));
    linear<T>({x.data(), columns}, begin_, matrix, bias, {out.data(), rows}, task_, compute_);
    // Rows are released as they are met; where columns lie apart every tile touches every page.
    if (matrix.column_stride != 1) weights_.release(named(w.c_str()));
  }

  // Layers of a plain MLP may leave either matrix out where nothing changes width.
  void apply_if_any(const std::string& w, const std::string& b, int64_t columns, const std::vector<T>& x,
                    int64_t rows, std::vector<T>& out) {
    if (!spec_.residual && rows == columns && !weights_.has(named(w.c_str())))
      out = x;
    else
      apply(w, b, columns, x, rows, out);
  }

  void normed(const char* name, const std::vector<T>& x, std::vector<T>& out) {
    out.resize(x.size());
    const std::string full = layer_ < 0 ? name : named(name);
    norm_rows(norm_weights<T>(weights_, full), x.data(), rows_, spec_.d_model, out.data());
  }

  void embed() {
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

  void make_rope_tables() {
    // Only dynamic scaling makes a position's angle depend on how long its prompt is.
    const bool own = spec_.rope.scaling == RopeScaling::dynamic;
    const int64_t longest = probes_.longest();
    for (const std::vector<int64_t>& ids : probes_.prompts) {
      const int64_t length = own ? static_cast<int64_t>(ids.size()) : longest;
      if (tables_.count(length) == 0) tables_.emplace(length, rope_table<T>(spec_, length));
      table_of_prompt_.push_back(&tables_.at(length));
    }
  }

  void block() {
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
  void take_in(const char* sum_norm) {
    if (spec_.residual)
      add_to(resid_.data(), out_.data(), rows_ * spec_.d_model);
    else
      resid_ = out_;
    if (spec_.norm_after_sum) normed(sum_norm, resid_, resid_);
  }

  // The module's output, shown before and after the post norm, where there is one.
  void show_module(const char* module_site, const char* stream_site, const char* post_norm) {
    show_stream(module_site, out_);
    if (desk_.finished()) return;
    if (spec_.post_norm) normed(post_norm, out_, out_);
    show_stream(stream_site, out_);
  }

  void attention() {
    if (spec_.pre_norm) {
      normed("ln1", resid_, normed_);
      show_stream("ln1.normalized", normed_);
      if (desk_.finished()) return;
    }
    const std::vector<T>& input = spec_.pre_norm ? normed_ : resid_;
    project(input, "q", "Q", spec_.heads, q_);
    if (!desk_.finished()) project(input, "k", "K", spec_.kv_heads, k_);
    if (!desk_.finished()) project(input, "v", "V", spec_.kv_heads, v_);
    stage();
    if (desk_.finished()) return;
    if (spec_.positions == Positions::rotary) {
      rotate(spec_.heads, q_);
      show(named("attn.rot_q"), {spec_.heads, spec_.d_head}, q_);
      rotate(spec_.kv_heads, k_);
      show(named("attn.rot_k"), {spec_.kv_heads, spec_.d_head}, k_);
    }
    const AttentionPlan plan = attention_plan(spec_, layer_);
    show_matrices("attn.scores", Attended::scores, plan);
    show_matrices("attn.pattern", Attended::pattern, plan);
    if (desk_.finished()) return;
    z_.resize(q_.size());
    attend(spec_, plan, begin_, q_.data(), k_.data(), v_.data(), z_.data(), task_);
    show(named("attn.z"), {spec_.heads, spec_.d_head}, z_);
    stage();
    show_results();
    if (desk_.finished()) return;
    apply("attn.W_O", "attn.b_O", spec_.heads * spec_.d_head, z_, spec_.d_model, out_);
    show_module("attn.out", "attn_out", "ln1_post");
    stage();
  }

  // q, k, v are shown after bias, norm and clipping, before rotation.
  void project(const std::vector<T>& input, const std::string& site, const std::string& letter, int64_t heads,
               std::vector<T>& out) {
    const int64_t width = heads * spec_.d_head;
    apply("attn.W_" + letter, "attn.b_" + letter, spec_.d_model, input, width, out);
    if (letter != "V" && (spec_.qk_norm_full || spec_.qk_norm_per_head)) {
      const std::string name = named(("attn." + site + "_norm").c_str());
      NormWeights<T> norm{spec_.norm, spec_.norm_eps, vector_of<T>(weights_, name + ".w"),
                          vector_if_any<T>(weights_, name + ".b")};
      for (T& gain : norm.gain) gain += static_cast<T>(spec_.norm_offset);
      const int64_t span = spec_.qk_norm_full ? width : spec_.d_head;
      norm_rows(norm, out.data(), rows_ * width / span, span, out.data());
    }
    if (spec_.clip_qkv > 0) {
      const T most = static_cast<T>(spec_.clip_qkv);
      for (T& value : out) value = std::clamp(value, -most, most);
    }
    show(named(("attn." + site).c_str()), {heads, spec_.d_head}, out);
  }

  void rotate(int64_t heads, std::vector<T>& rows) {
    constexpr int64_t chunk = 32;
    parallel_for((rows_ + chunk - 1) / chunk, [&](int64_t piece, int) {
      const int64_t end = std::min(rows_, (piece + 1) * chunk);
      for (int64_t row = piece * chunk; row < end; ++row) {
        const size_t at = static_cast<size_t>(row);
        rotate_row(*table_of_prompt_[prompt_of_[at]], position_of_[at], heads, spec_.d_head,
                   rows.data() + row * heads * spec_.d_head);
      }
    });
  }

  // Whole score or pattern matrices, of one prompt at a time: they are the largest thing there is.
  void show_matrices(const char* part, Attended what, const AttentionPlan& plan) {
    const std::string name = named(part);
    if (!desk_.wanted(name)) return;
    std::vector<T> matrix;
    for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
      const int64_t length = begin_[prompt + 1] - begin_[prompt];
      matrix.resize(static_cast<size_t>(spec_.heads * length * length));
      attention_matrix(spec_, plan, what, length, q_.data() + begin_[prompt] * spec_.heads * spec_.d_head,
                       k_.data() + begin_[prompt] * spec_.kv_heads * spec_.d_head, matrix.data(), task_);
      desk_.show(name, layer_, static_cast<int64_t>(prompt), {spec_.heads, length, length}, matrix.data());
      task_.step(stage_, stages_);
    }
    desk_.shown();
  }

  // Each head's own z W_O, without the bias they share.
  void show_results() {
    const std::string name = named("attn.result");
    if (!desk_.wanted(name)) return;
    const int64_t width = spec_.heads * spec_.d_head, wide = spec_.heads * spec_.d_model;
    const Matrix w = matrix_of(weights_, named("attn.W_O"), spec_.d_model, width);
    std::vector<T> result;
    for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
      const int64_t length = begin_[prompt + 1] - begin_[prompt];
      const std::vector<int64_t> alone = {0, length};
      result.resize(static_cast<size_t>(length * wide));
      for (int64_t head = 0; head < spec_.heads; ++head)
        linear<T>({z_.data() + begin_[prompt] * width + head * spec_.d_head, width}, alone,
                  columns_of(w, head * spec_.d_head, spec_.d_head), {},
                  {result.data() + head * spec_.d_model, wide}, task_, compute_);
      desk_.show(name, layer_, static_cast<int64_t>(prompt), {length, spec_.heads, spec_.d_model},
                 result.data());
      task_.step(stage_, stages_);
    }
    desk_.shown();
  }

  void mlp() {
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

  void experts() {
    const Routing<T> routing = route(weights_, layer_, begin_, mlp_input_.data(), task_);
    show(named("router.logits"), {spec_.experts}, routing.logits);
    show(named("router.probs"), {spec_.experts}, routing.probs);
    show(named("router.topk_indices"), {spec_.experts_per_token}, routing.indices);
    show(named("router.topk_weights"), {spec_.experts_per_token}, routing.weights);
    if (spec_.shared_gate) show(named("router.shared_gate"), {}, routing.shared_gate);
    stage();
    if (desk_.finished()) return;
    out_.resize(resid_.size());
    run_experts(weights_, layer_, begin_, routing, mlp_input_.data(), out_.data(), task_, compute_);
  }

  void finish() {
    if (desk_.wanted("ln_final.normalized")) {
      normed("ln_final", resid_, normed_);
      show_stream("ln_final.normalized", normed_);
    }
    stage();
    if (desk_.finished()) return;
    const Unembed unembed(weights_, compute_);
    const int64_t width = spec_.d_model, vocab = unembed.vocab();
    std::vector<T> logits;
    for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
      const int64_t length = begin_[prompt + 1] - begin_[prompt];
      logits.resize(static_cast<size_t>(length * vocab));
      const std::span<const T> rows(resid_.data() + begin_[prompt] * width,
                                    static_cast<size_t>(length * width));
      unembed.run(rows, length, [&](int64_t first, int64_t tokens, std::span<const T> tile) {
        if (task_.stop_requested()) throw Stopped();
        for (int64_t row = 0; row < length; ++row)
          std::copy_n(tile.data() + row * tokens, tokens, logits.data() + row * vocab + first);
      });
      desk_.show("logits", -1, static_cast<int64_t>(prompt), {length, vocab}, logits.data());
      task_.step(stages_, stages_);
    }
    desk_.shown();
  }

  const Weights& weights_;
  const ModelSpec& spec_;
  const Probes& probes_;
  Compute compute_;
  SiteDesk& desk_;
  Task& task_;
  const Pace& pace_;
  int64_t stages_ = 0, stage_ = 0, layer_ = -1, rows_ = 0;
  std::vector<int64_t> begin_ = {0}, position_of_;
  std::vector<size_t> prompt_of_;
  std::map<int64_t, RopeTable<T>> tables_;  // by prompt length
  std::vector<const RopeTable<T>*> table_of_prompt_;
  std::vector<T> resid_, normed_, mlp_input_, q_, k_, v_, z_, hidden_, factor_, out_;
};

}  // namespace

void forward(const Weights& weights, const Probes& probes, Compute compute,
             std::span<SiteReader* const> readers, Task& task, const Pace& pace) {
  check_probes(probes, weights.spec().vocab, weights.spec().context);
  SiteDesk desk(weights.spec(), readers, pace.first_prompt);
  if (compute != Compute::f64)
    Pass<float>(weights, probes, compute, desk, task, pace).run();
  else
    Pass<double>(weights, probes, compute, desk, task, pace).run();
}

}  // namespace varve
