// Keeping streams and sites of a run.
#include "analysis/circuits/streams.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {
namespace {

class StreamKeeper : public SiteReader {
 public:
  StreamKeeper(int64_t layers, Streams& streams) : layers_(layers), streams_(streams) {
    streams_.at.resize(static_cast<size_t>(layers + 1));
  }
  bool wants(const std::string& site) const override {
    return site.ends_with(".resid_pre") || site == fmt::format("blocks.{}.resid_post", layers_ - 1);
  }
  void see(const Site& site) override {
    const bool last = site.name.ends_with(".resid_post");
    std::vector<double>& stream = streams_.at[static_cast<size_t>(last ? layers_ : site.layer)];
    for (int64_t i = 0; i < site.size(); ++i) stream.push_back(site.at(i));
  }

 private:
  int64_t layers_;
  Streams& streams_;
};

}  // namespace

void KeptSites::see(const Site& site) {
  Kept& kept = kept_[{site.name, site.prompt}];
  kept.shape = site.shape;
  kept.values.resize(static_cast<size_t>(site.size()));
  for (int64_t i = 0; i < site.size(); ++i) kept.values[static_cast<size_t>(i)] = site.at(i);
}

const KeptSites::Kept& KeptSites::kept(const std::string& site, int64_t prompt) const {
  const auto found = kept_.find({site, prompt});
  if (found == kept_.end()) fail("site {} of prompt {} was not kept", site, prompt);
  return found->second;
}

const std::vector<double>& KeptSites::of(const std::string& site, int64_t prompt) const {
  return kept(site, prompt).values;
}

const std::vector<int64_t>& KeptSites::shape(const std::string& site, int64_t prompt) const {
  return kept(site, prompt).shape;
}

Streams streams_of(const Weights& weights, const Probes& probes, Compute compute, Task& task,
                   const Interventions& changes) {
  Streams streams{probes, {}};
  StreamKeeper keeper(weights.spec().layers, streams);
  SiteReader* const readers[] = {&keeper};
  forward(weights, probes, compute, readers, task, {}, changes);
  return streams;
}

StartFrom::StartFrom(const Streams& streams, int64_t layer, Compute compute) {
  const std::vector<double>& stream = streams.at.at(static_cast<size_t>(layer));
  start_.layer = layer;
  if (compute == Compute::f64) {
    start_.f64 = stream;
    return;
  }
  single_.assign(stream.begin(), stream.end());
  start_.f32 = single_;
}

KeptSites layer_sites(const Weights& weights, const Streams& streams, int64_t layer, Compute compute,
                      const std::vector<std::string>& names, Task& task) {
  KeptSites kept(names);
  SiteReader* const readers[] = {&kept};
  const StartFrom from(streams, layer, compute);
  forward(weights, streams.probes, compute, readers, task, {}, {}, from.start());
  return kept;
}

Probes corrupted_of(const Probes& probes) {
  if (probes.questions.empty()) fail_usage("this needs pairs of prompts; give a task with --task FILE");
  Probes twins = probes;
  for (size_t prompt = 0; prompt < probes.prompts.size(); ++prompt) {
    if (probes.questions[prompt].corrupted.empty())
      fail_usage("pair {} of the task has no corrupted prompt, which this analysis compares with", prompt);
    twins.prompts[prompt] = probes.questions[prompt].corrupted;
  }
  return twins;
}

}  // namespace varve
