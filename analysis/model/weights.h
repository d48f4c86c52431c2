// Weights of one checkpoint by canonical name: recipes executed over raw tensors, widened only where they are
// used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/model/recipe.h"
#include "analysis/model/spec.h"

namespace varve {

enum class RawType : uint8_t { f64, f32, f16, bf16 };

// A source tensor as its file has it.
struct RawTensor {
  RawType type = RawType::f32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  bool mapped = false;  // they lie in a mapped file: their pages may leave memory once read
  std::shared_ptr<const std::vector<std::byte>> owned = nullptr;  // what they lie in otherwise
};
using TensorSource =
    std::function<RawTensor(const std::string& source_name)>;  // throws Error where it is absent
// Where a source tensor lies in mapped files, unread: none where it does not.
using StretchSource = std::function<std::vector<std::span<const std::byte>>(const std::string& source_name)>;

// A matrix seen through its recipe: element (r, c) lies at base + r*row_stride + c*column_stride (in
// elements). Where the recipe cannot be said with strides, `owned` holds a rearranged copy in the tensor's
// own type.
struct Matrix {
  RawType type = RawType::f32;
  int64_t rows = 0, columns = 0, row_stride = 0, column_stride = 1;
  const std::byte* base = nullptr;
  std::shared_ptr<const std::vector<std::byte>> owned;
  bool mapped = false;
};

class Weights {
 public:
  Weights(ModelSpec spec, TensorRecipe recipe, TensorSource source, StretchSource stretches = {});
  const ModelSpec& spec() const { return spec_; }
  bool has(const std::string& canonical) const;
  Matrix matrix(const std::string& canonical) const;  // two axes; throws Error
  std::vector<float> vector_f32(const std::string& canonical) const;
  std::vector<double> vector_f64(const std::string& canonical) const;

  // Frugal: pages that will be read again soon leave memory too, and buffers are given back between uses.
  bool frugal() const { return frugal_; }
  void set_frugal(bool frugal) { frugal_ = frugal; }
  // The mapped bytes behind all tensors whose canonical name begins so: "blocks.3.", "unembed.".
  std::vector<std::span<const std::byte>> stretches(const std::string& prefix) const;
  void release(const std::string& prefix) const;  // lets their pages leave memory

 private:
  ModelSpec spec_;
  TensorRecipe recipe_;
  TensorSource source_;
  StretchSource stretches_;
  bool frugal_ = false;
};

// Rows [first, first + count) of a matrix, widened; the tile a kernel multiplies with.
void widen_rows(const Matrix& matrix, int64_t first, int64_t count, float* out);
void widen_rows(const Matrix& matrix, int64_t first, int64_t count, double* out);
// Lets the pages under these rows leave memory, where they are mapped and no other rows lie among them.
void release_rows(const Matrix& matrix, int64_t first, int64_t count);

}  // namespace varve
