// A reader that keeps every value of the sites it wants, widened to double: what tests compare with.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/model/forward.h"

namespace varve {

struct SeenSite {
  std::vector<std::string> axes;
  std::vector<int64_t> shape;
  std::vector<double> values;
};

class SiteValues : public SiteReader {
 public:
  explicit SiteValues(std::vector<std::string> names) : names_(names.begin(), names.end()) {}
  bool wants(const std::string& site) const override { return names_.count(site) > 0; }
  void see(const Site& site) override {
    SeenSite seen{site.axes, site.shape, {}};
    seen.values.reserve(static_cast<size_t>(site.size()));
    for (int64_t i = 0; i < site.size(); ++i) seen.values.push_back(site.at(i));
    seen_[{site.name, site.prompt}] = std::move(seen);
    order_.push_back(site.name);
  }
  bool has(const std::string& name, int64_t prompt = 0) const { return seen_.count({name, prompt}) > 0; }
  const SeenSite& of(const std::string& name, int64_t prompt = 0) const { return seen_.at({name, prompt}); }
  const std::vector<double>& operator()(const std::string& name, int64_t prompt = 0) const {
    return of(name, prompt).values;
  }
  const std::vector<std::string>& order() const { return order_; }

 private:
  std::set<std::string> names_;
  std::map<std::pair<std::string, int64_t>, SeenSite> seen_;
  std::vector<std::string> order_;
};

inline SiteValues seen_sites(const Weights& weights, const std::vector<std::vector<int64_t>>& prompts,
                             const std::vector<std::string>& globs, Compute compute = Compute::f32) {
  SiteValues values(select_sites(weights.spec(), globs));
  Probes probes;
  probes.prompts = prompts;
  SiteReader* const readers[] = {&values};
  Task task;
  forward(weights, probes, compute, readers, task);
  return values;
}

}  // namespace varve
