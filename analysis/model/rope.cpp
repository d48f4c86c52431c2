// The frequencies of every rope scaling there is, and the rotation itself.
#include "analysis/model/rope.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "analysis/core/error.h"

namespace varve {
namespace {

// Which dimension turns `turns` times over the original context (Peng et al. 2023, YaRN, section 3.2).
double yarn_dimension(const Rope& rope, double turns) {
  return static_cast<double>(rope.dims) * std::log(rope.original_context / (turns * 2 * M_PI)) /
         (2 * std::log(rope.theta));
}

double yarn_share(const Rope& rope, int64_t pair) {
  const double last = static_cast<double>(rope.dims - 1);
  double low = yarn_dimension(rope, rope.beta_fast), high = yarn_dimension(rope, rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, last);
  if (high == low) high += 0.001;
  return std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
}

// Llama 3.1: long waves are stretched by `factor`, short ones kept, those between are mixed.
double llama3_frequency(const Rope& rope, double frequency) {
  const double wave = 2 * M_PI / frequency;
  if (wave < rope.original_context / rope.high_freq_factor) return frequency;
  if (wave > rope.original_context / rope.low_freq_factor) return frequency / rope.factor;
  const double smooth =
      (rope.original_context / wave - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return (1 - smooth) * frequency / rope.factor + smooth * frequency;
}

double frequency_of(const Rope& rope, double theta, int64_t pair) {
  const double share = 2 * static_cast<double>(pair) / static_cast<double>(rope.dims);
  const double frequency = 1 / std::pow(theta, share);
  switch (rope.scaling) {
    case RopeScaling::none:
    case RopeScaling::dynamic:
      return frequency;
    case RopeScaling::linear:
      return frequency / rope.factor;
    case RopeScaling::llama3:
      return llama3_frequency(rope, frequency);
    case RopeScaling::yarn: {
      const double stretched = yarn_share(rope, pair);
      return stretched * frequency / rope.factor + (1 - stretched) * frequency;
    }
  }
  return frequency;
}

void need_original_context(const Rope& rope) {
  const bool reads = rope.scaling != RopeScaling::none && rope.scaling != RopeScaling::linear;
  if (reads && !(rope.original_context > 0))
    fail("rope scaling needs the original context length, which the model description does not have");
  if (rope.scaling == RopeScaling::llama3 && !(rope.high_freq_factor > rope.low_freq_factor))
    fail("rope scaling llama3: high_freq_factor {} must be above low_freq_factor {}", rope.high_freq_factor,
         rope.low_freq_factor);
}

template <class T>
void rotate(const RopeTable<T>& table, int64_t position, int64_t heads, int64_t d_head, T direction, T* row) {
  const int64_t pairs = table.dims / 2;
  const T* cosine = table.cosine.data() + position * pairs;
  const T* sine = table.sine.data() + position * pairs;
  const int64_t step = table.interleaved ? 2 : 1, apart = table.interleaved ? 1 : pairs;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t pair = 0; pair < pairs; ++pair) {
      T& a = row[head * d_head + pair * step];
      T& b = row[head * d_head + pair * step + apart];
      const T turned_a = a * cosine[pair] - b * (direction * sine[pair]);
      const T turned_b = b * cosine[pair] + a * (direction * sine[pair]);
      a = turned_a;
      b = turned_b;
    }
}

}  // namespace

template <class T>
RopeTable<T> rope_table(const ModelSpec& spec, int64_t length) {
  const Rope& rope = spec.rope;
  need_original_context(rope);
  const double dims = static_cast<double>(rope.dims);
  double theta = rope.theta;
  if (rope.scaling == RopeScaling::dynamic && static_cast<double>(length) > rope.original_context && dims > 2)
    theta *= std::pow(rope.factor * static_cast<double>(length) / rope.original_context - (rope.factor - 1),
                      dims / (dims - 2));
  double amplitude = 1;
  if (rope.scaling == RopeScaling::yarn) {
    const double usual = rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1;
    amplitude = rope.attention_factor > 0 ? rope.attention_factor : usual;
  }
  RopeTable<T> table{rope.dims, rope.interleaved, {}, {}};
  for (int64_t position = 0; position < length; ++position)
    for (int64_t pair = 0; pair < rope.dims / 2; ++pair) {
      // In f32 the angle is rounded where PyTorch rounds it: that is what published models were trained
      // with, and at position 2,000 it is far more than one rounding of the cosine.
      const T frequency = static_cast<T>(frequency_of(rope, theta, pair));
      const T angle = static_cast<T>(position) * frequency;
      table.cosine.push_back(static_cast<T>(std::cos(static_cast<double>(angle)) * amplitude));
      table.sine.push_back(static_cast<T>(std::sin(static_cast<double>(angle)) * amplitude));
    }
  return table;
}

template <class T>
void rotate_row(const RopeTable<T>& table, int64_t position, int64_t heads, int64_t d_head, T* row) {
  rotate(table, position, heads, d_head, T{1}, row);
}

template <class T>
void rotate_row_back(const RopeTable<T>& table, int64_t position, int64_t heads, int64_t d_head, T* row) {
  rotate(table, position, heads, d_head, T{-1}, row);
}

template RopeTable<float> rope_table<float>(const ModelSpec&, int64_t);
template RopeTable<double> rope_table<double>(const ModelSpec&, int64_t);
template void rotate_row<float>(const RopeTable<float>&, int64_t, int64_t, int64_t, float*);
template void rotate_row<double>(const RopeTable<double>&, int64_t, int64_t, int64_t, double*);
template void rotate_row_back<float>(const RopeTable<float>&, int64_t, int64_t, int64_t, float*);
template void rotate_row_back<double>(const RopeTable<double>&, int64_t, int64_t, int64_t, double*);

}  // namespace varve
