// What architectures do to queries, keys and scores: soft caps, norms, windows; each against its definition.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/site_values.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

constexpr double tolerance = 1e-12;  // everything is computed in double

const std::vector<std::vector<int64_t>> prompts = {{4, 17, 8, 41, 2, 2, 30}};

SiteValues seen(const ModelSpec& spec, const TinyTensors& tensors, const std::vector<std::string>& sites) {
  return seen_sites(tensors.weights(spec), prompts, sites, Compute::f64);
}

TEST(AttentionSoftcap, ScoresAreBentTowardsTheCapAndNeverReachIt) {
  ModelSpec spec = tiny_spec();
  const TinyTensors tensors = tiny_tensors(spec);
  const SiteValues plain = seen(spec, tensors, {"blocks.0.attn.scores"});
  spec.attention_softcap = 1.5;
  const SiteValues capped = seen(spec, tensors, {"blocks.0.attn.scores", "blocks.0.attn.pattern"});
  const auto &raw = plain("blocks.0.attn.scores"), &bent = capped("blocks.0.attn.scores");
  const auto& pattern = capped("blocks.0.attn.pattern");
  double largest = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (std::isinf(raw[i])) {
      EXPECT_EQ(pattern[i], 0);
      continue;
    }
    EXPECT_NEAR(bent[i], 1.5 * std::tanh(raw[i] / 1.5), tolerance);
    EXPECT_LT(std::abs(bent[i]), 1.5);
    largest = std::max(largest, std::abs(raw[i]));
  }
  EXPECT_GT(largest, 1.5);  // else nothing was bent
}

TEST(AttentionSoftcap, AVeryHighCapChangesNothing) {
  ModelSpec spec = tiny_spec();
  const TinyTensors tensors = tiny_tensors(spec);
  const SiteValues plain = seen(spec, tensors, {"logits"});
  spec.attention_softcap = spec.logit_softcap = 1e6;
  const SiteValues capped = seen(spec, tensors, {"logits"});
  for (size_t i = 0; i < plain("logits").size(); ++i)
    EXPECT_NEAR(capped("logits")[i], plain("logits")[i], 1e-9);  // tanh(x) = x - x^3 / 3
}

TEST(QueryKeyNorm, EachHeadIsNormedAloneAndValuesAreNot) {
  ModelSpec spec = tiny_spec();
  spec.norm = Norm::rms;
  spec.norm_has_bias = false;
  spec.norm_eps = 0;
  TinyTensors tensors = tiny_tensors(spec);
  const SiteValues plain = seen(spec, tensors, {"blocks.0.attn.q", "blocks.0.attn.k", "blocks.0.attn.v"});
  spec.qk_norm_per_head = true;
  for (const char* name : {"q", "k"})
    for (int64_t layer = 0; layer < spec.layers; ++layer)
      tensors.add(fmt::format("blocks.{}.attn.{}_norm.w", layer, name), {spec.d_head}, 0.3, 1);
  const SiteValues normed = seen(spec, tensors, {"blocks.0.attn.q", "blocks.0.attn.k", "blocks.0.attn.v"});
  EXPECT_EQ(normed("blocks.0.attn.v"), plain("blocks.0.attn.v"));
  const auto d_head = static_cast<size_t>(spec.d_head);
  for (const std::string name : {"q", "k"}) {
    const auto& gain = tensors.tensors.at("blocks.0.attn." + name + "_norm.w").second;
    const auto &before = plain("blocks.0.attn." + name), &after = normed("blocks.0.attn." + name);
    for (size_t head = 0; head < before.size(); head += d_head) {
      double square = 0;
      for (size_t i = 0; i < d_head; ++i)
        square += before[head + i] * before[head + i] / static_cast<double>(d_head);
      for (size_t i = 0; i < d_head; ++i)
        EXPECT_NEAR(after[head + i], before[head + i] / std::sqrt(square) * static_cast<double>(gain[i]),
                    tolerance);
    }
  }
}

TEST(Window, WhatLiesFurtherBackHasNoWeight) {
  ModelSpec spec = tiny_spec();
  const TinyTensors tensors = tiny_tensors(spec);
  spec.window = {3, 0};
  const SiteValues windowed = seen(spec, tensors, {"blocks.*.attn.pattern"});
  const int64_t n = static_cast<int64_t>(prompts[0].size());
  for (int64_t query = 0; query < n; ++query)
    for (int64_t key = 0; key < n; ++key) {
      const auto at = static_cast<size_t>(query * n + key);
      EXPECT_EQ(windowed("blocks.0.attn.pattern")[at] > 0, key <= query && query - key < 3)
          << query << " " << key;
      EXPECT_EQ(windowed("blocks.1.attn.pattern")[at] > 0, key <= query) << query << " " << key;
    }
}

TEST(Window, AsLongAsThePromptItChangesNoBit) {
  ModelSpec spec = tiny_spec();
  const TinyTensors tensors = tiny_tensors(spec);
  const SiteValues whole = seen(spec, tensors, {"logits"});
  spec.window = {7, 100};
  EXPECT_EQ(seen(spec, tensors, {"logits"})("logits"), whole("logits"));
}

TEST(Spec, NewFieldsSurviveBeingWrittenAndRead) {
  ModelSpec spec = tiny_spec();
  spec.norm = Norm::none;
  spec.pre_norm = spec.final_norm = spec.causal = spec.residual = false;
  spec.activation = Activation::square;
  spec.vocab_out = 49;
  spec.joined_tokens = 2;
  spec.d_embed = 5;
  spec.rope.truncate = false;
  const ModelSpec again = spec_from_json(to_json(spec));
  EXPECT_EQ(to_json(again), to_json(spec));
  EXPECT_EQ(output_vocab(again), 49);
  EXPECT_EQ(output_vocab(tiny_spec()), 50);
}

}  // namespace
}  // namespace varve
