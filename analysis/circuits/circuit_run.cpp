// One prompt through the model with an own input for every destination.
#include "analysis/circuits/circuit_run.h"

#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/memory_plan.h"
#include "analysis/model/attention.h"
#include "analysis/model/backward_parts.h"
#include "analysis/model/embedding.h"
#include "analysis/model/moe.h"
#include "analysis/model/rope.h"

namespace varve {

void EdgeSet::fill() {
  for (int64_t source = 0; source < graph_.sources(); ++source)
    for (int64_t destination = 0; destination < graph_.destinations(); ++destination)
      in_[place(source, destination)] = graph_.has_edge(source, destination) ? 1 : 0;
}

int64_t EdgeSet::count() const { return std::count(in_.begin(), in_.end(), 1); }

namespace {

template <class T>
class OneRun {
 public:
  OneRun(const CircuitGraph& graph, const Weights& weights, const std::vector<int64_t>& ids, Compute compute,
         const T* others, const EdgeSet& edges)
      : graph_(graph),
        weights_(weights),
        spec_(weights.spec()),
        whole_(weights.spec()),
        compute_(compute),
        others_(others),
        edges_(edges),
        length_(static_cast<int64_t>(ids.size())),
        size_(length_ * spec_.d_model),
        begin_({0, length_}) {
    whole_.kv_heads = spec_.heads;  // each query head has its own keys and values
    probes_.prompts = {ids};
    missing_.resize(static_cast<size_t>(graph.sources() * size_));
  }

  std::vector<T> run() {
    stream_ = embeddings<T>(weights_, probes_, begin_, task_);
    wrote(0, stream_.data());
    if (spec_.positions == Positions::learned) {
      const Matrix places = weights_.matrix("pos_embed.W_pos");
      std::vector<T> placed(stream_.size());
      widen_rows(places, 0, length_, placed.data());
      add_to(stream_.data(), placed.data(), size_);
    }
    if (spec_.positions == Positions::rotary) table_ = rope_table<T>(spec_, length_);
    for (int64_t layer = 0; layer < spec_.layers; ++layer) block(layer);
    return input_of(graph_.logits(), 1);
  }

 private:
  std::string named(int64_t layer, const std::string& part) const {
    return fmt::format("blocks.{}.{}", layer, part);
  }

  // What the other run has beyond this one's source.
  void wrote(int64_t source, const T* values) {
    T* out = missing_.data() + source * size_;
    const T* other = others_ + source * size_;
    for (int64_t i = 0; i < size_; ++i) out[i] = other[i] - values[i];
  }

  // Inputs of destinations [first, first + count): [count][pos * d_model].
  std::vector<T> input_of(int64_t first, int64_t count) const {
    const int64_t sources = graph_.sources_of(first);
    std::vector<T> outside(static_cast<size_t>(count * sources)), inputs(static_cast<size_t>(count * size_));
    for (int64_t one = 0; one < count; ++one)
      for (int64_t source = 0; source < sources; ++source)
        outside[static_cast<size_t>(one * sources + source)] = edges_.has(source, first + one) ? T{0} : T{1};
    multiply<T>(count, size_, sources, {outside.data(), sources}, {missing_.data(), size_},
                {inputs.data(), size_});
    for (int64_t one = 0; one < count; ++one) add_to(inputs.data() + one * size_, stream_.data(), size_);
    return inputs;
  }

  void normed(const std::string& norm, std::vector<T>& rows) const {
    norm_rows(norm_weights<T>(weights_, norm), rows.data(), static_cast<int64_t>(rows.size()) / spec_.d_model,
              spec_.d_model, rows.data());
  }

  void block(int64_t layer) {
    const std::vector<T> heads = heads_of(layer);
    std::vector<T> mlp;
    if (spec_.parallel) mlp = mlp_of(layer);
    for (int64_t head = 0; head < graph_.heads; ++head) {
      wrote(graph_.head(layer, head), heads.data() + head * size_);
      add_to(stream_.data(), heads.data() + head * size_, size_);
    }
    const std::vector<T> bias = vector_if_any<T>(weights_, named(layer, "attn.b_O"));
    if (!bias.empty())
      for (int64_t i = 0; i < size_; ++i)
        stream_[static_cast<size_t>(i)] += bias[static_cast<size_t>(i % spec_.d_model)];
    if (!spec_.parallel) mlp = mlp_of(layer);
    wrote(graph_.mlp(layer), mlp.data());
    add_to(stream_.data(), mlp.data(), size_);
  }

  // [head][pos * d_model]
  std::vector<T> heads_of(int64_t layer) {
    const int64_t d = spec_.d_head, width = spec_.heads * d, model = spec_.d_model;
    std::vector<T> inputs = input_of(graph_.head_input(layer, 0, 0), 3 * graph_.heads);
    if (spec_.pre_norm) normed(named(layer, "ln1"), inputs);
    std::vector<T> parts[3];
    for (int64_t part = 0; part < 3; ++part)
      parts[part] = projected(layer, part, inputs.data() + part * graph_.heads * size_);
    std::vector<T> z(static_cast<size_t>(length_ * width)), out(static_cast<size_t>(graph_.heads * size_));
    AttentionPlan plan = attention_plan(spec_, layer);
    plan.kv_heads = spec_.heads;
    attend(whole_, plan, begin_, parts[0].data(), parts[1].data(), parts[2].data(), z.data(), task_);
    const Matrix w = matrix_of(weights_, named(layer, "attn.W_O"), model, width);
    for (int64_t head = 0; head < graph_.heads; ++head)
      linear<T>({z.data() + head * d, width}, begin_, columns_of(w, head * d, d), {},
                {out.data() + head * size_, model}, task_, compute_);
    return out;
  }

  // Queries, keys or values of every query head, each from its own input: [pos, heads, d_head].
  std::vector<T> projected(int64_t layer, int64_t part, const T* inputs) {
    const char* const letters[] = {"Q", "K", "V"};
    const char* const names[] = {"q", "k", "v"};
    const int64_t d = spec_.d_head, width = spec_.heads * d, model = spec_.d_model;
    const int64_t own_heads = part == 0 ? spec_.heads : spec_.kv_heads;
    const Matrix w =
        matrix_of(weights_, named(layer, std::string("attn.W_") + letters[part]), own_heads * d, model);
    const std::vector<T> bias =
        vector_if_any<T>(weights_, named(layer, std::string("attn.b_") + letters[part]));
    const bool norm = part < 2 && (spec_.qk_norm_full || spec_.qk_norm_per_head);
    std::vector<T> out(static_cast<size_t>(length_ * width));
    for (int64_t head = 0; head < spec_.heads; ++head) {
      const int64_t slot = part == 0 ? head : kv_head_of(spec_, head);
      // A norm over the full width reads every head's projection of this head's input.
      const bool full = norm && spec_.qk_norm_full;
      const int64_t rows = full ? own_heads * d : d;
      std::vector<T> own(static_cast<size_t>(length_ * rows));
      const std::span<const T> b(bias);
      linear<T>({inputs + head * size_, model}, begin_, full ? w : rows_of(w, slot * d, d),
                bias.empty() || full ? b : b.subspan(static_cast<size_t>(slot * d), static_cast<size_t>(d)),
                {own.data(), rows}, task_, compute_);
      if (norm) {
        const std::string name = named(layer, fmt::format("attn.{}_norm", names[part]));
        NormWeights<T> weights{spec_.norm, spec_.norm_eps, vector_of<T>(weights_, name + ".w"),
                               vector_if_any<T>(weights_, name + ".b")};
        for (T& gain : weights.gain) gain += static_cast<T>(spec_.norm_offset);
        norm_rows(weights, own.data(), length_, rows, own.data());
      }
      for (int64_t pos = 0; pos < length_; ++pos)
        std::copy_n(own.data() + pos * rows + (full ? slot * d : 0), d, out.data() + pos * width + head * d);
    }
    if (spec_.clip_qkv > 0)
      for (T& value : out)
        value = std::clamp(value, static_cast<T>(-spec_.clip_qkv), static_cast<T>(spec_.clip_qkv));
    if (part < 2 && spec_.positions == Positions::rotary)
      for (int64_t pos = 0; pos < length_; ++pos)
        rotate_row(table_, pos, spec_.heads, d, out.data() + pos * width);
    return out;
  }

  std::vector<T> mlp_of(int64_t layer) {
    const int64_t model = spec_.d_model, hidden = spec_.d_mlp;
    std::vector<T> x = input_of(graph_.mlp_input(layer), 1), out(static_cast<size_t>(size_));
    if (spec_.pre_norm) normed(named(layer, spec_.shared_parallel_norm ? "ln1" : "ln2"), x);
    if (is_sparse(spec_, layer)) {
      const Routing<T> routing = route(weights_, layer, begin_, x.data(), task_);
      run_experts(weights_, layer, begin_, routing, x.data(), out.data(), task_, compute_);
      return out;
    }
    const auto apply = [&](const char* w, const char* b, const std::vector<T>& in, int64_t inputs,
                           int64_t outputs) {
      std::vector<T> y(static_cast<size_t>(length_ * outputs));
      const std::vector<T> bias = vector_if_any<T>(weights_, named(layer, b));
      linear<T>({in.data(), inputs}, begin_, matrix_of(weights_, named(layer, w), outputs, inputs), bias,
                {y.data(), outputs}, task_, compute_);
      return y;
    };
    std::vector<T> factor;
    if (spec_.gated_mlp) factor = apply("mlp.W_in", "mlp.b_in", x, model, hidden);
    std::vector<T> post = spec_.gated_mlp ? apply("mlp.W_gate", "mlp.b_gate", x, model, hidden)
                                          : apply("mlp.W_in", "mlp.b_in", x, model, hidden);
    activate(spec_.activation, post.data(), factor.empty() ? nullptr : factor.data(), length_ * hidden);
    return apply("mlp.W_out", "mlp.b_out", post, hidden, model);
  }

  const CircuitGraph& graph_;
  const Weights& weights_;
  const ModelSpec& spec_;
  ModelSpec whole_;
  Compute compute_;
  const T* others_;
  const EdgeSet& edges_;
  int64_t length_, size_;
  std::vector<int64_t> begin_;
  Probes probes_;
  Task task_;
  RopeTable<T> table_;
  std::vector<T> stream_,
      missing_;  // missing_ [source][pos * d_model]: the other run's output minus this one's
};

}  // namespace

template <class T>
CircuitRunner<T>::CircuitRunner(const CircuitGraph& graph, const Weights& weights, const Probes& clean,
                                Compute compute, const SourceValues<T>& others)
    : graph_(graph), weights_(weights), clean_(clean), compute_(compute), others_(others) {}

template <class T>
std::vector<T> CircuitRunner<T>::run(const EdgeSet& edges, int64_t prompt) const {
  return OneRun<T>(graph_, weights_, clean_.prompts[static_cast<size_t>(prompt)], compute_,
                   others_.at(prompt, 0), edges)
      .run();
}

template <class T>
std::vector<double> CircuitRunner<T>::metric(const EdgeSet& edges, const Metric& metric) const {
  std::vector<T> streams;
  for (size_t prompt = 0; prompt < clean_.prompts.size(); ++prompt) {
    const std::vector<T> one = run(edges, static_cast<int64_t>(prompt));
    streams.insert(streams.end(), one.begin(), one.end());
  }
  Start start;
  start.layer = weights_.spec().layers;
  if constexpr (std::is_same_v<T, float>)
    start.f32 = streams;
  else
    start.f64 = streams;
  Task quiet;
  return metric_values(weights_, clean_, compute_, metric, quiet, {}, start);
}

namespace {

template <class T>
void add_sums(const CircuitGraph& graph, const Weights& weights, const Probes& some, Compute compute,
              std::vector<double>& sums, Task& task) {
  const SourceValues<T> values = source_values<T>(graph, weights, some, compute, task);
  for (size_t prompt = 0; prompt < values.of.size(); ++prompt)
    for (int64_t source = 0; source < graph.sources(); ++source) {
      const T* const rows = values.at(static_cast<int64_t>(prompt), source);
      for (int64_t i = 0; i < values.length[prompt] * values.width; ++i)
        sums[static_cast<size_t>(source * values.width + i % values.width)] += static_cast<double>(rows[i]);
    }
}

}  // namespace

std::vector<double> mean_sources(const CircuitGraph& graph, const Weights& weights, const Probes& clean,
                                 Compute compute, int64_t at_once, Task& task) {
  std::vector<double> mean(static_cast<size_t>(graph.sources() * weights.spec().d_model));
  const auto pairs = static_cast<int64_t>(clean.prompts.size());
  for (int64_t first = 0; first < pairs; first += at_once) {
    const Probes some = prompts_of(clean, {first, std::min(at_once, pairs - first)});
    if (compute == Compute::f64)
      add_sums<double>(graph, weights, some, compute, mean, task);
    else
      add_sums<float>(graph, weights, some, compute, mean, task);
  }
  for (double& value : mean) value /= static_cast<double>(clean.tokens());
  return mean;
}

template <class T>
SourceValues<T> outside_values(Outside how, const CircuitGraph& graph, const Weights& weights,
                               const Probes& corrupted, const std::vector<double>& mean, Compute compute,
                               Task& task) {
  if (how == Outside::patching) return source_values<T>(graph, weights, corrupted, compute, task);
  SourceValues<T> values;
  values.width = weights.spec().d_model;
  for (const auto& prompt : corrupted.prompts) {
    const auto length = static_cast<int64_t>(prompt.size());
    values.length.push_back(length);
    values.of.emplace_back(static_cast<size_t>(graph.sources() * length * values.width), T{0});
    if (how == Outside::zero) continue;
    T* to = values.of.back().data();
    for (int64_t source = 0; source < graph.sources(); ++source)
      for (int64_t i = 0; i < length * values.width; ++i)
        *to++ = static_cast<T>(mean[static_cast<size_t>(source * values.width + i % values.width)]);
  }
  return values;
}

template class CircuitRunner<float>;
template class CircuitRunner<double>;
template SourceValues<float> outside_values<float>(Outside, const CircuitGraph&, const Weights&,
                                                   const Probes&, const std::vector<double>&, Compute, Task&);
template SourceValues<double> outside_values<double>(Outside, const CircuitGraph&, const Weights&,
                                                     const Probes&, const std::vector<double>&, Compute,
                                                     Task&);

}  // namespace varve
