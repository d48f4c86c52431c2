// The way back through one block: its sums, norms, matrices and dense MLP.
#include "analysis/core/error.h"
#include "analysis/model/backward_pass.h"

namespace varve {
namespace {

template <class T>
void add(std::vector<T>& into, const std::vector<T>& what) {
  if (into.size() != what.size())
    fail("gradients of {} and {} values do not add up", into.size(), what.size());
  add_to(into.data(), what.data(), static_cast<int64_t>(into.size()));
}

}  // namespace

template <class T>
std::vector<T> BackwardPass<T>::through_matrix(const std::string& w, const std::string& b, const Values& x,
                                               int64_t inputs, const Values& dy, int64_t outputs) {
  if (!spec_.residual && inputs == outputs && !weights_.has(named(w))) return dy;
  const Matrix matrix = matrix_of(weights_, named(w), outputs, inputs);
  if (wants_parameter(named(w)))
    give(named(w), {outputs, inputs},
         weight_gradient<T>({dy.data(), outputs}, outputs, {x.data(), inputs}, inputs, rows_, task_));
  if (wants_parameter(named(b))) give(named(b), {outputs}, bias_gradient(dy, outputs));
  Values dx = linear_back<T>({dy.data(), outputs}, begin_, matrix, task_, compute_);
  weights_.release(named(w));  // read across its rows, it was touched whole
  return dx;
}

template <class T>
void BackwardPass<T>::through_norm(const std::string& name, const Values& x, const Values& g, Values& dx) {
  const std::string full = named(name);
  NormGradients<T> own;
  const bool parameters = wants_parameter(full + ".w") || wants_parameter(full + ".b");
  add_norm_back(norm(full), x.data(), g.data(), rows_, spec_.d_model, dx.data(), parameters ? &own : nullptr);
  if (wants_parameter(full + ".w")) give(full + ".w", {spec_.d_model}, own.gain);
  if (wants_parameter(full + ".b")) give(full + ".b", {spec_.d_model}, own.bias);
}

template <class T>
void BackwardPass<T>::module_back(const char* stream_site, const char* module_site, const char* post_norm,
                                  Values& g) {
  meet_stream(stream_site, g);
  if (spec_.post_norm) {
    Values dx = buffer(spec_.d_model);
    through_norm(post_norm, had(module_site), g, dx);
    g = std::move(dx);
  }
  meet_stream(module_site, g);
}

// LN(x + module(x)): the sum is computed again.
template <class T>
void BackwardPass<T>::sum_norm_back(const char* before, const char* out_site, const char* name) {
  if (!spec_.norm_after_sum) return;
  Values sum = had(out_site);
  if (spec_.residual) add(sum, had(before));
  Values dx = buffer(spec_.d_model);
  through_norm(name, sum, gradient_, dx);
  gradient_ = std::move(dx);
}

template <class T>
void BackwardPass<T>::block_back() {
  const bool own_norm = spec_.pre_norm && !spec_.shared_parallel_norm;
  const char* const before_mlp = spec_.attention ? "resid_mid" : "resid_pre";
  Values late, shared;  // what reaches the stream before the attention; what reaches the norm both read
  meet_stream("resid_post", gradient_);
  if (spec_.mlp) {
    sum_norm_back(before_mlp, "mlp_out", "ln2");
    Values g = gradient_;
    if (!spec_.residual) gradient_ = buffer(spec_.d_model);
    module_back("mlp_out", "mlp.out", "ln2_post", g);
    g = mlp_back(std::move(g));
    const bool early = spec_.parallel && spec_.attention;
    if (own_norm) {
      meet_stream("ln2.normalized", g);
      Values dx = buffer(spec_.d_model);
      through_norm("ln2", had(early ? "resid_pre" : before_mlp), g, dx);
      g = std::move(dx);
    }
    if (wanted(named("mlp_in"))) {
      Values input = g;
      if (spec_.pre_norm && spec_.shared_parallel_norm) {
        input = buffer(spec_.d_model);
        add_norm_back(norm(named("ln1")), had("resid_pre").data(), g.data(), rows_, spec_.d_model,
                      input.data());
      }
      meet_stream("mlp_in", input);
    }
    if (spec_.pre_norm && spec_.shared_parallel_norm)
      shared = std::move(g);
    else if (early && own_norm)
      late = std::move(g);
    else
      add(gradient_, g);
  }
  if (spec_.attention) {
    meet_stream("resid_mid", gradient_);
    sum_norm_back("resid_pre", "attn_out", "ln1");
    Values g = gradient_;
    if (!spec_.residual) gradient_ = buffer(spec_.d_model);
    module_back("attn_out", "attn.out", "ln1_post", g);
    g = attention_back(std::move(g));
    if (!shared.empty()) add(g, shared);
    if (spec_.pre_norm) {
      meet_stream("ln1.normalized", g);
      through_norm("ln1", had("resid_pre"), g, gradient_);
    } else {
      add(gradient_, g);
    }
    if (!late.empty()) add(gradient_, late);
  }
  meet_stream("resid_pre", gradient_);
}

template <class T>
std::vector<T> BackwardPass<T>::mlp_back(Values g) {
  return is_sparse(spec_, layer_) ? experts_back(g) : dense_back(g);
}

template <class T>
const std::vector<T>& BackwardPass<T>::mlp_input() const {
  if (spec_.pre_norm) return had(spec_.shared_parallel_norm ? "ln1.normalized" : "ln2.normalized");
  return had(spec_.attention ? "resid_mid" : "resid_pre");
}

// post = act(pre), or act(gate) * factor.
template <class T>
std::vector<T> BackwardPass<T>::dense_back(const Values& g) {
  const int64_t width = spec_.d_model, hidden = spec_.d_mlp;
  static const Values nothing;
  const Values& input = parameters_ != nullptr || spec_.gated_mlp ? mlp_input() : nothing;
  Values dpre = through_matrix("mlp.W_out", "mlp.b_out", had_for_parameters("mlp.post"), hidden, g, width);
  meet(named("mlp.post"), {hidden}, dpre);
  const Values& pre = had("mlp.pre");
  Values dfactor;
  if (spec_.gated_mlp) {
    Values factor(pre.size());
    const Values bias = vector_if_any<T>(weights_, named("mlp.b_in"));
    linear<T>({input.data(), width}, begin_, matrix_of(weights_, named("mlp.W_in"), hidden, width), bias,
              {factor.data(), hidden}, task_, compute_);
    dfactor = dpre;
    for (size_t i = 0; i < pre.size(); ++i) {
      dfactor[i] *= activated(spec_.activation, pre[i]);
      dpre[i] *= factor[i];
    }
  }
  for (size_t i = 0; i < pre.size(); ++i) dpre[i] *= activation_slope(spec_.activation, pre[i]);
  meet(named("mlp.pre"), {hidden}, dpre);
  const std::string first = spec_.gated_mlp ? "gate" : "in";
  Values dx = through_matrix("mlp.W_" + first, "mlp.b_" + first, input, width, dpre, hidden);
  if (spec_.gated_mlp) add(dx, through_matrix("mlp.W_in", "mlp.b_in", input, width, dfactor, hidden));
  return dx;
}

template void BackwardPass<float>::block_back();
template void BackwardPass<double>::block_back();
template std::vector<float> BackwardPass<float>::through_matrix(const std::string&, const std::string&,
                                                                const Values&, int64_t, const Values&,
                                                                int64_t);
template std::vector<double> BackwardPass<double>::through_matrix(const std::string&, const std::string&,
                                                                  const Values&, int64_t, const Values&,
                                                                  int64_t);
template const std::vector<float>& BackwardPass<float>::mlp_input() const;
template const std::vector<double>& BackwardPass<double>::mlp_input() const;

}  // namespace varve
