// Interventions made ready for one pass: which site they change, and the changing itself.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "analysis/model/intervene.h"

namespace varve {

// The values of one site for all prompts of a pass, one prompt after the other.
template <class T>
struct SiteBuffer {
  T* values = nullptr;
  std::vector<std::vector<int64_t>> shapes;  // of each prompt
  const T* chosen = nullptr;                 // at router.topk_weights: the experts' ids, laid out like values
};

class Changes {
 public:
  // Throws as check(spec, changes) does. first_prompt: the pass's first prompt among all.
  Changes(const ModelSpec& spec, const Interventions& changes, int64_t first_prompt);
  bool any(const std::string& site) const { return by_site_.count(site) > 0; }
  bool any_in(const std::string& prefix) const;  // "blocks.3."

  template <class T>
  void apply(const std::string& site, const SiteBuffer<T>& buffer) const;
  // The gradient after the site becomes that before the change. `mean` and `resample` count as constants.
  template <class T>
  void turn_back(const std::string& site, const SiteBuffer<T>& gradient) const;

 private:
  struct Ready {
    Change change = Change::zero;
    std::vector<std::string> axes;  // without prompt
    std::map<std::string, int64_t> where;
    int64_t prompt = -1, expert = -1, from_prompt = -1;
    double number = 0;
    std::span<const double> values;
    std::string site;
  };
  // Calls each(flat, ordinal) for the selected values of one prompt.
  template <class Each>
  void select(const Ready& ready, const std::vector<int64_t>& shape, const Each& each) const;

  Interventions kept_;
  int64_t first_prompt_;
  std::map<std::string, std::vector<Ready>> by_site_;
};

}  // namespace varve
