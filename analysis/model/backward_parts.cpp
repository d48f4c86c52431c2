// The derivatives of matrices, norms and activations.
#include "analysis/model/backward_parts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/widen.h"

namespace varve {
namespace {

constexpr int64_t rows_per_piece = 16;

// Sums run in so many lanes: each waits for its own last addition only.
constexpr int64_t lanes = 8;

template <class Term>
double sum_of(int64_t count, const Term& term) {
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += term(i + lane);
  for (; i < count; ++i) sums[i % lanes] += term(i);
  return std::accumulate(sums, sums + lanes, 0.0);
}

// What a norm takes off a row, and what it multiplies the rest with.
struct RowScale {
  double mean = 0, scale = 1;
};

template <class T>
RowScale scale_of(const NormWeights<T>& norm, const T* x, int64_t width) {
  RowScale row;
  const double count = static_cast<double>(width);
  if (norm.kind == Norm::layer)
    row.mean = sum_of(width, [x](int64_t i) { return static_cast<double>(x[i]); }) / count;
  const double square = sum_of(width, [x, mean = row.mean](int64_t i) {
    const double centred = static_cast<double>(x[i]) - mean;
    return centred * centred;
  });
  row.scale = 1 / std::sqrt(square / count + norm.eps);
  return row;
}

// y = (x - m) s gain + bias with s = 1 / sqrt(var + eps); with h = g gain and n = (x - m) s:
//   dx = s (h - mean h - n mean(h n)); RMS norm has neither m nor mean h. `gain` gives a place's gain.
template <class T, class Gain>
void norm_row_back(Norm kind, const RowScale& row, const T* x, const T* g, const Gain& gain, int64_t width,
                   T* dx) {
  const double count = static_cast<double>(width);
  const auto h = [&](int64_t i) { return static_cast<double>(g[i]) * static_cast<double>(gain(i)); };
  const double sum = kind == Norm::layer ? sum_of(width, h) / count : 0;
  const double dot = sum_of(width, [&](int64_t i) { return h(i) * (static_cast<double>(x[i]) - row.mean); }) *
                     row.scale / count;
  const T s = static_cast<T>(row.scale), centre = static_cast<T>(row.mean), lift = static_cast<T>(sum),
          along = static_cast<T>(dot * row.scale);
  for (int64_t i = 0; i < width; ++i) dx[i] += s * (g[i] * gain(i) - lift - (x[i] - centre) * along);
}

template <class T>
void add_norm_parameters(const NormWeights<T>& norm, const T* x, const T* g, int64_t rows, int64_t width,
                         NormGradients<T>& own) {
  NormWeights<T> plain = norm;
  plain.gain.clear();
  plain.bias.clear();
  own.gain.resize(static_cast<size_t>(width), T{0});
  own.bias.resize(static_cast<size_t>(width), T{0});
  std::vector<T> normed(static_cast<size_t>(width));
  for (int64_t row = 0; row < rows; ++row) {
    norm_row(plain, x + row * width, width, normed.data());
    for (int64_t i = 0; i < width; ++i) {
      own.gain[static_cast<size_t>(i)] += g[row * width + i] * normed[static_cast<size_t>(i)];
      own.bias[static_cast<size_t>(i)] += g[row * width + i];
    }
  }
}

}  // namespace

Matrix turned(const Matrix& w) {
  Matrix other = w;
  std::swap(other.rows, other.columns);
  std::swap(other.row_stride, other.column_stride);
  return other;
}

Matrix rows_of(const Matrix& w, int64_t first, int64_t count) {
  Matrix part = w;
  part.rows = count;
  part.base += static_cast<size_t>(first * w.row_stride) * bytes_of(w.type);
  return part;
}

template <class T>
std::vector<T> linear_back(RowsOf<const T> dy, RowBegins begin, const Matrix& w, const Task& task,
                           Compute compute) {
  std::vector<T> dx(static_cast<size_t>(begin.back() * w.columns));
  linear<T>(dy, begin, turned(w), {}, {dx.data(), w.columns}, task, compute);
  return dx;
}

template <class T>
std::vector<T> weight_gradient(RowsOf<const T> dy, int64_t outputs, RowsOf<const T> x, int64_t inputs,
                               int64_t rows, const Task& task) {
  std::vector<T> gradient(static_cast<size_t>(outputs * inputs));
  constexpr int64_t tile = 128;
  std::vector<std::vector<T>> scratch(static_cast<size_t>(threads()));
  parallel_for((outputs + tile - 1) / tile, [&](int64_t piece, int worker) {
    if (task.stop_requested()) throw Stopped();
    const int64_t first = piece * tile, count = std::min(tile, outputs - first);
    std::vector<T>& columns = scratch[static_cast<size_t>(worker)];
    columns.resize(static_cast<size_t>(count * rows));
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < count; ++i)
        columns[static_cast<size_t>(i * rows + row)] = dy.data[row * dy.stride + first + i];
    multiply<T>(count, inputs, rows, {columns.data(), rows}, x, {gradient.data() + first * inputs, inputs});
  });
  return gradient;
}

template <class T>
std::vector<T> bias_gradient(const std::vector<T>& dy, int64_t columns) {
  std::vector<double> sums(static_cast<size_t>(columns));
  for (size_t i = 0; i < dy.size(); ++i) sums[i % static_cast<size_t>(columns)] += static_cast<double>(dy[i]);
  return std::vector<T>(sums.begin(), sums.end());
}

template <class T>
void add_norm_back(const NormWeights<T>& norm, const T* x, const T* g, int64_t rows, int64_t width, T* dx,
                   NormGradients<T>* own) {
  parallel_for((rows + rows_per_piece - 1) / rows_per_piece, [&](int64_t piece, int) {
    const int64_t end = std::min(rows, (piece + 1) * rows_per_piece);
    for (int64_t row = piece * rows_per_piece; row < end; ++row) {
      const T* const own_x = x + row * width;
      const T* const own_g = g + row * width;
      T* const own_dx = dx + row * width;
      if (norm.kind == Norm::none) {
        add_to(own_dx, own_g, width);
        continue;
      }
      const RowScale scale = scale_of(norm, own_x, width);
      if (norm.gain.empty())
        norm_row_back(
            norm.kind, scale, own_x, own_g, [](int64_t) { return T{1}; }, width, own_dx);
      else
        norm_row_back(
            norm.kind, scale, own_x, own_g, [gain = norm.gain.data()](int64_t i) { return gain[i]; }, width,
            own_dx);
    }
  });
  if (own != nullptr && norm.kind != Norm::none) add_norm_parameters(norm, x, g, rows, width, *own);
}

// With w = s gain and c = (x - m) s, both the row's own: dx = g w - s mean h - c mean(c g w), h = g gain.
template <class T>
void norm_back_of_readers(const NormWeights<T>& norm, const T* x, int64_t rows, int64_t readers,
                          int64_t width, T* g) {
  if (norm.kind == Norm::none) return;
  struct Row {
    std::vector<T> weight, centred;
  };
  std::vector<Row> scratch(static_cast<size_t>(threads()));
  parallel_for(rows, [&](int64_t row, int worker) {
    Row& own = scratch[static_cast<size_t>(worker)];
    own.weight.resize(static_cast<size_t>(width));
    own.centred.resize(static_cast<size_t>(width));
    T* const weight = own.weight.data();
    T* const centred = own.centred.data();
    const T* const own_x = x + row * width;
    const RowScale scale = scale_of(norm, own_x, width);
    const T s = static_cast<T>(scale.scale), mean = static_cast<T>(scale.mean);
    for (int64_t i = 0; i < width; ++i) {
      weight[i] = norm.gain.empty() ? s : s * norm.gain[static_cast<size_t>(i)];
      centred[i] = (own_x[i] - mean) * s;
    }
    for (int64_t reader = 0; reader < readers; ++reader) {
      T* const own_g = g + (row * readers + reader) * width;
      constexpr int64_t side = 16;
      T sums[side] = {}, dots[side] = {};
      int64_t i = 0;
      for (; i + side <= width; i += side)
        for (int64_t lane = 0; lane < side; ++lane) {
          const T scaled = own_g[i + lane] * weight[i + lane];
          sums[lane] += scaled;
          dots[lane] += scaled * centred[i + lane];
        }
      for (; i < width; ++i) {
        sums[i % side] += own_g[i] * weight[i];
        dots[i % side] += own_g[i] * weight[i] * centred[i];
      }
      const T count = static_cast<T>(width);
      const T lift = norm.kind == Norm::layer ? std::accumulate(sums, sums + side, T{0}) / count : T{0};
      const T along = std::accumulate(dots, dots + side, T{0}) / count;
      for (int64_t at = 0; at < width; ++at) own_g[at] = own_g[at] * weight[at] - lift - centred[at] * along;
    }
  });
}

template <class T>
T activation_slope(Activation activation, T x) {
  const auto sigmoid = [](T value) { return T{1} / (T{1} + std::exp(-value)); };
  switch (activation) {
    case Activation::gelu: {
      const T bell = std::exp(T{-0.5} * x * x) * static_cast<T>(M_2_SQRTPI * M_SQRT1_2 / 2);
      return T{0.5} * (T{1} + std::erf(x * static_cast<T>(M_SQRT1_2))) + x * bell;
    }
    case Activation::gelu_tanh: {
      const T factor = static_cast<T>(M_2_SQRTPI * M_SQRT1_2), cube = static_cast<T>(0.044715);
      const T s = sigmoid(T{2} * factor * (x + cube * x * x * x));
      return s + x * s * (T{1} - s) * T{2} * factor * (T{1} + T{3} * cube * x * x);
    }
    case Activation::silu: {
      const T s = sigmoid(x);
      return s + x * s * (T{1} - s);
    }
    case Activation::relu:
      return x > T{0} ? T{1} : T{0};
    case Activation::quick_gelu: {
      const T steep = static_cast<T>(1.702), s = sigmoid(steep * x);
      return s + steep * x * s * (T{1} - s);
    }
    case Activation::relu_squared:
      return x > T{0} ? T{2} * x : T{0};
    case Activation::square:
      return T{2} * x;
    case Activation::tanh: {
      const T value = std::tanh(x);
      return T{1} - value * value;
    }
    case Activation::sigmoid: {
      const T s = sigmoid(x);
      return s * (T{1} - s);
    }
    case Activation::identity:
      return T{1};
  }
  return T{1};
}

template std::vector<float> linear_back<float>(RowsOf<const float>, RowBegins, const Matrix&, const Task&,
                                               Compute);
template std::vector<double> linear_back<double>(RowsOf<const double>, RowBegins, const Matrix&, const Task&,
                                                 Compute);
template std::vector<float> weight_gradient<float>(RowsOf<const float>, int64_t, RowsOf<const float>, int64_t,
                                                   int64_t, const Task&);
template std::vector<double> weight_gradient<double>(RowsOf<const double>, int64_t, RowsOf<const double>,
                                                     int64_t, int64_t, const Task&);
template std::vector<float> bias_gradient<float>(const std::vector<float>&, int64_t);
template std::vector<double> bias_gradient<double>(const std::vector<double>&, int64_t);
template void add_norm_back<float>(const NormWeights<float>&, const float*, const float*, int64_t, int64_t,
                                   float*, NormGradients<float>*);
template void add_norm_back<double>(const NormWeights<double>&, const double*, const double*, int64_t,
                                    int64_t, double*, NormGradients<double>*);
template void norm_back_of_readers<float>(const NormWeights<float>&, const float*, int64_t, int64_t, int64_t,
                                          float*);
template void norm_back_of_readers<double>(const NormWeights<double>&, const double*, int64_t, int64_t,
                                           int64_t, double*);
template float activation_slope<float>(Activation, float);
template double activation_slope<double>(Activation, double);

}  // namespace varve
