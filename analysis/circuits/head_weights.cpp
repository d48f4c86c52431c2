// Head circuits through d_head x d_head factors, never d_model x d_model ones.
//
// Row vectors: a head's output circuit is W_V W_O with W_V [d_model, d_head], W_O [d_head, d_model]; its
// query and key circuit W_Q W_K'. Biases and rotation of positions are left out. The norm's gain is folded
// into W_Q, W_K and W_V, the final norm's into W_U; the mean that a layer norm subtracts is left in.
#include "analysis/circuits/head_weights.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/kernels.h"

namespace varve {
namespace {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int64_t summed_tile = 1024, counted_tile = 512;  // rows of the vocabulary at once

MatrixXd matrix_of_name(const Weights& weights, const std::string& name) {
  const Matrix matrix = weights.matrix(name);
  RowMajor out(matrix.rows, matrix.columns);
  widen_rows(matrix, 0, matrix.rows, out.data());
  return out;
}

Eigen::VectorXd gain_of(const Weights& weights, const std::string& norm) {
  const int64_t width = weights.spec().d_model;
  Eigen::VectorXd gain = Eigen::VectorXd::Ones(width);
  const bool exists = norm == "ln_final" ? weights.spec().final_norm : weights.spec().pre_norm;
  if (!exists) return gain;
  const std::vector<double> values = norm_weights<double>(weights, norm).gain;
  for (size_t i = 0; i < values.size(); ++i) gain[static_cast<int64_t>(i)] = values[i];
  return gain;
}

struct Head {
  MatrixXd q, k, v, o;  // [d_model, d_head] x 3, [d_head, d_model]
};

std::vector<Head> heads_of_layer(const Weights& weights, int64_t layer) {
  const ModelSpec& spec = weights.spec();
  const std::string attn = fmt::format("blocks.{}.attn.", layer);
  const Eigen::VectorXd gain = gain_of(weights, fmt::format("blocks.{}.ln1", layer));
  const auto folded = [&](const char* name) {
    return MatrixXd(gain.asDiagonal() * matrix_of_name(weights, attn + name).transpose());
  };
  const MatrixXd q = folded("W_Q"), k = folded("W_K"), v = folded("W_V");
  const MatrixXd o = matrix_of_name(weights, attn + "W_O").transpose();
  std::vector<Head> heads;
  for (int64_t head = 0; head < spec.heads; ++head) {
    const int64_t own = head * spec.d_head, shared = kv_head_of(spec, head) * spec.d_head;
    heads.push_back({q.middleCols(own, spec.d_head), k.middleCols(shared, spec.d_head),
                     v.middleCols(shared, spec.d_head), o.middleRows(own, spec.d_head)});
  }
  weights.release(fmt::format("blocks.{}.", layer));
  return heads;
}

// sum of eigenvalues / sum of moduli.
double positive_share(const MatrixXd& small) {
  const Eigen::VectorXcd values = small.eigenvalues();
  double sum = 0, moduli = 0;
  for (int64_t i = 0; i < values.size(); ++i) {
    sum += values[i].real();
    moduli += std::abs(values[i]);
  }
  return moduli > 0 ? sum / moduli : 0;
}

// W_U' W_E summed over the vocabulary, [d_model, d_model]: the only place where tokens enter.
MatrixXd tokens_through(const Weights& weights) {
  constexpr int64_t tile = summed_tile;
  const ModelSpec& spec = weights.spec();
  const int64_t width = spec.d_model, vocab = output_vocab(spec);
  const bool own = weights.has("unembed.W_U") || !spec.tied;
  const Matrix read = weights.matrix(own ? "unembed.W_U" : "embed.W_E"), write = weights.matrix("embed.W_E");
  if (write.columns != width || write.rows < vocab) return MatrixXd();
  RowMajor u(tile, width), e(tile, width);
  MatrixXd sum = MatrixXd::Zero(width, width);
  for (int64_t first = 0; first < vocab; first += tile) {
    const int64_t count = std::min(tile, vocab - first);
    widen_rows(read, first, count, u.data());
    widen_rows(write, first, count, e.data());
    release_rows(read, first, count);
    release_rows(write, first, count);
    sum.noalias() += u.topRows(count).transpose() * e.topRows(count);
  }
  return gain_of(weights, "ln_final").asDiagonal() * sum;
}

struct Grams {
  MatrixXd qq, kk, vv, oo;
  double qk = 0, ov = 0;  // Frobenius norms of W_Q W_K' and W_V W_O
};

Grams grams_of(const Head& head) {
  Grams grams{head.q.transpose() * head.q,
              head.k.transpose() * head.k,
              head.v.transpose() * head.v,
              head.o * head.o.transpose(),
              0,
              0};
  grams.qk = std::sqrt(std::max(0.0, (grams.qq * grams.kk).trace()));
  grams.ov = std::sqrt(std::max(0.0, (grams.vv * grams.oo).trace()));
  return grams;
}

struct Layer {
  std::vector<Head> heads;
  std::vector<Grams> grams;
};

Layer layer_of(const Weights& weights, int64_t layer) {
  Layer all{heads_of_layer(weights, layer), {}};
  for (const Head& head : all.heads) all.grams.push_back(grams_of(head));
  return all;
}

// |A M B'|_F by the grams of A [., d_head] and B [., d_head].
double norm_between(const MatrixXd& a, const MatrixXd& middle, const MatrixXd& b) {
  return std::sqrt(std::max(0.0, (a * middle * b * middle.transpose()).trace()));
}

struct Scores {
  double q = 0, k = 0, v = 0;
};

// |W_OV1 W_QK2| / (|W_OV1| |W_QK2|) and the same through keys and values (Elhage et al. 2021).
Scores composition(const Head& src, const Grams& s, const Head& dst, const Grams& d) {
  const MatrixXd oq = src.o * dst.q, ok = src.o * dst.k, ov = src.o * dst.v;
  return {norm_between(s.vv, oq, d.kk) / (s.ov * d.qk), norm_between(s.vv, ok, d.qq) / (s.ov * d.qk),
          norm_between(s.vv, ov, d.oo) / (s.ov * d.ov)};
}

// Means over pairs of Gaussian heads of these sizes.
Scores random_composition(int64_t width, int64_t d_head, uint64_t seed) {
  constexpr int samples = 8;
  std::mt19937_64 bits(seed);
  // Sums of twelve even draws: near enough to normal, and the same on every machine.
  const auto normal = [&bits] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(bits() >> 11) * 0x1p-53;
    return sum;
  };
  const auto draw = [&](int64_t rows, int64_t columns) {
    MatrixXd matrix(rows, columns);
    for (int64_t i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal();
    return matrix;
  };
  Scores mean;
  for (int sample = 0; sample < samples; ++sample) {
    Head pair[2];
    for (Head& head : pair)
      head = {draw(width, d_head), draw(width, d_head), draw(width, d_head), draw(d_head, width)};
    const Scores one = composition(pair[0], grams_of(pair[0]), pair[1], grams_of(pair[1]));
    mean.q += (one.q + one.k) / (2 * samples);
    mean.v += one.v / samples;
  }
  return mean;
}

// For each row of `written` [rows, d_model]: other tokens whose logit is not below `logit`, that of its own:
// a head that writes nothing copies nothing.
template <class TokenAt>
std::vector<int64_t> counts_above(const Matrix& read, int64_t vocab, const std::vector<float>& written,
                                  const std::vector<float>& logit, const TokenAt& token_at) {
  constexpr int64_t tile = counted_tile;
  const int64_t width = read.columns, rows = static_cast<int64_t>(logit.size());
  const int64_t tiles = (vocab + tile - 1) / tile;
  struct Scratch {
    std::vector<float> weights, logits;
    std::vector<int64_t> above;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(threads()));
  parallel_for(tiles, [&](int64_t piece, int worker) {
    Scratch& own = scratch[static_cast<size_t>(worker)];
    own.above.resize(logit.size());
    const int64_t first = piece * tile, count = std::min(tile, vocab - first);
    own.logits.resize(static_cast<size_t>(rows * count));
    multiply_turned<float>(rows, count, width, 1.0f, {written.data(), width},
                           rows_in<float>(read, first, count, own.weights), {own.logits.data(), count});
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t id = 0; id < count; ++id)
        if (first + id != token_at(row) &&
            own.logits[static_cast<size_t>(row * count + id)] >= logit[static_cast<size_t>(row)])
          ++own.above[static_cast<size_t>(row)];
    release_rows(read, first, count);
  });
  std::vector<int64_t> above(logit.size());
  for (const Scratch& own : scratch)
    for (size_t row = 0; row < own.above.size(); ++row) above[row] += own.above[row];
  return above;
}

}  // namespace

HeadWeightCost head_weight_cost(const ModelSpec& spec, int64_t tokens) {
  const int64_t width = spec.d_model, all = spec.heads * spec.d_head, number = sizeof(double);
  const int64_t count = spec.layers * spec.heads, asked = std::min(tokens, output_vocab(spec));
  // Queries, keys, values and outputs as stored, whole and by head, and one more while it is turned.
  const int64_t layer = (9 * number + 4 * int64_t{sizeof(float)}) * width * all;
  HeadWeightCost cost;
  cost.copying = layer + (3 * width + 2 * summed_tile) * width * number;
  cost.top_k = layer + 5 * asked * width * number + spec.heads * asked * width * 4 +
               threads() * counted_tile * (spec.heads * asked + width) * 4;
  // Of a layer that has been cut, its heads alone stay.
  cost.composition = layer + 4 * width * all * number + 4 * count * count * number;
  return cost;
}

Copying copying_of(const Weights& weights, Task& task) {
  const ModelSpec& spec = weights.spec();
  const MatrixXd tokens = tokens_through(weights);
  Copying copying;
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    for (const Head& head : heads_of_layer(weights, layer)) {
      copying.own.push_back(positive_share(head.o * head.v));
      // The eigenvalues of W_E W_V W_O W_U are those of W_O (W_U' W_E) W_V read the other way round.
      copying.full.push_back(tokens.size() == 0 ? std::nan("") : positive_share(head.o * tokens * head.v));
    }
    task.step(layer + 1, spec.layers);
  }
  return copying;
}

std::vector<double> copying_top_k(const Weights& weights, int64_t k, int64_t tokens, Task& task) {
  const ModelSpec& spec = weights.spec();
  const int64_t width = spec.d_model, vocab = output_vocab(spec), asked = std::min(tokens, vocab);
  const int64_t rows = spec.heads * asked;
  std::vector<double> shares;
  const bool own = weights.has("unembed.W_U") || !spec.tied;
  const Matrix read = weights.matrix(own ? "unembed.W_U" : "embed.W_E"), write = weights.matrix("embed.W_E");
  if (write.columns != width || write.rows < vocab)
    return std::vector<double>(static_cast<size_t>(spec.layers * spec.heads), std::nan(""));
  const auto token_at = [&](int64_t row) { return row % asked * vocab / asked; };
  RowMajor embedded(asked, width), u(asked, width);
  for (int64_t row = 0; row < asked; ++row) {
    widen_rows(write, token_at(row), 1, embedded.data() + row * width);
    widen_rows(read, token_at(row), 1, u.data() + row * width);
    // One row may bring many pages of neighbours with it.
    release_rows(write, 0, write.rows);
    release_rows(read, 0, read.rows);
  }
  const Eigen::VectorXd last = gain_of(weights, "ln_final");
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    std::vector<float> written(static_cast<size_t>(rows * width)), logit(static_cast<size_t>(rows));
    const std::vector<Head> heads = heads_of_layer(weights, layer);
    for (int64_t head = 0; head < spec.heads; ++head) {
      const Head& one = heads[static_cast<size_t>(head)];
      const RowMajor out = embedded * one.v * one.o * last.asDiagonal();
      for (int64_t i = 0; i < out.size(); ++i)
        written[static_cast<size_t>(head * asked * width + i)] = static_cast<float>(out.data()[i]);
      for (int64_t row = 0; row < asked; ++row)
        logit[static_cast<size_t>(head * asked + row)] = static_cast<float>(out.row(row).dot(u.row(row)));
    }
    const std::vector<int64_t> above = counts_above(read, vocab, written, logit, token_at);
    for (int64_t head = 0; head < spec.heads; ++head) {
      const auto first = above.begin() + head * asked;
      const auto within = std::count_if(first, first + asked, [k](int64_t better) { return better < k; });
      shares.push_back(static_cast<double>(within) / static_cast<double>(asked));
    }
    task.step(layer + 1, spec.layers);
  }
  return shares;
}

Composition composition_of(const Weights& weights, uint64_t seed, Task& task) {
  const ModelSpec& spec = weights.spec();
  const int64_t count = spec.layers * spec.heads;
  const Scores random = random_composition(spec.d_model, spec.d_head, seed);
  Composition all;
  all.q.assign(static_cast<size_t>(count * count), 0.0);
  all.k = all.v = all.q;
  all.baseline_qk = random.q;
  all.baseline_v = random.v;
  // Two layers at a time: to widen one again costs little beside the products with it.
  int64_t done = 0;
  for (int64_t reader = 0; reader < spec.layers; ++reader) {
    const Layer to = layer_of(weights, reader);
    for (int64_t writer = 0; writer < reader; ++writer) {
      const Layer from = layer_of(weights, writer);
      for (int64_t d = 0; d < spec.heads; ++d)
        for (int64_t s = 0; s < spec.heads; ++s) {
          const auto src = static_cast<size_t>(s), dst = static_cast<size_t>(d);
          const Scores one = composition(from.heads[src], from.grams[src], to.heads[dst], to.grams[dst]);
          const auto at = static_cast<size_t>((reader * spec.heads + d) * count + writer * spec.heads + s);
          all.q[at] = one.q - random.q;
          all.k[at] = one.k - random.q;
          all.v[at] = one.v - random.v;
        }
      task.step(++done, spec.layers * (spec.layers - 1) / 2);
    }
  }
  return all;
}

}  // namespace varve
