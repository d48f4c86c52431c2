// Selecting the part of a site that an intervention names, and writing over it.
#include "analysis/model/changes.h"

#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/model/forward.h"

namespace varve {
namespace {

int64_t size_of(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t extent : shape) size *= extent;
  return size;
}

// Means of every place of one prompt's array over all prompts, and over positions where the site has them.
template <class T>
std::vector<double> means(const std::string& site, const std::vector<std::string>& axes,
                          const std::vector<std::vector<int64_t>>& shapes, const std::vector<T>& values) {
  const bool by_position = !axes.empty() && axes[0] == "pos";
  if (!by_position)
    for (const std::vector<int64_t>& shape : shapes)
      if (shape != shapes[0])
        fail("the mean of {} needs prompts of one length, not of {} and {}", site, shapes[0].back(),
             shape.back());
  const int64_t width = by_position ? size_of(shapes[0]) / shapes[0][0] : size_of(shapes[0]);
  std::vector<double> sums(static_cast<size_t>(width));
  for (size_t i = 0; i < values.size(); ++i)
    sums[i % static_cast<size_t>(width)] += static_cast<double>(values[i]);
  const double rows = static_cast<double>(values.size()) / static_cast<double>(width);
  for (double& sum : sums) sum /= rows;
  return sums;
}

}  // namespace

Changes::Changes(const ModelSpec& spec, const Interventions& changes, int64_t first_prompt)
    : kept_(changes), first_prompt_(first_prompt) {
  if (changes.empty()) return;
  check(spec, kept_);
  std::map<std::string, std::vector<std::string>> axes_of;
  for (const SiteInfo& site : sites_of(spec)) axes_of[site.name] = site.axes;
  for (const Intervention& change : kept_) {
    const std::string site = plain_site(change.site);
    Ready ready{change.change, axes_of.at(site), {},  -1, -1, change.from_prompt,
                change.number, change.values,    site};
    for (const auto& [axis, index] : change.where) {
      const bool own = std::find(ready.axes.begin(), ready.axes.end(), axis) != ready.axes.end();
      if (own)
        ready.where[axis] = index;
      else if (axis == "prompt")
        ready.prompt = index;
      else if (axis == "neuron")
        ready.where[ready.axes.back()] = index;
      else
        ready.expert = index;
    }
    by_site_[site].push_back(std::move(ready));
  }
}

bool Changes::any_in(const std::string& prefix) const {
  const auto at = by_site_.lower_bound(prefix);
  return at != by_site_.end() && at->first.starts_with(prefix);
}

template <class Each>
void Changes::select(const Ready& ready, const std::vector<int64_t>& shape, const Each& each) const {
  std::vector<int64_t> low(shape.size(), 0), high = shape;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const auto found = ready.where.find(ready.axes[axis]);
    if (found == ready.where.end()) continue;
    const int64_t index = found->second < 0 ? found->second + shape[axis] : found->second;
    if (index < 0 || index >= shape[axis])
      fail("a change of {} names {} {}, but a prompt here has {}", ready.site, ready.axes[axis],
           found->second, shape[axis]);
    low[axis] = index;
    high[axis] = index + 1;
  }
  std::vector<int64_t> at = low;
  for (int64_t ordinal = 0; !shape.empty(); ++ordinal) {
    int64_t flat = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) flat = flat * shape[axis] + at[axis];
    each(flat, ordinal);
    size_t axis = shape.size();
    while (axis > 0 && ++at[axis - 1] == high[axis - 1]) {
      at[axis - 1] = low[axis - 1];
      --axis;
    }
    if (axis == 0) return;
  }
}

template <class T>
void Changes::apply(const std::string& site, const SiteBuffer<T>& buffer) const {
  const auto found = by_site_.find(site);
  if (found == by_site_.end()) return;
  std::vector<int64_t> begin = {0};
  for (const std::vector<int64_t>& shape : buffer.shapes) begin.push_back(begin.back() + size_of(shape));
  std::vector<T> before;
  for (const Ready& ready : found->second)
    if (before.empty() && (ready.change == Change::mean || ready.change == Change::resample))
      before.assign(buffer.values, buffer.values + begin.back());
  const auto prompts = static_cast<int64_t>(buffer.shapes.size());
  for (const Ready& ready : found->second) {
    std::vector<double> mean;
    if (ready.change == Change::mean) mean = means(site, ready.axes, buffer.shapes, before);
    for (int64_t prompt = 0; prompt < prompts; ++prompt) {
      if (ready.prompt >= 0 && ready.prompt != prompt + first_prompt_) continue;
      const std::vector<int64_t>& shape = buffer.shapes[static_cast<size_t>(prompt)];
      T* values = buffer.values + begin[static_cast<size_t>(prompt)];
      const T* chosen = buffer.chosen ? buffer.chosen + begin[static_cast<size_t>(prompt)] : nullptr;
      const T* other = nullptr;
      if (ready.change == Change::resample) {
        const int64_t from = ready.from_prompt - first_prompt_;
        if (from < 0 || from >= prompts)
          fail_usage("{} is to be resampled from prompt {}, which this pass does not have", site,
                     ready.from_prompt);
        if (buffer.shapes[static_cast<size_t>(from)] != shape)
          fail_usage("{} cannot be resampled from prompt {}: prompts {} and {} differ in length", site,
                     ready.from_prompt, prompt + first_prompt_, ready.from_prompt);
        other = before.data() + begin[static_cast<size_t>(from)];
      }
      int64_t selected = 0;
      select(ready, shape, [&](int64_t flat, int64_t ordinal) {
        selected = ordinal + 1;
        if (ready.expert >= 0 && static_cast<int64_t>(chosen[flat]) != ready.expert) return;
        const auto given = [&] {
          if (ready.values.empty()) return ready.number;
          return ready.values[static_cast<size_t>(ordinal) % ready.values.size()];
        };
        T& value = values[flat];
        switch (ready.change) {
          case Change::set:
            value = static_cast<T>(given());
            break;
          case Change::add:
            value += static_cast<T>(given());
            break;
          case Change::scale:
            value *= static_cast<T>(ready.number);
            break;
          case Change::zero:
            value = T{0};
            break;
          case Change::mean:
            value = static_cast<T>(mean[static_cast<size_t>(flat) % mean.size()]);
            break;
          case Change::resample:
            value = other[flat];
            break;
        }
      });
      if (!ready.values.empty() && selected % static_cast<int64_t>(ready.values.size()) != 0)
        fail("{} values do not fit the {} that a change of {} selects in prompt {}", ready.values.size(),
             selected, site, prompt + first_prompt_);
    }
  }
}

template <class T>
void Changes::turn_back(const std::string& site, const SiteBuffer<T>& gradient) const {
  const auto found = by_site_.find(site);
  if (found == by_site_.end()) return;
  for (const Ready& ready : found->second) {
    if (ready.change == Change::add) continue;
    const T factor = ready.change == Change::scale ? static_cast<T>(ready.number) : T{0};
    int64_t begin = 0;
    for (size_t prompt = 0; prompt < gradient.shapes.size(); ++prompt) {
      const std::vector<int64_t>& shape = gradient.shapes[prompt];
      const int64_t first = begin;
      begin += size_of(shape);
      if (ready.prompt >= 0 && ready.prompt != static_cast<int64_t>(prompt) + first_prompt_) continue;
      select(ready, shape, [&](int64_t flat, int64_t) {
        if (ready.expert >= 0 && static_cast<int64_t>(gradient.chosen[first + flat]) != ready.expert) return;
        gradient.values[first + flat] *= factor;
      });
    }
  }
}

template void Changes::apply<float>(const std::string&, const SiteBuffer<float>&) const;
template void Changes::apply<double>(const std::string&, const SiteBuffer<double>&) const;
template void Changes::turn_back<float>(const std::string&, const SiteBuffer<float>&) const;
template void Changes::turn_back<double>(const std::string&, const SiteBuffer<double>&) const;

}  // namespace varve
