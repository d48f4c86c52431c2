// Every family written out a second time, straight from its config and tensor names. A tensor that nobody has
// asked for before is drawn at random, so that running the reference also makes the model it describes.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/loaders/families/naive_math.h"
#include "tests/support/safetensors_writer.h"

namespace varve::naive {

struct Output {
  std::vector<Rows> resid_post;  // layer by layer
  Rows logits;
};

class Model {
 public:
  explicit Model(json config) : config_(std::move(config)), type_(config_.at("model_type")) {}

  Output run(const std::vector<int64_t>& tokens) {
    tokens_ = tokens;
    if (type_ == "gpt2" || type_ == "gpt_neo") return gpt();
    if (type_ == "gptj") return gptj();
    if (type_ == "gpt_neox") return neox();
    if (type_ == "phi") return phi();
    return llama();
  }
  SmallModel small() const { return {config_.dump(), tensors_}; }

 private:
  // A key that is absent or null is the default.
  template <class T>
  T key(const std::string& name, T otherwise) const {
    return config_.contains(name) && !config_[name].is_null() ? config_[name].get<T>() : otherwise;
  }
  int64_t size(const std::string& name) const { return config_.at(name).get<int64_t>(); }
  bool is(const std::set<std::string>& types) const { return types.count(type_) > 0; }

  const F32Tensor& tensor(const std::string& name, std::vector<int64_t> shape, double spread, double centre) {
    if (tensors_.count(name) == 0) {
      uint64_t state = std::hash<std::string>{}(name);
      F32Tensor drawn = counted(std::move(shape), 0);
      for (float& value : drawn.values) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        value = static_cast<float>(centre + spread * (static_cast<double>(state >> 40) / (1 << 23) - 1));
      }
      tensors_[name] = drawn;
    }
    return tensors_.at(name);
  }
  Vec vec(const std::string& name, int64_t width, double centre, double spread = 0.3) {
    const F32Tensor& found = tensor(name, {width}, spread, centre);
    return {found.values.begin(), found.values.end()};
  }

  enum class Bias { no, yes };
  // W [out, in], as torch.nn.Linear keeps it.
  Rows linear(const Rows& x, const std::string& name, int64_t out, Bias bias) {
    const int64_t in = static_cast<int64_t>(x.front().size());
    const F32Tensor& w = tensor(name + ".weight", {out, in}, 2 / std::sqrt(static_cast<double>(in)), 0);
    const Vec b = bias == Bias::yes ? vec(name + ".bias", out, 0) : Vec(static_cast<size_t>(out), 0);
    return each(x, [&](const Vec& row) {
      Vec y = b;
      for (int64_t o = 0; o < out; ++o)
        for (int64_t i = 0; i < in; ++i)
          y[static_cast<size_t>(o)] +=
              static_cast<double>(w.values[static_cast<size_t>(o * in + i)]) * row[static_cast<size_t>(i)];
      return y;
    });
  }
  // W [in, out], as GPT-2's Conv1D keeps it.
  Rows convolved(const Rows& x, const std::string& name, int64_t out) {
    const int64_t in = static_cast<int64_t>(x.front().size());
    const F32Tensor& w = tensor(name + ".weight", {in, out}, 2 / std::sqrt(static_cast<double>(in)), 0);
    const Vec b = vec(name + ".bias", out, 0);
    return each(x, [&](const Vec& row) {
      Vec y = b;
      for (int64_t o = 0; o < out; ++o)
        for (int64_t i = 0; i < in; ++i)
          y[static_cast<size_t>(o)] +=
              static_cast<double>(w.values[static_cast<size_t>(i * out + o)]) * row[static_cast<size_t>(i)];
      return y;
    });
  }
  Rows lookup(const std::string& name, int64_t rows, int64_t width, const std::vector<int64_t>& ids) {
    const F32Tensor& table = tensor(name, {rows, width}, 1, 0);
    Rows out;
    for (int64_t id : ids)
      out.emplace_back(table.values.begin() + id * width, table.values.begin() + (id + 1) * width);
    return out;
  }
  Rows normed(const Rows& x, const std::string& name, double eps) {  // layer norm with bias
    const int64_t width = static_cast<int64_t>(x.front().size());
    const Vec w = vec(name + ".weight", width, 1), b = vec(name + ".bias", width, 0);
    return each(x, [&](const Vec& row) { return layer_norm(row, w, b, eps); });
  }
  Rows activated(const Rows& x, const std::string& name) {
    return each(x, [&](const Vec& row) {
      Vec out;
      for (double value : row) out.push_back(activation(name, value));
      return out;
    });
  }
  Rows unembedded(const Rows& x, const std::string& head, const std::string& embedding, bool tied,
                  Bias bias) {
    const int64_t vocab = size("vocab_size");
    if (!tied) return linear(x, head, vocab, bias);
    const F32Tensor& table = tensors_.at(embedding);
    Rows logits(x.size(), Vec(static_cast<size_t>(vocab)));
    const Vec b = bias == Bias::yes ? vec(head + ".bias", vocab, 0) : Vec(static_cast<size_t>(vocab), 0);
    for (size_t pos = 0; pos < x.size(); ++pos)
      for (size_t token = 0; token < b.size(); ++token) {
        double sum = b[token];
        for (size_t i = 0; i < x[pos].size(); ++i)
          sum += static_cast<double>(table.values[token * x[pos].size() + i]) * x[pos][i];
        logits[pos][token] = sum;
      }
    return logits;
  }
  std::vector<int64_t> places() const {
    std::vector<int64_t> all(tokens_.size());
    std::iota(all.begin(), all.end(), int64_t{0});
    return all;
  }
  const json& scaling() const {
    static const json none;
    if (config_.contains("rope_parameters")) return config_["rope_parameters"];
    return config_.contains("rope_scaling") ? config_["rope_scaling"] : none;
  }
  Rows turned(const Rows& x, int64_t d_head, int64_t dims, double theta, Turn turn) {
    const json& how = scaling();
    if (how.is_object()) theta = how.value("rope_theta", theta);
    const Angles all =
        angles(how, theta, dims, key("max_position_embeddings", 2048.0), static_cast<double>(tokens_.size()));
    return each_head(x, d_head, [&](const Vec& head, int64_t pos) { return rotated(head, pos, all, turn); });
  }
  double part(double otherwise) const {
    const double own = key("partial_rotary_factor", otherwise);
    return scaling().is_object() ? scaling().value("partial_rotary_factor", own) : own;
  }

  Output gpt();  // GPT-2, GPT-Neo
  Output gptj();
  Output neox();
  Output phi();
  Output llama();  // and all that share its layout
  Rows experts(const Rows& x, const std::string& place);
  Rows gated(const Rows& x, const std::string& place, const std::vector<std::string>& names, int64_t hidden,
             Bias bias);
  bool slides(int64_t layer) const;

  json config_;
  std::string type_;
  std::vector<int64_t> tokens_;
  F32Tensors tensors_;
};

}  // namespace varve::naive
