// What analyses that run a model many times keep of a run: the stream before every layer, and single sites.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/model/forward.h"
#include "analysis/study.h"

namespace varve {

// Values of chosen sites of every prompt.
class KeptSites : public SiteReader {
 public:
  explicit KeptSites(const std::vector<std::string>& names) : names_(names.begin(), names.end()) {}
  bool wants(const std::string& site) const override { return names_.count(site) > 0; }
  void see(const Site& site) override;
  const std::vector<double>& of(const std::string& site, int64_t prompt) const;
  const std::vector<int64_t>& shape(const std::string& site, int64_t prompt) const;

 private:
  struct Kept {
    std::vector<int64_t> shape;
    std::vector<double> values;
  };
  const Kept& kept(const std::string& site, int64_t prompt) const;
  std::set<std::string> names_;
  std::map<std::pair<std::string, int64_t>, Kept> kept_;
};

// The stream before each layer, and after the last one: [layers + 1][rows * d_model], rows of all prompts.
struct Streams {
  Probes probes;
  std::vector<std::vector<double>> at;
};
Streams streams_of(const Weights& weights, const Probes& probes, Compute compute, Task& task,
                   const Interventions& changes = {});

// A start from such a stream, in the numbers the pass computes in.
class StartFrom {
 public:
  StartFrom(const Streams& streams, int64_t layer, Compute compute);
  const Start& start() const { return start_; }

 private:
  std::vector<float> single_;
  Start start_;
};

// The sites of one layer, from the stream before it.
KeptSites layer_sites(const Weights& weights, const Streams& streams, int64_t layer, Compute compute,
                      const std::vector<std::string>& names, Task& task);

// The corrupted twins of a task's prompts. Throws Error (usage) where the task has none.
Probes corrupted_of(const Probes& probes);

}  // namespace varve
