// Heads whose kind is known because they were built by hand, and circuits of weights beside a small
// calculation with whole matrices.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "analysis/circuits/head_weights.h"
#include "tests/support/golden_run.h"
#include "tests/support/induction_model.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

using Dense = Eigen::MatrixXd;

Probes repeats(int64_t prompts, int64_t period, int64_t vocab) {
  Probes probes;
  probes.name = "repeats";
  for (int64_t prompt = 0; prompt < prompts; ++prompt) {
    std::vector<int64_t> ids = {0};
    // Steps that share no factor with vocab - 1 name every token once before one comes back.
    const int64_t stride = std::vector<int64_t>{1, 2, 4, 7, 8}[static_cast<size_t>(prompt % 5)];
    for (int64_t i = 0; i < 2 * period; ++i) ids.push_back(1 + (prompt + i % period * stride) % (vocab - 1));
    probes.prompts.push_back(std::move(ids));
  }
  return probes;
}

// Queries of the second copy, at q = period + 1 .. 2 period, may each see q + 1 keys.
double chance_of(int64_t period) {
  double sum = 0;
  for (int64_t query = period + 1; query <= 2 * period; ++query) sum += 1 / static_cast<double>(query + 1);
  return sum / static_cast<double>(period);
}

TEST(HeadDetectors, FindTheInductionHeadThatWasBuiltByHand) {
  TempFolder temp;
  const SmallModel model = by_hand::induction_model();
  write_text(temp.path() / "step1/config.json", model.config);
  write_text(temp.path() / "step1/model.safetensors", safetensors_of(model.tensors));
  GoldenRun run(temp.path() / "step1");
  constexpr int64_t period = 12;
  const Dataset heads =
      run.cell("head-detectors", repeats(5, period, by_hand::tokens), {{"weights", "all"}, {"top_k", "1"}});
  for (const Check& check : heads.checks) EXPECT_TRUE(check.passed) << check.name;
  const double chance = chance_of(period);
  EXPECT_NEAR(heads["induction_chance"].number(0), chance, 1e-12);
  const auto score = [&](const char* name, int64_t layer, int64_t head) {
    return heads[name].number(layer * 2 + head);
  };
  EXPECT_GT(score("induction", 1, 1), 0.99);
  EXPECT_GT(score("prefix_matching", 1, 1), 0.99);
  EXPECT_GT(score("previous_token", 0, 0), 0.99);
  EXPECT_LT(score("induction", 0, 0), 1e-3);
  EXPECT_LT(score("previous_token", 1, 1), 0.2);
  constexpr double rounding = 1e-6;  // of a softmax over equal scores in f32
  EXPECT_NEAR(score("induction", 0, 1), chance, rounding);
  EXPECT_NEAR(score("induction", 1, 0), chance, rounding);
  // It gives back the token it finds, and reads what the first one wrote through its keys alone.
  EXPECT_NEAR(score("copying_full", 1, 1), 1, 1e-6);
  EXPECT_EQ(score("copying_top_k", 1, 1), 1);
  EXPECT_EQ(score("copying_top_k", 0, 1), 0);  // it writes nothing
  const auto composed = [&](const char* name) { return heads[name].number(0 * 4 + 3); };
  EXPECT_GT(composed("k_composition"), 0.1);
  EXPECT_LT(composed("q_composition"), 0);
  EXPECT_LT(composed("v_composition"), 0);
}

TEST(HeadDetectorNull, HeadsOfRandomWeightsScoreTheChanceOfTheFormula) {
  TempFolder temp;
  write_random_model(temp.path() / "step1",
                     {.layers = 3, .d_model = 64, .heads = 4, .d_mlp = 128, .vocab = 101});
  GoldenRun run(temp.path() / "step1");
  constexpr int64_t period = 20;
  const Dataset heads = run.cell("head-detectors", repeats(10, period, 101), {{"weights", "none"}});
  const double chance = chance_of(period);
  double mean = 0;
  for (const double score : doubles_of(heads["induction"])) {
    EXPECT_LT(score, 2 * chance);
    mean += score / static_cast<double>(heads["induction"].size());
  }
  constexpr double spread = 0.2;  // of twelve heads' mean: random weights attend nearly, not quite, evenly
  EXPECT_NEAR(mean, chance, spread * chance);
}

// The same weights as whole matrices, row vectors times matrix.
class WholeMatrices {
 public:
  explicit WholeMatrices(const TinyTensors& tensors, const ModelSpec& spec) : tensors_(tensors), spec_(spec) {
    embed = of("embed.W_E");
    unembed = (of("unembed.W_U") * gain("ln_final").asDiagonal()).transpose();
    for (int64_t layer = 0; layer < spec.layers; ++layer)
      for (int64_t head = 0; head < spec.heads; ++head) {
        const std::string attn = fmt::format("blocks.{}.attn.", layer);
        const Dense g = gain(fmt::format("blocks.{}.ln1", layer)).asDiagonal();
        const auto rows = [&](const char* name, int64_t at) {
          return Dense(of(attn + name).middleRows(at * spec.d_head, spec.d_head));
        };
        const int64_t shared = head * spec.kv_heads / spec.heads;
        const Dense q = g * rows("W_Q", head).transpose(), k = g * rows("W_K", shared).transpose(),
                    v = g * rows("W_V", shared).transpose();
        ov.push_back(v * of(attn + "W_O").middleCols(head * spec.d_head, spec.d_head).transpose());
        qk.push_back(q * k.transpose());
      }
  }
  std::vector<Dense> ov, qk;  // [d_model, d_model] of every head
  Dense embed, unembed;       // [vocab, d_model], [d_model, vocab]

 private:
  Dense of(const std::string& name) const {
    const auto& [shape, values] = tensors_.tensors.at(name);
    Dense dense(shape[0], shape[1]);
    for (int64_t row = 0; row < shape[0]; ++row)
      for (int64_t column = 0; column < shape[1]; ++column)
        dense(row, column) = static_cast<double>(values[static_cast<size_t>(row * shape[1] + column)]);
    return dense;
  }
  Eigen::VectorXd gain(const std::string& norm) const {
    const auto& values = tensors_.tensors.at(norm + ".w").second;
    Eigen::VectorXd all(static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) all[static_cast<int64_t>(i)] = static_cast<double>(values[i]);
    return all;
  }
  const TinyTensors& tensors_;
  ModelSpec spec_;
};

double positive(const Dense& matrix) {
  const Eigen::VectorXcd values = matrix.eigenvalues();
  double sum = 0, sizes = 0;
  for (int64_t i = 0; i < values.size(); ++i) {
    sum += values[i].real();
    sizes += std::abs(values[i]);
  }
  return sum / sizes;
}

class HeadWeights : public testing::Test {
 protected:
  HeadWeights() {
    spec_.heads = 6;
    spec_.kv_heads = 2;
    spec_.d_head = 4;
    spec_.rope.dims = 4;
    tensors_ = tiny_tensors(spec_);
  }
  ModelSpec spec_ = tiny_spec();
  TinyTensors tensors_;
  Task task_;
};

TEST_F(HeadWeights, CopyingEqualsThatOfWholeMatrices) {
  constexpr double rounding = 1e-6;  // eigenvalues of 50 x 50 matrices of rank 4
  const Copying copying = copying_of(tensors_.weights(spec_), task_);
  const WholeMatrices whole(tensors_, spec_);
  ASSERT_EQ(copying.own.size(), whole.ov.size());
  for (size_t head = 0; head < whole.ov.size(); ++head) {
    EXPECT_NEAR(copying.own[head], positive(whole.ov[head]), rounding) << head;
    EXPECT_NEAR(copying.full[head], positive(whole.embed * whole.ov[head] * whole.unembed), rounding) << head;
  }
}

TEST_F(HeadWeights, TopKCopyingEqualsThatOfWholeMatrices) {
  const WholeMatrices whole(tensors_, spec_);
  constexpr int64_t k = 5;
  const std::vector<double> shares = copying_top_k(tensors_.weights(spec_), k, spec_.vocab, task_);
  ASSERT_EQ(shares.size(), whole.ov.size());
  double most = 0;
  for (size_t head = 0; head < whole.ov.size(); ++head) {
    const Dense logits = whole.embed * whole.ov[head] * whole.unembed;
    int64_t within = 0;
    for (int64_t id = 0; id < spec_.vocab; ++id)
      within += (logits.row(id).array() > logits(id, id)).count() < k ? 1 : 0;
    EXPECT_DOUBLE_EQ(shares[head], static_cast<double>(within) / static_cast<double>(spec_.vocab)) << head;
    most = std::max(most, shares[head]);
  }
  EXPECT_GT(most, 0);
}

TEST_F(HeadWeights, AGroupedModelAndItsExpandedTwinScoreTheSame) {
  ModelSpec full = spec_;
  full.kv_heads = 6;
  TinyTensors expanded = tensors_;
  for (int64_t layer = 0; layer < 2; ++layer)
    for (const char* part : {"W_K", "W_V", "b_K", "b_V"}) {
      auto& [shape, values] = expanded.tensors.at(fmt::format("blocks.{}.attn.{}", layer, part));
      const size_t per_head = values.size() / 2;
      std::vector<float> longer;
      for (size_t head = 0; head < 6; ++head) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(head / 3 * per_head);
        longer.insert(longer.end(), first, first + static_cast<std::ptrdiff_t>(per_head));
      }
      shape[0] *= 3;
      values = longer;
    }
  const Weights one = tensors_.weights(spec_), other = expanded.weights(full);
  EXPECT_EQ(copying_of(one, task_).full, copying_of(other, task_).full);
  EXPECT_EQ(copying_top_k(one, 3, 50, task_), copying_top_k(other, 3, 50, task_));
  EXPECT_EQ(composition_of(one, 3, task_).k, composition_of(other, 3, task_).k);
}

TEST_F(HeadWeights, CompositionEqualsThatOfWholeMatricesLessTheRandomBaseline) {
  constexpr double rounding = 1e-9;
  const Composition composed = composition_of(tensors_.weights(spec_), 3, task_);
  const WholeMatrices whole(tensors_, spec_);
  const auto share = [](const Dense& product, const Dense& one, const Dense& other) {
    return product.norm() / one.norm() / other.norm();
  };
  const size_t heads = whole.ov.size();
  for (size_t dst = 0; dst < heads; ++dst)
    for (size_t src = 0; src < heads; ++src) {
      const size_t at = dst * heads + src;
      if (src / 6 >= dst / 6) {
        EXPECT_EQ(composed.k[at], 0);
        continue;
      }
      const Dense &ov = whole.ov[src], &qk = whole.qk[dst];
      EXPECT_NEAR(composed.q[at], share(ov * qk, ov, qk) - composed.baseline_qk, rounding);
      EXPECT_NEAR(composed.k[at], share(ov * qk.transpose(), ov, qk) - composed.baseline_qk, rounding);
      EXPECT_NEAR(composed.v[at], share(ov * whole.ov[dst], ov, whole.ov[dst]) - composed.baseline_v,
                  rounding);
    }
  // Gaussian matrices compose by about 1 / sqrt(d_model).
  EXPECT_NEAR(composed.baseline_qk * std::sqrt(static_cast<double>(spec_.d_model)), 1, 0.15);
}

}  // namespace
}  // namespace varve
