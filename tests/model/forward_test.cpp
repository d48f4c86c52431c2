// Laws of the forward pass on small random models: company, threads and precision; sums; stops.
#include "analysis/model/forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "tests/support/site_values.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;

std::vector<int64_t> ids(int64_t length, int64_t seed) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < length; ++i) all.push_back((seed * 31 + i * i * 7 + i) % 50);
  return all;
}

ModelSpec mixture_spec() {
  ModelSpec spec = tiny_spec();
  spec.gated_mlp = true;
  spec.norm = Norm::rms;
  spec.activation = Activation::silu;
  spec.experts = 6;
  spec.experts_per_token = 2;
  spec.d_expert = 20;
  spec.d_shared = 16;
  spec.shared_gate = true;
  spec.renormalise = true;
  spec.sparse_layers = {1};
  return spec;
}

void expect_same_bits(const SiteValues& one, int64_t one_prompt, const SiteValues& other,
                      int64_t other_prompt, const std::vector<std::string>& sites) {
  for (const std::string& site : sites)
    EXPECT_EQ(one(site, one_prompt), other(site, other_prompt)) << site << ", prompt " << one_prompt;
}

TEST(Forward, APromptAloneEqualsTheSamePromptAmongOthersBitForBit) {
  const Prompts all = {ids(1, 1), ids(2, 2), ids(70, 3), ids(7, 4), ids(130, 5), ids(1, 6)};
  for (const ModelSpec& spec : {tiny_spec(), mixture_spec()})
    for (Compute compute : {Compute::f32, Compute::f64, Compute::bf16}) {
      const Weights weights = tiny_tensors(spec).weights(spec);
      const std::vector<std::string> sites = select_sites(spec, {"*"});
      const SiteValues together = seen_sites(weights, all, {"*"}, compute);
      for (size_t prompt = 0; prompt < all.size(); ++prompt)
        expect_same_bits(together, static_cast<int64_t>(prompt),
                         seen_sites(weights, {all[prompt]}, {"*"}, compute), 0, sites);
    }
}

TEST(Forward, ThreadsNeverChangeABit) {
  const Prompts all = {ids(90, 1), ids(3, 2), ids(200, 3)};
  const int before = threads();
  for (const ModelSpec& spec : {tiny_spec(), mixture_spec()}) {
    const Weights weights = tiny_tensors(spec).weights(spec);
    for (Compute compute : {Compute::f32, Compute::f64, Compute::bf16}) {
      set_threads(1);
      const SiteValues one = seen_sites(weights, all, {"*"}, compute);
      set_threads(2);
      const SiteValues two = seen_sites(weights, all, {"*"}, compute);
      set_threads(before);
      for (int64_t prompt = 0; prompt < 3; ++prompt)
        expect_same_bits(one, prompt, two, prompt, select_sites(spec, {"*"}));
    }
  }
}

TEST(Forward, WhatIsLookedAtNeverChangesABit) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const SiteValues everything = seen_sites(weights, {ids(80, 1)}, {"*"});
  const SiteValues only = seen_sites(weights, {ids(80, 1)}, {"blocks.1.attn.z", "logits"});
  expect_same_bits(everything, 0, only, 0, {"blocks.1.attn.z", "logits"});
}

TEST(Forward, DoublePrecisionShrinksTheErrorButNotTheAnswer) {
  const ModelSpec spec = mixture_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const SiteValues single = seen_sites(weights, {ids(60, 1)}, {"*resid*", "logits"});
  const SiteValues twice = seen_sites(weights, {ids(60, 1)}, {"*resid*", "logits"}, Compute::f64);
  // About a hundred roundings deep; each is 6e-8 of values near ten.
  constexpr double rounding = 2e-4;
  for (const std::string& site : select_sites(spec, {"*resid*", "logits"}))
    for (size_t i = 0; i < single(site).size(); ++i)
      ASSERT_NEAR(single(site)[i], twice(site)[i], rounding) << site;
}

TEST(Forward, Bf16IsTheSameModelWithRoundedProducts) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const SiteValues single = seen_sites(weights, {ids(60, 1)}, {"*resid*"});
  const SiteValues rounded = seen_sites(weights, {ids(60, 1)}, {"*resid*"}, Compute::bf16);
  // Factors are off by 2^-9 at most; sums of 24 to 40 products of values near ten, a few layers deep.
  constexpr double rounding = 0.3;
  double worst = 0;
  for (const std::string& site : select_sites(spec, {"*resid*"}))
    for (size_t i = 0; i < single(site).size(); ++i) {
      ASSERT_NEAR(single(site)[i], rounded(site)[i], rounding) << site;
      worst = std::max(worst, std::abs(single(site)[i] - rounded(site)[i]));
    }
  EXPECT_GT(worst, 1e-4);  // it did round
}

TEST(Forward, PatternRowsSumToOneAndNeverLookAhead) {
  ModelSpec spec = tiny_spec();
  spec.window = {0, 5};
  const Weights weights = tiny_tensors(spec).weights(spec);
  const int64_t length = 150;
  const SiteValues sites = seen_sites(weights, {ids(length, 1)}, {"*.pattern", "*.scores"});
  constexpr double rounding = 1e-5;
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::vector<double>& pattern = sites(fmt::format("blocks.{}.attn.pattern", layer));
    const std::vector<double>& scores = sites(fmt::format("blocks.{}.attn.scores", layer));
    for (int64_t row = 0; row < spec.heads * length; ++row) {
      const int64_t query = row % length;
      double sum = 0;
      for (int64_t key = 0; key < length; ++key) {
        const size_t at = static_cast<size_t>(row * length + key);
        const bool seen = key <= query && (layer == 0 || key > query - 5);
        EXPECT_EQ(std::isinf(scores[at]), !seen);
        EXPECT_TRUE(seen || pattern[at] == 0);
        sum += pattern[at];
      }
      EXPECT_NEAR(sum, 1, rounding);
    }
  }
}

TEST(Forward, ZIsThePatternTimesTheValues) {
  ModelSpec spec = tiny_spec();
  spec.heads = 6;
  spec.kv_heads = 2;
  const Weights weights = tiny_tensors(spec).weights(spec);
  const int64_t length = 70;
  const SiteValues sites = seen_sites(weights, {ids(length, 1)}, {"*.pattern", "*.v", "*.z"}, Compute::f64);
  const std::vector<double>& pattern = sites("blocks.1.attn.pattern");
  const std::vector<double>& v = sites("blocks.1.attn.v");
  const std::vector<double>& z = sites("blocks.1.attn.z");
  constexpr double rounding = 1e-12;
  for (int64_t head = 0; head < 6; ++head)
    for (int64_t query = 0; query < length; ++query)
      for (int64_t i = 0; i < 8; ++i) {
        double sum = 0;
        for (int64_t key = 0; key < length; ++key)
          sum += pattern[static_cast<size_t>((head * length + query) * length + key)] *
                 v[static_cast<size_t>((key * 2 + head / 3) * 8 + i)];
        ASSERT_NEAR(z[static_cast<size_t>((query * 6 + head) * 8 + i)], sum, rounding);
      }
}

// What each block adds to the residual stream, by name.
void expect_sums(const ModelSpec& spec) {
  const Weights weights = tiny_tensors(spec).weights(spec);
  const SiteValues sites = seen_sites(weights, {ids(40, 1)}, {"*resid*", "*_out", "*.result"}, Compute::f64);
  const std::vector<double> bias = weights.vector_f64("blocks.0.attn.b_O");
  constexpr double rounding = 1e-11;
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const auto at = [&](const char* part) -> const std::vector<double>& {
      return sites(fmt::format("blocks.{}.{}", layer, part));
    };
    for (size_t i = 0; i < at("resid_pre").size(); ++i) {
      ASSERT_NEAR(at("resid_mid")[i], at("resid_pre")[i] + at("attn_out")[i], rounding);
      ASSERT_NEAR(at("resid_post")[i], at("resid_mid")[i] + at("mlp_out")[i], rounding);
    }
  }
  if (spec.post_norm) return;
  for (int64_t row = 0; row < 40; ++row)
    for (int64_t i = 0; i < spec.d_model; ++i) {
      double sum = bias[static_cast<size_t>(i)];
      for (int64_t head = 0; head < spec.heads; ++head)
        sum +=
            sites("blocks.0.attn.result")[static_cast<size_t>((row * spec.heads + head) * spec.d_model + i)];
      ASSERT_NEAR(sites("blocks.0.attn_out")[static_cast<size_t>(row * spec.d_model + i)], sum, rounding);
    }
}

TEST(Forward, ModuleOutputsAddUpToTheResidualStream) {
  ModelSpec spec = tiny_spec();
  expect_sums(spec);
  spec.parallel = true;
  expect_sums(spec);
  spec.shared_parallel_norm = true;
  expect_sums(spec);
  spec = tiny_spec();
  spec.post_norm = true;
  expect_sums(spec);
  spec.pre_norm = false;
  expect_sums(spec);
  expect_sums(mixture_spec());
}

TEST(Forward, AGroupedModelEqualsItsExpandedTwin) {
  ModelSpec grouped = tiny_spec();
  grouped.heads = 6;
  grouped.kv_heads = 2;
  TinyTensors tensors = tiny_tensors(grouped);
  ModelSpec full = grouped;
  full.kv_heads = 6;
  TinyTensors expanded = tensors;
  const auto repeat = [&](const std::string& name) {
    auto& [shape, values] = expanded.tensors.at(name);
    const size_t per_head = values.size() / 2;
    std::vector<float> longer;
    for (size_t head = 0; head < 6; ++head) {
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(head / 3 * per_head);
      longer.insert(longer.end(), first, first + static_cast<std::ptrdiff_t>(per_head));
    }
    shape[0] *= 3;
    values = longer;
  };
  for (int64_t layer = 0; layer < 2; ++layer)
    for (const char* part : {"W_K", "W_V", "b_K", "b_V"})
      repeat(fmt::format("blocks.{}.attn.{}", layer, part));
  const SiteValues one =
      seen_sites(tensors.weights(grouped), {ids(33, 1)}, {"*.z", "*.pattern", "logits"}, Compute::f64);
  const SiteValues other =
      seen_sites(expanded.weights(full), {ids(33, 1)}, {"*.z", "*.pattern", "logits"}, Compute::f64);
  // Wider key matrices may be summed in another order.
  constexpr double rounding = 1e-11;
  for (const std::string& site : select_sites(grouped, {"*.z", "*.pattern", "logits"}))
    for (size_t i = 0; i < one(site).size(); ++i) ASSERT_NEAR(one(site)[i], other(site)[i], rounding) << site;
  EXPECT_EQ(sites_of(grouped)[3].axes.at(1) + sites_of(grouped)[4].axes.at(1), "headkv_head");
}

TEST(Forward, TheLensAtTheLastLayerEqualsTheModelOutputBitForBit) {
  ModelSpec spec = tiny_spec();
  spec.vocab = 2500;  // more than two tiles
  spec.logit_scale = 0.5;
  spec.logit_softcap = 30;
  const Weights weights = tiny_tensors(spec).weights(spec);
  for (const auto& [compute, length] :
       {std::pair{Compute::f32, int64_t{1}}, std::pair{Compute::f32, int64_t{2}},
        std::pair{Compute::f32, int64_t{37}}, std::pair{Compute::bf16, int64_t{1}},
        std::pair{Compute::bf16, int64_t{37}}}) {
    const SiteValues sites =
        seen_sites(weights, {ids(length, 1)}, {"*.resid_post", "*normalized", "logits"}, compute);
    const std::vector<double>& last = sites("blocks.1.resid_post");
    const std::vector<float> resid(last.begin(), last.end());
    const Unembed unembed(weights, compute);
    std::vector<double> logits(static_cast<size_t>(length * spec.vocab));
    unembed.run(resid, length, [&](int64_t first, int64_t tokens, std::span<const float> tile) {
      for (int64_t row = 0; row < length; ++row)
        std::copy_n(tile.begin() + row * tokens, tokens, logits.begin() + row * spec.vocab + first);
    });
    EXPECT_EQ(logits, sites("logits"));
    const std::vector<float> normed = unembed.normalised(resid, length);
    EXPECT_EQ(std::vector<double>(normed.begin(), normed.end()), sites("ln_final.normalized"));
  }
}

TEST(Forward, StopsAfterTheLastWantedSiteWithoutTouchingLaterWeights) {
  const ModelSpec spec = tiny_spec();
  TinyTensors tensors = tiny_tensors(spec);
  tensors.tensors.erase("blocks.0.attn.W_K");
  tensors.tensors.erase("unembed.W_U");
  const Weights weights = tensors.weights(spec);
  EXPECT_TRUE(seen_sites(weights, {ids(4, 1)}, {"blocks.0.attn.q"}).has("blocks.0.attn.q"));
  EXPECT_THROW(seen_sites(weights, {ids(4, 1)}, {"blocks.0.attn.k"}), Error);
}

TEST(Forward, ShowsSitesInComputingOrder) {
  for (const ModelSpec& spec : {tiny_spec(), mixture_spec()}) {
    const Weights weights = tiny_tensors(spec).weights(spec);
    std::vector<std::string> expected;
    for (const SiteInfo& site : sites_of(spec)) expected.insert(expected.end(), 2, site.name);
    const SiteValues seen = seen_sites(weights, {ids(3, 1), ids(2, 2)}, {"*"});
    EXPECT_EQ(seen.order(), expected);
    for (const SiteInfo& site : sites_of(spec)) {
      EXPECT_EQ(seen.of(site.name).axes, site.axes);
      std::vector<int64_t> shape;
      for (const std::string& axis : site.axes) shape.push_back(site_extent(spec, axis, 3));
      EXPECT_EQ(seen.of(site.name).shape, shape) << site.name;
    }
  }
}

TEST(Forward, StopsWhenAsked) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  SiteValues all({"logits"});
  SiteReader* const readers[] = {&all};
  auto progress = std::make_shared<Progress>();
  progress->request_stop();
  Task task(progress);
  EXPECT_THROW(forward(weights, {.prompts = {{1, 2}}, .name = {}}, Compute::f32, readers, task), Stopped);
}

TEST(Forward, LongerPromptsNeverChangeEarlierPositions) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  std::vector<int64_t> longer = ids(100, 1);
  const std::vector<int64_t> shorter(longer.begin(), longer.begin() + 50);
  const SiteValues one = seen_sites(weights, {shorter}, {"logits"});
  const SiteValues other = seen_sites(weights, {longer}, {"logits"});
  constexpr double rounding = 1e-4;
  for (size_t i = 0; i < one("logits").size(); ++i)
    ASSERT_NEAR(one("logits")[i], other("logits")[i], rounding);
}

TEST(Sites, AcceptTheSpellingWithHook) {
  EXPECT_EQ(plain_site("blocks.0.hook_resid_pre"), "blocks.0.resid_pre");
  EXPECT_EQ(plain_site("blocks.0.attn.hook_q"), "blocks.0.attn.q");
  EXPECT_EQ(plain_site("hook_embed"), "embed");
  EXPECT_EQ(select_sites(tiny_spec(), {"blocks.*.hook_resid_post"}).size(), 2u);
}

TEST(Sites, AGlobThatSelectsNothingNamesTheNearestSite) {
  try {
    select_sites(tiny_spec(), {"blocks.0.attn.patern"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::usage);
    EXPECT_NE(std::string(error.what()).find("blocks.0.attn.pattern"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace varve
