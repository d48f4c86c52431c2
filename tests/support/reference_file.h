// Arrays of a reference file (safetensors) as doubles. Header only: it needs the loaders.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "analysis/core/error.h"
#include "loaders/format.h"

namespace varve {

struct ReferenceArray {
  std::vector<int64_t> shape;
  std::vector<double> values;
  double largest() const {
    double most = 0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
  }
};

class ReferenceArrays {
 public:
  explicit ReferenceArrays(const std::filesystem::path& path)
      : file_(formats().get("safetensors").open(path)) {}
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const FileTensor& tensor : file_->tensors()) all.push_back(tensor.name);
    return all;
  }
  ReferenceArray operator()(const std::string& name) const {
    for (const FileTensor& tensor : file_->tensors()) {
      if (tensor.name != name) continue;
      ReferenceArray array{tensor.view.shape, {}};
      if (tensor.view.type == TensorType::f32) copy<float>(tensor.view, array.values);
      if (tensor.view.type == TensorType::i64) copy<int64_t>(tensor.view, array.values);
      if (tensor.view.type == TensorType::u8) copy<uint8_t>(tensor.view, array.values);
      return array;
    }
    fail("the reference has no array '{}'", name);
  }
  std::vector<std::vector<int64_t>> rows(const std::string& name) const {
    const ReferenceArray ids = (*this)(name);
    std::vector<std::vector<int64_t>> all;
    for (int64_t row = 0; row < ids.shape[0]; ++row) {
      const auto first = ids.values.begin() + row * ids.shape[1];
      all.emplace_back(first, first + ids.shape[1]);
    }
    return all;
  }

 private:
  template <class Stored>
  static void copy(const TensorView& view, std::vector<double>& out) {
    for (size_t at = 0; at + sizeof(Stored) <= view.bytes.size(); at += sizeof(Stored)) {
      Stored value;
      std::memcpy(&value, view.bytes.data() + at, sizeof(Stored));
      out.push_back(static_cast<double>(value));
    }
  }
  std::unique_ptr<TensorFile> file_;
};

// Largest difference as a share of the largest reference entry.
inline double relative_error(const std::vector<double>& values, const ReferenceArray& reference) {
  EXPECT_EQ(values.size(), reference.values.size());
  if (values.size() != reference.values.size()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double difference = std::abs(values[i] - reference.values[i]);
    worst = difference <= worst ? worst : difference;  // NaN stays
  }
  return worst / reference.largest();
}

}  // namespace varve
