// Arrays of estimates, and means over samples.
#include "analysis/pathways/estimates.h"

#include <cmath>
#include <limits>

namespace varve {

Estimates::Estimates(std::vector<std::string> axes, std::vector<int64_t> shape)
    : axes_(std::move(axes)), shape_(std::move(shape)) {
  size_t count = 1;
  for (const int64_t extent : shape_) count *= static_cast<size_t>(extent);
  value_.assign(count, std::numeric_limits<double>::quiet_NaN());
  low_ = high_ = value_;
  n_.assign(count, 0);
}

void Estimates::put(int64_t flat, const Estimate& estimate) {
  const auto at = static_cast<size_t>(flat);
  value_[at] = estimate.value;
  low_[at] = estimate.low;
  high_[at] = estimate.high;
  n_[at] = estimate.n;
}

void Estimates::put(int64_t flat, const PairEstimate& estimate) {
  put(flat, static_cast<const Estimate&>(estimate));
  if (error_.empty()) error_.assign(value_.size(), std::numeric_limits<double>::quiet_NaN());
  error_[static_cast<size_t>(flat)] = estimate.error;
}

void Estimates::into(Dataset& data, const std::string& name, const std::string& title,
                     const std::string& unit) const {
  data.set(name, titled(axes_, shape_, value_, title, unit));
  data.set(name + "_low", titled(axes_, shape_, low_, title + ", lower end of the 95 % interval", unit));
  data.set(name + "_high", titled(axes_, shape_, high_, title + ", upper end of the 95 % interval", unit));
  data.set(name + "_n", titled(axes_, shape_, n_, "n behind: " + title, ""));
  if (!error_.empty())
    data.set(name + "_se", titled(axes_, shape_, error_, title + ", standard error", unit));
}

std::vector<float> as_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

Estimate mean_over_samples(const Array& values, int64_t first_flat, const std::vector<int64_t>& group_of,
                           int64_t group, int64_t resamplings, uint64_t seed) {
  std::vector<double> mine;
  std::vector<int64_t> cluster;
  for (size_t i = 0; i < group_of.size(); ++i)
    if (group < 0 || group_of[i] == group) {
      mine.push_back(values.number(first_flat + static_cast<int64_t>(i)));
      cluster.push_back(static_cast<int64_t>(i));
    }
  return bootstrap_mean(mine, cluster, resamplings, seed);
}

int64_t bytes_per_place(int64_t numbers_per_prompt, const Probes& probes) {
  const int64_t longest = std::max<int64_t>(1, probes.longest());
  return 8 * numbers_per_prompt / longest + 1;
}

}  // namespace varve
