// Steps of the way back that every block shares: through a matrix, a norm, an activation.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/model/kernels.h"

namespace varve {

// w seen with rows and columns exchanged.
Matrix turned(const Matrix& w);

Matrix rows_of(const Matrix& w, int64_t first, int64_t count);

// dx [rows, w.columns] = dy [rows, w.rows] w.
template <class T>
std::vector<T> linear_back(RowsOf<const T> dy, RowBegins begin, const Matrix& w, const Task& task,
                           Compute compute);

// dW [outputs, inputs] = dy' x over all rows.
template <class T>
std::vector<T> weight_gradient(RowsOf<const T> dy, int64_t outputs, RowsOf<const T> x, int64_t inputs,
                               int64_t rows, const Task& task);

// Column sums of dy [rows, columns].
template <class T>
std::vector<T> bias_gradient(const std::vector<T>& dy, int64_t columns);

// Sums over rows of what a norm's gain and bias receive; empty where nobody wants them.
template <class T>
struct NormGradients {
  std::vector<T> gain, bias;
};

// What rows x [rows, width] receive from gradients g behind the norm, added to dx.
template <class T>
void add_norm_back(const NormWeights<T>& norm, const T* x, const T* g, int64_t rows, int64_t width, T* dx,
                   NormGradients<T>* own = nullptr);

// In place for many readers of each row, which share its scale: g [rows, readers, width] becomes what x
// [rows, width] receives from each.
template <class T>
void norm_back_of_readers(const NormWeights<T>& norm, const T* x, int64_t rows, int64_t readers,
                          int64_t width, T* g);

template <class T>
T activation_slope(Activation activation, T x);

}  // namespace varve
