// The arithmetic of the forward pass: one seam for matrix products, norms, activations.
//
// Why results do not depend on company or threads: in f32 and bf16 an element's sum never depends on what is
// computed beside it (gemm.h); in f64 every prompt is multiplied on its own, always against the same tiles of
// weight rows; and every piece of work writes its own part of the output.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/compute.h"
#include "analysis/model/weights.h"

namespace varve {

// Prompt p owns rows [begin[p], begin[p + 1]) of every ragged buffer.
using RowBegins = std::span<const int64_t>;

// Rows that lie `stride` elements apart.
template <class T>
struct RowsOf {
  T* data = nullptr;
  int64_t stride = 0;
};

// c [m, n] = scale * a [m, k] b^T, b [n, k]; the last three are row strides.
template <class T>
void multiply_turned(int64_t m, int64_t n, int64_t k, T scale, RowsOf<const T> a, RowsOf<const T> b,
                     RowsOf<T> c);
// c [m, n] = a [m, k] b [k, n]
template <class T>
void multiply(int64_t m, int64_t n, int64_t k, RowsOf<const T> a, RowsOf<const T> b, RowsOf<T> c);

// out [rows, w.rows] = x [rows, w.columns] w^T + bias (none where empty), for the rows of all prompts.
template <class T>
void linear(RowsOf<const T> x, RowBegins begin, const Matrix& w, std::span<const T> bias, RowsOf<T> out,
            const Task& task, Compute compute = Compute::f32);
// What that holds beside its arguments: packed activations, and for each thread a tile of packed weights.
inline constexpr int64_t most_packed_bytes = int64_t{24} << 20;
inline constexpr int64_t widest_weight_tile = 512;
int64_t packed_tile_rows(Compute compute, int64_t rows,
                         int64_t columns);  // of a matrix of weights, f32 or bf16

// Rows [first, first + count) of w in T: where they lie if they are that already, else widened into scratch.
template <class T>
RowsOf<const T> rows_in(const Matrix& w, int64_t first, int64_t count, std::vector<T>& scratch);
Matrix columns_of(const Matrix& matrix, int64_t first, int64_t count);

// x -> (x - mean) / sqrt(variance + eps) * gain + bias, or x / sqrt(mean square + eps) * gain.
template <class T>
struct NormWeights {
  Norm kind = Norm::layer;
  double eps = 1e-5;
  std::vector<T> gain, bias;  // empty where the model has none; the gain includes the offset
};
template <class T>
NormWeights<T> norm_weights(const Weights& weights, const std::string& name);  // "blocks.0.ln1"
template <class T>
void norm_row(const NormWeights<T>& norm, const T* x, int64_t width, T* out);
template <class T>
void norm_rows(const NormWeights<T>& norm, const T* x, int64_t rows, int64_t width, T* out);

template <class T>
std::vector<T> vector_of(const Weights& weights, const std::string& name);
// Empty where the model has no such tensor.
template <class T>
std::vector<T> vector_if_any(const Weights& weights, const std::string& name);

template <class T>
T activated(Activation activation, T x);
// values = act(values), or act(values) * factor where factor is given.
template <class T>
void activate(Activation activation, T* values, const T* factor, int64_t count);

// Softmax of values[0, count) in place, by the row maximum, its sum in double.
template <class T>
void softmax(T* values, int64_t count);

template <class T>
void add_to(T* into, const T* what, int64_t count);

// The kernel behind products with weights in that mode: "avx512"; f64 goes through BLAS.
std::string gemm_kernel_name(Compute compute);
std::string blas_kernel();  // the OpenBLAS kernel in use: "SkylakeX", "Haswell"
// OPENBLAS_CORETYPE, inherited, pins an older kernel than this processor could use; it can halve the speed.
bool blas_slowed_by_environment();

}  // namespace varve
