// Fills a result's arrays together with their intervals and counts: NAME, NAME_low, NAME_high, NAME_n.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/core/correlation.h"
#include "analysis/core/dataset.h"
#include "analysis/model/probes.h"
#include "analysis/model/spec.h"

namespace varve {

class Estimates {
 public:
  Estimates(std::vector<std::string> axes, std::vector<int64_t> shape);
  void put(int64_t flat, const Estimate& estimate);
  void put(int64_t flat, const PairEstimate& estimate);  // NAME_se too
  void into(Dataset& data, const std::string& name, const std::string& title, const std::string& unit) const;

 private:
  std::vector<std::string> axes_;
  std::vector<int64_t> shape_;
  std::vector<double> value_, low_, high_, error_;
  std::vector<int64_t> n_;
};

// An array ready for a Dataset.
template <class T>
Array titled(std::vector<std::string> axes, std::vector<int64_t> shape, std::vector<T> values,
             const std::string& title, const std::string& unit) {
  Array array(std::move(axes), std::move(shape), std::move(values));
  array.title = title;
  array.unit = unit;
  return array;
}
std::vector<float> as_floats(const std::vector<double>& values);

// Mean of one value a sample over the samples of one group (-1: all), with a bootstrap over samples.
Estimate mean_over_samples(const Array& values, int64_t first_flat, const std::vector<int64_t>& group_of,
                           int64_t group, int64_t resamplings, uint64_t seed);

// Bytes of a result with so many numbers a prompt, spread over the longest prompt's places.
int64_t bytes_per_place(int64_t numbers_per_prompt, const Probes& probes);

}  // namespace varve
