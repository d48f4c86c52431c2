// Reading what every source writes, in one forward.
#include "analysis/circuits/sources.h"

#include "analysis/core/error.h"

namespace varve {
namespace {

template <class T>
class SourceReader : public SiteReader {
 public:
  SourceReader(const CircuitGraph& graph, SourceValues<T>& values) : graph_(graph), values_(values) {}
  bool wants(const std::string& site) const override {
    return site == "embed" || site.ends_with(".attn.result") || site.ends_with(".mlp_out");
  }
  void see(const Site& site) override {
    const int64_t length = site.shape[0], width = values_.width;
    T* all = values_.of[static_cast<size_t>(site.prompt)].data();
    if (site.name.ends_with(".attn.result")) {
      for (int64_t head = 0; head < graph_.heads; ++head) {
        T* out = all + graph_.head(site.layer, head) * length * width;
        for (int64_t pos = 0; pos < length; ++pos)
          for (int64_t i = 0; i < width; ++i)
            out[pos * width + i] = static_cast<T>(site.at((pos * graph_.heads + head) * width + i));
      }
      return;
    }
    T* out = all + (site.name == "embed" ? 0 : graph_.mlp(site.layer)) * length * width;
    for (int64_t i = 0; i < length * width; ++i) out[i] = static_cast<T>(site.at(i));
  }

 private:
  const CircuitGraph& graph_;
  SourceValues<T>& values_;
};

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
  SourceReader<T> reader(graph, values);
  SiteReader* const readers[] = {&reader};
  forward(weights, probes, compute, readers, task);
  return values;
}

template SourceValues<float> source_values<float>(const CircuitGraph&, const Weights&, const Probes&, Compute,
                                                  Task&);
template SourceValues<double> source_values<double>(const CircuitGraph&, const Weights&, const Probes&,
                                                    Compute, Task&);

}  // namespace varve
