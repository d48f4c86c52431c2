// The way back through a mixture of experts: the chosen experts, their weights, and the router.
#include "analysis/core/error.h"
#include "analysis/model/backward_pass.h"

namespace varve {
namespace {

// The rows that one expert works on, with their weights' places.
struct Work {
  std::vector<int64_t> rows, places;
};

template <class T>
Work work_of(const std::vector<T>& indices, int64_t rows, int64_t ranks, int64_t expert) {
  Work work;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t rank = 0; rank < ranks; ++rank)
      if (static_cast<int64_t>(indices[static_cast<size_t>(row * ranks + rank)]) == expert) {
        work.rows.push_back(row);
        work.places.push_back(row * ranks + rank);
      }
  return work;
}

}  // namespace

// One expert on rows x [count, d_model]: dweight[i] = dy_i . y_i, and dx of weight_i dy_i.
template <class T>
std::vector<T> BackwardPass<T>::expert_back(const std::string& name, int64_t hidden, const Values& x,
                                            Values dy, const Values& weight, Values& dweight) {
  const int64_t width = spec_.d_model, count = static_cast<int64_t>(weight.size());
  const std::vector<int64_t> begin = {0, count};
  const std::string first = spec_.gated_mlp ? "W_gate" : "W_in";
  const Matrix w_first = matrix_of(weights_, name + first, hidden, width);
  const Matrix w_out = matrix_of(weights_, name + "W_out", width, hidden);
  Values pre(static_cast<size_t>(count * hidden)), factor, y(static_cast<size_t>(count * width));
  linear<T>({x.data(), width}, begin, w_first, {}, {pre.data(), hidden}, task_, compute_);
  if (spec_.gated_mlp) {
    factor.resize(pre.size());
    linear<T>({x.data(), width}, begin, matrix_of(weights_, name + "W_in", hidden, width), {},
              {factor.data(), hidden}, task_, compute_);
  }
  Values post = pre;
  activate(spec_.activation, post.data(), factor.empty() ? nullptr : factor.data(), count * hidden);
  linear<T>({post.data(), hidden}, begin, w_out, {}, {y.data(), width}, task_, compute_);
  dweight.assign(static_cast<size_t>(count), T{0});
  for (int64_t row = 0; row < count; ++row) {
    double dot = 0;
    for (int64_t i = 0; i < width; ++i) {
      T& value = dy[static_cast<size_t>(row * width + i)];
      dot += static_cast<double>(value) * static_cast<double>(y[static_cast<size_t>(row * width + i)]);
      value *= weight[static_cast<size_t>(row)];
    }
    dweight[static_cast<size_t>(row)] = static_cast<T>(dot);
  }
  const auto grow = [&](const std::string& w, const Values& g, int64_t outputs, const Values& in,
                        int64_t inputs) {
    if (wants_parameter(name + w))
      give(name + w, {outputs, inputs},
           weight_gradient<T>({g.data(), outputs}, outputs, {in.data(), inputs}, inputs, count, task_));
  };
  grow("W_out", dy, width, post, hidden);
  Values dpre = linear_back<T>({dy.data(), width}, begin, w_out, task_, compute_), dfactor;
  if (spec_.gated_mlp) {
    dfactor = dpre;
    for (size_t i = 0; i < pre.size(); ++i) {
      dfactor[i] *= activated(spec_.activation, pre[i]);
      dpre[i] *= factor[i];
    }
  }
  for (size_t i = 0; i < pre.size(); ++i) dpre[i] *= activation_slope(spec_.activation, pre[i]);
  grow(first, dpre, hidden, x, width);
  Values dx = linear_back<T>({dpre.data(), hidden}, begin, w_first, task_, compute_);
  if (!spec_.gated_mlp) return dx;
  grow("W_in", dfactor, hidden, x, width);
  const Values more = linear_back<T>({dfactor.data(), hidden}, begin,
                                     matrix_of(weights_, name + "W_in", hidden, width), task_, compute_);
  add_to(dx.data(), more.data(), static_cast<int64_t>(dx.size()));
  return dx;
}

template <class T>
std::vector<T> BackwardPass<T>::experts_back(const Values& g) {
  const int64_t width = spec_.d_model, ranks = spec_.experts_per_token;
  const std::string mlp = named("mlp.");
  const Values &x = mlp_input(), &indices = had("router.topk_indices"), &weight = had("router.topk_weights");
  Values dx = buffer(width), dweights = buffer(ranks);
  for (int64_t expert = 0; expert < spec_.experts; ++expert) {
    const Work work = work_of(indices, rows_, ranks, expert);
    if (work.rows.empty()) {
      give_nothing(fmt::format("{}experts.{}.", mlp, expert), spec_.d_expert);
      continue;
    }
    Values in, dy, own_weight, dweight;
    for (size_t i = 0; i < work.rows.size(); ++i) {
      const auto from = static_cast<std::ptrdiff_t>(work.rows[i] * width);
      in.insert(in.end(), x.begin() + from, x.begin() + from + width);
      dy.insert(dy.end(), g.begin() + from, g.begin() + from + width);
      own_weight.push_back(weight[static_cast<size_t>(work.places[i])]);
    }
    const Values part = expert_back(fmt::format("{}experts.{}.", mlp, expert), spec_.d_expert, in,
                                    std::move(dy), own_weight, dweight);
    for (size_t i = 0; i < work.rows.size(); ++i) {
      dweights[static_cast<size_t>(work.places[i])] = dweight[i];
      for (int64_t column = 0; column < width; ++column)
        dx[static_cast<size_t>(work.rows[i] * width + column)] +=
            part[i * static_cast<size_t>(width) + static_cast<size_t>(column)];
    }
  }
  if (spec_.d_shared > 0) {
    const Values all_ones(static_cast<size_t>(rows_), T{1});
    const Values& gate = spec_.shared_gate ? had("router.shared_gate") : all_ones;
    Values dgate;
    const Values part = expert_back(mlp + "shared.", spec_.d_shared, x, g, gate, dgate);
    add_to(dx.data(), part.data(), rows_ * width);
    if (spec_.shared_gate) {
      meet(named("router.shared_gate"), {}, dgate);
      Values sigmoid = buffer(1);  // as it was before any change
      linear<T>({x.data(), width}, begin_, matrix_of(weights_, mlp + "shared.gate", 1, width), {},
                {sigmoid.data(), 1}, task_);
      activate<T>(Activation::sigmoid, sigmoid.data(), nullptr, rows_);
      for (size_t row = 0; row < dgate.size(); ++row) dgate[row] *= sigmoid[row] * (T{1} - sigmoid[row]);
      const Values more = through_matrix("mlp.shared.gate", "", x, width, dgate, 1);
      add_to(dx.data(), more.data(), rows_ * width);
    }
  }
  const Values router = router_back(dweights);
  add_to(dx.data(), router.data(), rows_ * width);
  return dx;
}

// weights are probabilities of the chosen, divided by their sum where the model does so; probabilities a
// softmax of all experts' logits. The choice itself has no derivative.
template <class T>
std::vector<T> BackwardPass<T>::router_back(Values& dweights) {
  const int64_t experts = spec_.experts, ranks = spec_.experts_per_token;
  const Values &indices = had("router.topk_indices"), &probs = had("router.probs");
  meet(named("router.topk_weights"), {ranks}, dweights, indices.data());
  Values dlogits = buffer(experts);
  for (int64_t row = 0; row < rows_; ++row) {
    const T* chosen = indices.data() + row * ranks;
    const T* p = probs.data() + row * experts;
    T* out = dlogits.data() + row * experts;
    double sum = 1, dot = 0;
    if (spec_.renormalise) {
      sum = 0;
      for (int64_t rank = 0; rank < ranks; ++rank)
        sum += static_cast<double>(p[static_cast<int64_t>(chosen[rank])]);
      for (int64_t rank = 0; rank < ranks; ++rank)
        dot += static_cast<double>(dweights[static_cast<size_t>(row * ranks + rank)]) *
               static_cast<double>(p[static_cast<int64_t>(chosen[rank])]) / sum;
    }
    for (int64_t rank = 0; rank < ranks; ++rank)
      out[static_cast<int64_t>(chosen[rank])] += static_cast<T>(
          (static_cast<double>(dweights[static_cast<size_t>(row * ranks + rank)]) - dot) / sum);
  }
  meet(named("router.probs"), {experts}, dlogits);
  // A changed probability is no softmax; the way back is that of the one before the change.
  Values before = had("router.logits");
  for (int64_t row = 0; row < rows_; ++row) {
    T* p = before.data() + row * experts;
    T* out = dlogits.data() + row * experts;
    softmax(p, experts);
    double dot = 0;
    for (int64_t i = 0; i < experts; ++i) dot += static_cast<double>(p[i]) * static_cast<double>(out[i]);
    for (int64_t i = 0; i < experts; ++i) out[i] = p[i] * (out[i] - static_cast<T>(dot));
  }
  meet(named("router.logits"), {experts}, dlogits);
  return through_matrix("mlp.W_router", "", mlp_input(), spec_.d_model, dlogits, experts);
}

// An expert that no token chose.
template <class T>
void BackwardPass<T>::give_nothing(const std::string& name, int64_t hidden) {
  const int64_t width = spec_.d_model;
  const Values zeros(static_cast<size_t>(hidden * width), T{0});
  for (const char* w : {"W_in", "W_gate"})
    if (wants_parameter(name + w)) give(name + w, {hidden, width}, zeros);
  if (wants_parameter(name + "W_out")) give(name + "W_out", {width, hidden}, zeros);
}

template std::vector<float> BackwardPass<float>::experts_back(const Values&);
template std::vector<double> BackwardPass<double>::experts_back(const Values&);

}  // namespace varve
