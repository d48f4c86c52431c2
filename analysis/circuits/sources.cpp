// Reading what every source writes, in one forward.
#include "analysis/circuits/sources.h"

#include <algorithm>
#include <type_traits>

#include "analysis/core/error.h"
#include "analysis/model/kernels.h"
#include "analysis/model/moe.h"

namespace varve {
namespace {

enum class Take { as_they_are, minus_what_was };

// Mixes z of all prompts meet their head's share of W_O at once: it is packed for the product only once.
template <class T>
class SourceReader : public SiteReader {
 public:
  SourceReader(const CircuitGraph& graph, const Weights& weights, Compute compute, Take take,
               SourceValues<T>& values)
      : graph_(graph), weights_(weights), compute_(compute), take_(take), values_(values) {
    last_ = fmt::format("blocks.{}.resid_post", graph.layers - 1);
    for (const int64_t length : values.length) begin_.push_back(begin_.back() + length);
  }
  bool wants(const std::string& site) const override {
    return site == "embed" || site == last_ || site.ends_with(".attn.z") || site.ends_with(".mlp_out");
  }
  void see(const Site& site) override {
    const T* from = nullptr;
    if constexpr (std::is_same_v<T, float>)
      from = site.f32.data();
    else
      from = site.f64.data();
    if (site.name == last_) {
      values_.stream.insert(values_.stream.end(), from, from + site.size());
    } else if (site.name.ends_with(".attn.z")) {
      mixes_.insert(mixes_.end(), from, from + site.size());
      if (site.prompt + 2 == static_cast<int64_t>(begin_.size())) heads(site.layer);
    } else {
      put(site.prompt, site.name == "embed" ? 0 : graph_.mlp(site.layer), from);
    }
  }

 private:
  void put(int64_t prompt, int64_t source, const T* from) {
    const auto at = static_cast<size_t>(prompt);
    const int64_t size = values_.length[at] * values_.width;
    T* const to = values_.of[at].data() + source * size;
    if (take_ == Take::as_they_are)
      std::copy_n(from, size, to);
    else
      for (int64_t i = 0; i < size; ++i) to[i] = from[i] - to[i];
  }

  void heads(int64_t layer) {
    const int64_t d = weights_.spec().d_head, wide = graph_.heads * d, width = values_.width;
    const Matrix w = matrix_of(weights_, fmt::format("blocks.{}.attn.W_O", layer), width, wide);
    std::vector<T> out(static_cast<size_t>(begin_.back() * width));
    for (int64_t head = 0; head < graph_.heads; ++head) {
      linear<T>({mixes_.data() + head * d, wide}, begin_, columns_of(w, head * d, d), {}, {out.data(), width},
                task_, compute_);
      for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt)
        put(static_cast<int64_t>(prompt), graph_.head(layer, head), out.data() + begin_[prompt] * width);
    }
    mixes_.clear();
  }

  const CircuitGraph& graph_;
  const Weights& weights_;
  Compute compute_;
  Take take_;
  SourceValues<T>& values_;
  Task task_;
  std::string last_;
  std::vector<int64_t> begin_ = {0};
  std::vector<T> mixes_;  // of this layer, [rows of all prompts, heads * d_head]
};

template <class T>
void read_sources(const CircuitGraph& graph, const Weights& weights, const Probes& probes, Compute compute,
                  Take take, SourceValues<T>& values, Task& task) {
  SourceReader<T> reader(graph, weights, compute, take, values);
  SiteReader* const readers[] = {&reader};
  forward(weights, probes, compute, readers, task);
}

}  // namespace

template <class T>
SourceValues<T> source_values(const CircuitGraph& graph, const Weights& weights, const Probes& probes,
                              Compute compute, Task& task) {
  SourceValues<T> values;
  values.width = weights.spec().d_model;
  for (const auto& prompt : probes.prompts) {
    values.length.push_back(static_cast<int64_t>(prompt.size()));
    values.of.emplace_back(prompt.size() * static_cast<size_t>(graph.sources() * values.width));
  }
  read_sources(graph, weights, probes, compute, Take::as_they_are, values, task);
  return values;
}

template <class T>
void subtract_from(const CircuitGraph& graph, const Weights& weights, const Probes& probes, Compute compute,
                   SourceValues<T>& values, Task& task) {
  values.stream.clear();
  read_sources(graph, weights, probes, compute, Take::minus_what_was, values, task);
}

template SourceValues<float> source_values<float>(const CircuitGraph&, const Weights&, const Probes&, Compute,
                                                  Task&);
template SourceValues<double> source_values<double>(const CircuitGraph&, const Weights&, const Probes&,
                                                    Compute, Task&);
template void subtract_from<float>(const CircuitGraph&, const Weights&, const Probes&, Compute,
                                   SourceValues<float>&, Task&);
template void subtract_from<double>(const CircuitGraph&, const Weights&, const Probes&, Compute,
                                    SourceValues<double>&, Task&);

}  // namespace varve
