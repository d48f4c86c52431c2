// Products of activations with each other and all of f64 through OpenBLAS, one thread each; norms and
// activations.
#include "analysis/model/kernels.h"

#include <cblas.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/exponential.h"
#include "analysis/model/gemm.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

constexpr int64_t rows_per_piece = 32;
constexpr int64_t values_per_piece = 16384;

// OpenBLAS must not start threads of its own: ours are already one a processor.
void keep_blas_single() {
  static const bool once = (openblas_set_num_threads(1), true);
  (void)once;
}

blasint blas_size(int64_t size) {
  if (size < 0 || size > INT_MAX) fail("a matrix of {} rows or columns is larger than BLAS can count", size);
  return static_cast<blasint>(size);
}

void gemm(bool turned, int64_t m, int64_t n, int64_t k, float scale, RowsOf<const float> a,
          RowsOf<const float> b, RowsOf<float> c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, turned ? CblasTrans : CblasNoTrans, blas_size(m), blas_size(n),
              blas_size(k), scale, a.data, blas_size(a.stride), b.data, blas_size(b.stride), 0.0f, c.data,
              blas_size(c.stride));
}

void gemm(bool turned, int64_t m, int64_t n, int64_t k, double scale, RowsOf<const double> a,
          RowsOf<const double> b, RowsOf<double> c) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, turned ? CblasTrans : CblasNoTrans, blas_size(m), blas_size(n),
              blas_size(k), scale, a.data, blas_size(a.stride), b.data, blas_size(b.stride), 0.0, c.data,
              blas_size(c.stride));
}

// One row alone would take the matrix-vector path, whose sums run in another order than those of the same
// row in a longer prompt. It is computed as two rows; the price is nothing beside reading the weights.
template <class T>
void product(bool turned, int64_t m, int64_t n, int64_t k, T scale, RowsOf<const T> a, RowsOf<const T> b,
             RowsOf<T> c) {
  keep_blas_single();
  if (m == 0 || n == 0) return;
  if (m > 1) return gemm(turned, m, n, k, scale, a, b, c);
  std::vector<T> twice(static_cast<size_t>(2 * k)), both(static_cast<size_t>(2 * n));
  std::copy_n(a.data, k, twice.begin());
  std::copy_n(a.data, k, twice.begin() + k);
  gemm(turned, 2, n, k, scale, {twice.data(), k}, b, {both.data(), n});
  std::copy_n(both.begin(), n, c.data);
}

template <class T>
bool holds(const Matrix& w) {
  const bool same = std::is_same_v<T, float> ? w.type == RawType::f32 : w.type == RawType::f64;
  return same && w.column_stride == 1 && reinterpret_cast<uintptr_t>(w.base) % alignof(T) == 0;
}

// One loop for each function, so that the choice among them stays outside.
template <class T>
void activate_stretch(Activation activation, T* values, int64_t count) {
  const auto each = [&]<Activation chosen>() {
    for (int64_t i = 0; i < count; ++i) values[i] = activated(chosen, values[i]);
  };
  switch (activation) {
    case Activation::gelu:
      return each.template operator()<Activation::gelu>();
    case Activation::gelu_tanh:
      return each.template operator()<Activation::gelu_tanh>();
    case Activation::silu:
      return each.template operator()<Activation::silu>();
    case Activation::relu:
      return each.template operator()<Activation::relu>();
    case Activation::quick_gelu:
      return each.template operator()<Activation::quick_gelu>();
    case Activation::relu_squared:
      return each.template operator()<Activation::relu_squared>();
    case Activation::square:
      return each.template operator()<Activation::square>();
    case Activation::tanh:
      return each.template operator()<Activation::tanh>();
    case Activation::sigmoid:
      return each.template operator()<Activation::sigmoid>();
    case Activation::identity:
      return;
  }
}

}  // namespace

template <class T>
void multiply_turned(int64_t m, int64_t n, int64_t k, T scale, RowsOf<const T> a, RowsOf<const T> b,
                     RowsOf<T> c) {
  product(true, m, n, k, scale, a, b, c);
}

template <class T>
void multiply(int64_t m, int64_t n, int64_t k, RowsOf<const T> a, RowsOf<const T> b, RowsOf<T> c) {
  product(false, m, n, k, T{1}, a, b, c);
}

template <class T>
RowsOf<const T> rows_in(const Matrix& w, int64_t first, int64_t count, std::vector<T>& scratch) {
  if (holds<T>(w)) return {reinterpret_cast<const T*>(w.base) + first * w.row_stride, w.row_stride};
  scratch.resize(static_cast<size_t>(count * w.columns));
  widen_rows(w, first, count, scratch.data());
  return {scratch.data(), w.columns};
}

Matrix columns_of(const Matrix& matrix, int64_t first, int64_t count) {
  Matrix part = matrix;
  part.columns = count;
  part.base += static_cast<size_t>(first * matrix.column_stride) * bytes_of(matrix.type);
  return part;
}

template <>
std::vector<float> vector_of<float>(const Weights& weights, const std::string& name) {
  return weights.vector_f32(name);
}
template <>
std::vector<double> vector_of<double>(const Weights& weights, const std::string& name) {
  return weights.vector_f64(name);
}

template <class T>
std::vector<T> vector_if_any(const Weights& weights, const std::string& name) {
  return weights.has(name) ? vector_of<T>(weights, name) : std::vector<T>{};
}

template <class T>
NormWeights<T> norm_weights(const Weights& weights, const std::string& name) {
  const ModelSpec& spec = weights.spec();
  NormWeights<T> norm{spec.norm, spec.norm_eps, {}, {}};
  if (spec.norm == Norm::none || (name == "ln_final" && !spec.final_norm)) {
    norm.kind = Norm::none;
    return norm;
  }
  if (spec.norm_has_gain) norm.gain = vector_of<T>(weights, name + ".w");
  for (T& gain : norm.gain) gain += static_cast<T>(spec.norm_offset);
  if (spec.norm_has_bias && spec.norm == Norm::layer)
    norm.bias = vector_of<T>(weights, name + ".b");
  else
    norm.bias = vector_if_any<T>(weights, name + ".b");
  return norm;
}

template <class T>
void norm_row(const NormWeights<T>& norm, const T* x, int64_t width, T* out) {
  if (norm.kind == Norm::none) {
    std::copy(x, x + width, out);
    return;
  }
  double mean = 0;
  if (norm.kind == Norm::layer) {
    for (int64_t i = 0; i < width; ++i) mean += static_cast<double>(x[i]);
    mean /= static_cast<double>(width);
  }
  double square = 0;
  for (int64_t i = 0; i < width; ++i) {
    const double centred = x[i] - mean;
    square += centred * centred;
  }
  const T scale = static_cast<T>(1 / std::sqrt(square / static_cast<double>(width) + norm.eps));
  const T centre = static_cast<T>(mean);
  for (int64_t i = 0; i < width; ++i) out[i] = (x[i] - centre) * scale;
  if (!norm.gain.empty())
    for (int64_t i = 0; i < width; ++i) out[i] *= norm.gain[static_cast<size_t>(i)];
  if (!norm.bias.empty())
    for (int64_t i = 0; i < width; ++i) out[i] += norm.bias[static_cast<size_t>(i)];
}

template <class T>
void norm_rows(const NormWeights<T>& norm, const T* x, int64_t rows, int64_t width, T* out) {
  const int64_t wanted = width;
  if ((!norm.gain.empty() && static_cast<int64_t>(norm.gain.size()) != wanted) ||
      (!norm.bias.empty() && static_cast<int64_t>(norm.bias.size()) != wanted))
    fail("a norm with {} gains and {} biases does not fit rows of {}", norm.gain.size(), norm.bias.size(),
         width);
  parallel_for((rows + rows_per_piece - 1) / rows_per_piece, [&](int64_t piece, int) {
    const int64_t end = std::min(rows, (piece + 1) * rows_per_piece);
    for (int64_t row = piece * rows_per_piece; row < end; ++row)
      norm_row(norm, x + row * width, width, out + row * width);
  });
}

template <class T>
T activated(Activation activation, T x) {
  switch (activation) {
    case Activation::gelu:
      return T{0.5} * x * (T{1} + std::erf(x * static_cast<T>(M_SQRT1_2)));
    case Activation::gelu_tanh: {
      // Hendrycks and Gimpel 2016, section 2: x (1 + tanh(u)) / 2 = x / (1 + exp(-2 u)), with
      // u = sqrt(2 / pi) (x + 0.044715 x^3)
      const T u = static_cast<T>(M_2_SQRTPI * M_SQRT1_2) * (x + static_cast<T>(0.044715) * x * x * x);
      return x / (T{1} + exponential(T{-2} * u));
    }
    case Activation::silu:
      return x / (T{1} + exponential(-x));
    case Activation::relu:
      return x > T{0} ? x : T{0};
    case Activation::quick_gelu:
      return x / (T{1} + exponential(static_cast<T>(-1.702) * x));
    case Activation::relu_squared:
      return x > T{0} ? x * x : T{0};
    case Activation::square:
      return x * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return T{1} / (T{1} + exponential(-x));
    case Activation::identity:
      return x;
  }
  return x;
}

template <class T>
void activate(Activation activation, T* values, const T* factor, int64_t count) {
  parallel_for((count + values_per_piece - 1) / values_per_piece, [&](int64_t piece, int) {
    const int64_t first = piece * values_per_piece, end = std::min(count, first + values_per_piece);
    activate_stretch(activation, values + first, end - first);
    if (factor != nullptr)
      for (int64_t i = first; i < end; ++i) values[i] *= factor[i];
  });
}

// Maximum and sum run in eight lanes of fixed places, which is what lets them be vectors.
template <class T>
void softmax(T* values, int64_t count) {
  constexpr int64_t lanes = 8;
  T tops[lanes];
  std::fill(tops, tops + lanes, values[0]);
  const int64_t even = count / lanes * lanes;
  for (int64_t i = 0; i < even; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      tops[lane] = tops[lane] < values[i + lane] ? values[i + lane] : tops[lane];
  for (int64_t i = even; i < count; ++i) tops[0] = tops[0] < values[i] ? values[i] : tops[0];
  const T largest = *std::max_element(tops, tops + lanes);
  for (int64_t i = 0; i < count; ++i) values[i] = exponential(values[i] - largest);
  double sums[lanes] = {};
  for (int64_t i = 0; i < even; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += static_cast<double>(values[i + lane]);
  for (int64_t i = even; i < count; ++i) sums[0] += static_cast<double>(values[i]);
  double sum = 0;
  for (double part : sums) sum += part;
  const T scale = static_cast<T>(1 / sum);
  for (int64_t i = 0; i < count; ++i) values[i] *= scale;
}

template <class T>
void add_to(T* into, const T* what, int64_t count) {
  parallel_for((count + values_per_piece - 1) / values_per_piece, [&](int64_t piece, int) {
    const int64_t end = std::min(count, (piece + 1) * values_per_piece);
    for (int64_t i = piece * values_per_piece; i < end; ++i) into[i] += what[i];
  });
}

std::string gemm_kernel_name(Compute compute) {
  return compute == Compute::f64 ? blas_kernel() : gemm_kernel(compute).name;
}

std::string blas_kernel() { return openblas_get_corename(); }

bool blas_slowed_by_environment() {
  if (std::getenv("OPENBLAS_CORETYPE") == nullptr) return false;
#if defined(__x86_64__)
  const std::string kernel = blas_kernel();
  const bool wide = kernel == "SkylakeX" || kernel == "Cooperlake" || kernel == "SapphireRapids";
  return __builtin_cpu_supports("avx512f") != 0 && !wide;
#else
  return false;
#endif
}

template void multiply_turned<float>(int64_t, int64_t, int64_t, float, RowsOf<const float>,
                                     RowsOf<const float>, RowsOf<float>);
template void multiply<float>(int64_t, int64_t, int64_t, RowsOf<const float>, RowsOf<const float>,
                              RowsOf<float>);
template RowsOf<const float> rows_in<float>(const Matrix&, int64_t, int64_t, std::vector<float>&);
template std::vector<float> vector_if_any<float>(const Weights&, const std::string&);
template NormWeights<float> norm_weights<float>(const Weights&, const std::string&);
template void norm_row<float>(const NormWeights<float>&, const float*, int64_t, float*);
template void norm_rows<float>(const NormWeights<float>&, const float*, int64_t, int64_t, float*);
template float activated<float>(Activation, float);
template void activate<float>(Activation, float*, const float*, int64_t);
template void softmax<float>(float*, int64_t);
template void add_to<float>(float*, const float*, int64_t);

template void multiply_turned<double>(int64_t, int64_t, int64_t, double, RowsOf<const double>,
                                      RowsOf<const double>, RowsOf<double>);
template void multiply<double>(int64_t, int64_t, int64_t, RowsOf<const double>, RowsOf<const double>,
                               RowsOf<double>);
template RowsOf<const double> rows_in<double>(const Matrix&, int64_t, int64_t, std::vector<double>&);
template std::vector<double> vector_if_any<double>(const Weights&, const std::string&);
template NormWeights<double> norm_weights<double>(const Weights&, const std::string&);
template void norm_row<double>(const NormWeights<double>&, const double*, int64_t, double*);
template void norm_rows<double>(const NormWeights<double>&, const double*, int64_t, int64_t, double*);
template double activated<double>(Activation, double);
template void activate<double>(Activation, double*, const double*, int64_t);
template void softmax<double>(double*, int64_t);
template void add_to<double>(double*, const double*, int64_t);

}  // namespace varve
