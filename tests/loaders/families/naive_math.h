// The arithmetic of decoders as the papers write it: plain loops over doubles, one vector at a time, slow and
// easy to check by eye. The oracle for every family; it shares no code with the program.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace varve::naive {

using nlohmann::json;
using Vec = std::vector<double>;
using Rows = std::vector<Vec>;  // [pos, width]

inline double activation(const std::string& name, double x) {
  if (name == "gelu") return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  if (name == "silu" || name == "swish") return x / (1 + std::exp(-x));
  if (name == "relu") return x > 0 ? x : 0;
  if (name == "quick_gelu") return x / (1 + std::exp(-1.702 * x));
  throw std::runtime_error("no activation " + name);
}

inline Vec plus(const Vec& a, const Vec& b) {
  Vec sum(a);
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += b[i];
  return sum;
}
inline Rows plus(const Rows& a, const Rows& b) {
  Rows sum;
  for (size_t i = 0; i < a.size(); ++i) sum.push_back(plus(a[i], b[i]));
  return sum;
}
inline Rows each(const Rows& rows, const std::function<Vec(const Vec&)>& change) {
  Rows out;
  for (const Vec& row : rows) out.push_back(change(row));
  return out;
}

// w empty: no gain; b empty: no bias.
inline Vec layer_norm(const Vec& x, const Vec& w, const Vec& b, double eps) {
  double mean = 0, variance = 0;
  for (double value : x) mean += value / static_cast<double>(x.size());
  for (double value : x) variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
  Vec out;
  for (size_t i = 0; i < x.size(); ++i)
    out.push_back((x[i] - mean) / std::sqrt(variance + eps) * (w.empty() ? 1 : w[i]) +
                  (b.empty() ? 0 : b[i]));
  return out;
}
inline Vec rms_norm(const Vec& x, const Vec& w, double eps, double offset = 0) {
  double square = 0;
  for (double value : x) square += value * value / static_cast<double>(x.size());
  Vec out;
  for (size_t i = 0; i < x.size(); ++i) out.push_back(x[i] / std::sqrt(square + eps) * (w[i] + offset));
  return out;
}

// Head h of a row of heads.
inline Vec head_of(const Vec& row, int64_t head, int64_t width) {
  return {row.begin() + head * width, row.begin() + (head + 1) * width};
}
// `change` on every head of every row.
inline Rows each_head(const Rows& rows, int64_t width,
                      const std::function<Vec(const Vec&, int64_t pos)>& change) {
  Rows out = rows;
  for (size_t pos = 0; pos < rows.size(); ++pos)
    for (size_t at = 0; at < rows[pos].size(); at += static_cast<size_t>(width)) {
      const Vec one =
          change(head_of(rows[pos], static_cast<int64_t>(at) / width, width), static_cast<int64_t>(pos));
      std::copy(one.begin(), one.end(), out[pos].begin() + static_cast<int64_t>(at));
    }
  return out;
}

inline void softmax(Vec& values) {
  double sum = 0;
  const double top = *std::max_element(values.begin(), values.end());
  for (double& value : values) sum += value = std::exp(value - top);
  for (double& value : values) value /= sum;
}

struct Attention {
  int64_t heads = 1, kv_heads = 1, d_head = 1;
  double scale = 1, softcap = 0;
  int64_t window = 0;  // 0: whole; else query - key < window
};
inline Rows attend(const Attention& how, const Rows& q, const Rows& k, const Rows& v) {
  Rows z(q.size(), Vec(static_cast<size_t>(how.heads * how.d_head), 0));
  for (int64_t head = 0; head < how.heads; ++head) {
    const int64_t group = head / (how.heads / how.kv_heads);
    for (int64_t query = 0; query < static_cast<int64_t>(q.size()); ++query) {
      const Vec a = head_of(q[static_cast<size_t>(query)], head, how.d_head);
      Vec weights;
      std::vector<int64_t> keys;
      for (int64_t key = 0; key <= query; ++key) {
        if (how.window > 0 && query - key >= how.window) continue;
        const Vec b = head_of(k[static_cast<size_t>(key)], group, how.d_head);
        double score = 0;
        for (size_t i = 0; i < a.size(); ++i) score += a[i] * b[i];
        score *= how.scale;
        if (how.softcap > 0) score = how.softcap * std::tanh(score / how.softcap);
        weights.push_back(score);
        keys.push_back(key);
      }
      softmax(weights);
      for (size_t i = 0; i < keys.size(); ++i) {
        const Vec value = head_of(v[static_cast<size_t>(keys[i])], group, how.d_head);
        for (int64_t j = 0; j < how.d_head; ++j)
          z[static_cast<size_t>(query)][static_cast<size_t>(head * how.d_head + j)] +=
              weights[i] * value[static_cast<size_t>(j)];
      }
    }
  }
  return z;
}

struct Angles {
  Vec frequency;         // one for each pair
  double amplitude = 1;  // of cosine and sine
};
// `scaling` is null or the object under rope_scaling or rope_parameters.
inline Angles angles(const json& scaling, double theta, int64_t dims, double context, double length) {
  const std::string type =
      scaling.is_null() ? "default" : scaling.value("rope_type", scaling.value("type", "default"));
  const double n = static_cast<double>(dims);
  Angles out;
  if (type == "dynamic" && length > context) {
    const double factor = scaling["factor"];
    theta *= std::pow(factor * length / context - (factor - 1), n / (n - 2));
  }
  for (double i = 0; i < n / 2; ++i) out.frequency.push_back(std::pow(theta, -2 * i / n));
  if (type == "linear")
    for (double& one : out.frequency) one /= scaling["factor"].get<double>();
  if (type == "llama3") {
    const double factor = scaling["factor"], low = scaling["low_freq_factor"],
                 high = scaling["high_freq_factor"];
    const double old = scaling["original_max_position_embeddings"];
    for (double& one : out.frequency) {
      const double turns = old * one / (2 * M_PI);  // over the old context
      const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
      one = kept * one + (1 - kept) * one / factor;
    }
  }
  if (type == "yarn") {
    const double old = scaling.value("original_max_position_embeddings", context);
    const double factor = scaling.value("factor", context / old);
    const auto dimension = [&](double turns) {
      return n * std::log(old / (turns * 2 * M_PI)) / (2 * std::log(theta));
    };
    double first = dimension(scaling.value("beta_fast", 32.0)),
           last = dimension(scaling.value("beta_slow", 1.0));
    if (scaling.value("truncate", true)) first = std::floor(first), last = std::ceil(last);
    first = std::max(first, 0.0), last = std::min(last, n - 1);
    if (first == last) last += 0.001;
    for (size_t i = 0; i < out.frequency.size(); ++i) {
      const double slow = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
      out.frequency[i] *= slow / factor + (1 - slow);
    }
    const auto magnitude = [&](double by) { return factor <= 1 ? 1 : 0.1 * by * std::log(factor) + 1; };
    out.amplitude = magnitude(1);
    if (scaling.contains("mscale") && scaling.contains("mscale_all_dim"))
      out.amplitude = magnitude(scaling["mscale"]) / magnitude(scaling["mscale_all_dim"]);
    out.amplitude = scaling.value("attention_factor", out.amplitude);
  }
  return out;
}

// Halves: (i, i + dims/2) turn together; pairs: (2i, 2i + 1) do. What lies behind them stays.
enum class Turn { halves, pairs };
inline Vec rotated(const Vec& head, int64_t pos, const Angles& angles, Turn turn) {
  Vec out = head;
  const size_t half = angles.frequency.size();
  for (size_t i = 0; i < half; ++i) {
    const double angle = static_cast<double>(pos) * angles.frequency[i];
    const double c = std::cos(angle) * angles.amplitude, s = std::sin(angle) * angles.amplitude;
    const size_t a = turn == Turn::halves ? i : 2 * i, b = turn == Turn::halves ? i + half : 2 * i + 1;
    out[a] = head[a] * c - head[b] * s;
    out[b] = head[b] * c + head[a] * s;
  }
  return out;
}

}  // namespace varve::naive
