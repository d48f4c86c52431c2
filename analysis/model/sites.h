// Who wants to see which site, and when the last wanted one has been shown.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "analysis/model/forward.h"

namespace varve {

class SiteDesk {
 public:
  // first_prompt: the place of this pass's first prompt among all. first_layer: sites before it are not
  // computed; -1: all are.
  SiteDesk(const ModelSpec& spec, std::span<SiteReader* const> readers, int64_t first_prompt = 0,
           int64_t first_layer = -1);
  bool wanted(const std::string& site) const { return wanted_.count(site) > 0; }
  bool finished() const { return left_ == 0; }        // nothing wanted is still to come
  int64_t last_layer() const { return last_layer_; }  // whose weights are needed; -1: none
  const std::vector<std::string>& axes(const std::string& site) const { return wanted_.at(site).axes; }

  // Hands one prompt's values to every reader that wants the site.
  template <class T>
  void show(const std::string& name, int64_t layer, int64_t prompt, const std::vector<int64_t>& shape,
            const T* values) const {
    const Wanted& wanted = wanted_.at(name);
    Site site{name, layer, first_prompt_ + prompt, wanted.axes, shape, {}, {}};
    size_t size = 1;
    for (int64_t extent : shape) size *= static_cast<size_t>(extent);
    if constexpr (std::is_same_v<T, float>)
      site.f32 = {values, size};
    else
      site.f64 = {values, size};
    for (SiteReader* reader : wanted.readers) reader->see(site);
  }
  // After all prompts of a wanted site.
  void shown() { --left_; }

 private:
  struct Wanted {
    std::vector<std::string> axes;
    std::vector<SiteReader*> readers;
  };
  std::map<std::string, Wanted> wanted_;
  int64_t left_ = 0, first_prompt_ = 0, last_layer_ = -1;
};

}  // namespace varve
