// Laws of interventions: what changes nothing changes no bit, and what changes something changes that alone.
#include "analysis/model/intervene.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/core/error.h"
#include "analysis/model/forward.h"
#include "tests/support/expect_error.h"
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

ModelSpec grouped_spec() {
  ModelSpec spec = tiny_spec();
  spec.heads = 6;
  spec.kv_heads = 2;
  spec.parallel = true;
  spec.window = {0, 9};
  return spec;
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
  spec.positions = Positions::learned;
  return spec;
}

SiteValues changed(const Weights& weights, const Prompts& prompts, const Interventions& changes,
                   const std::vector<std::string>& globs = {"*"}, Compute compute = Compute::f32) {
  SiteValues values(select_sites(weights.spec(), globs));
  Probes probes;
  probes.prompts = prompts;
  SiteReader* const readers[] = {&values};
  Task task;
  forward(weights, probes, compute, readers, task, {}, changes);
  return values;
}

void expect_same(const SiteValues& one, const SiteValues& other, const ModelSpec& spec, int64_t prompts,
                 const std::string& what) {
  for (const std::string& site : select_sites(spec, {"*"}))
    for (int64_t prompt = 0; prompt < prompts; ++prompt)
      ASSERT_EQ(one(site, prompt), other(site, prompt)) << what << ", seen at " << site;
}

TEST(Interventions, WhatChangesNothingChangesNoBitAtAnySite) {
  const Prompts prompts = {ids(70, 1), ids(1, 2), ids(5, 3)};
  for (const ModelSpec& spec : {tiny_spec(), grouped_spec(), mixture_spec()})
    for (Compute compute : {Compute::f32, Compute::f64}) {
      const Weights weights = tiny_tensors(spec).weights(spec);
      const SiteValues plain = changed(weights, prompts, {}, {"*"}, compute);
      for (const std::string& site : select_sites(spec, {"*"})) {
        Interventions own, idle;
        for (int64_t prompt = 0; prompt < 3; ++prompt) {
          own.push_back({.site = site,
                         .change = Change::set,
                         .where = {{"prompt", prompt}},
                         .values = plain(site, prompt)});
          idle.push_back({.site = site,
                          .change = Change::resample,
                          .where = {{"prompt", prompt}},
                          .from_prompt = prompt});
        }
        idle.push_back({.site = site, .change = Change::scale, .number = 1});
        expect_same(plain, changed(weights, prompts, own, {"*"}, compute), spec, 3, "set " + site);
        expect_same(plain, changed(weights, prompts, idle, {"*"}, compute), spec, 3, "resample " + site);
      }
    }
}

TEST(Interventions, AZeroedHeadIsAHeadWithoutOutputWeights) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  TinyTensors without = tiny_tensors(spec);
  std::vector<float>& w =
      without.tensors.at("blocks.0.attn.W_O").second;  // [24, 24], columns 8..15 of head 1
  for (size_t row = 0; row < 24; ++row)
    for (size_t column = 8; column < 16; ++column) w[row * 24 + column] = 0;
  const Prompts prompts = {ids(20, 1)};
  const std::vector<double>& expected = changed(without.weights(spec), prompts, {}, {"logits"})("logits");
  constexpr double rounding = 1e-5;
  for (const char* site : {"blocks.0.attn.z", "blocks.0.attn.hook_result"}) {
    const SiteValues zeroed = changed(weights, prompts, {{.site = site, .where = {{"head", 1}}}}, {"logits"});
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(zeroed("logits")[i], expected[i], rounding);
  }
}

TEST(Interventions, APatternOfTheFirstKeyCopiesItsValue) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const SiteValues seen = changed(weights, {ids(9, 1)},
                                  {{.site = "blocks.1.attn.pattern", .where = {{"head", 2}}},
                                   {.site = "blocks.1.attn.pattern",
                                    .change = Change::set,
                                    .where = {{"head", 2}, {"key", 0}},
                                    .number = 1}});
  for (size_t query = 0; query < 9; ++query)
    for (size_t i = 0; i < 8; ++i)
      ASSERT_FLOAT_EQ(static_cast<float>(seen("blocks.1.attn.z")[(query * 3 + 2) * 8 + i]),
                      static_cast<float>(seen("blocks.1.attn.v")[2 * 8 + i]));
}

TEST(Interventions, MeansAreTakenOverPromptsAndPositionsBeforeAnyChange) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Prompts prompts = {ids(9, 1), ids(4, 2)};
  const SiteValues plain = changed(weights, prompts, {});
  const SiteValues seen = changed(
      weights, prompts,
      {{.site = "blocks.0.resid_post", .where = {{"neuron", 7}}},
       {.site = "blocks.0.resid_post", .change = Change::mean, .where = {{"neuron", 7}, {"pos", -1}}}});
  double mean = 0;
  for (int64_t prompt = 0; prompt < 2; ++prompt)
    for (size_t row = 0; row < prompts[static_cast<size_t>(prompt)].size(); ++row)
      mean += plain("blocks.0.resid_post", prompt)[row * 24 + 7] / 13;
  EXPECT_NEAR(seen("blocks.0.resid_post", 0)[8 * 24 + 7], mean, 1e-6);
  EXPECT_NEAR(seen("blocks.0.resid_post", 1)[3 * 24 + 7], mean, 1e-6);
  EXPECT_EQ(seen("blocks.0.resid_post", 0)[7 * 24 + 7], 0);
  EXPECT_EQ(seen("blocks.0.resid_post", 0)[7 * 24 + 8], plain("blocks.0.resid_post", 0)[7 * 24 + 8]);
}

TEST(Interventions, ResamplingTakesWhatTheOtherPromptHad) {
  const ModelSpec spec = tiny_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Prompts prompts = {ids(9, 1), ids(9, 2)};
  const SiteValues plain = changed(weights, prompts, {});
  const SiteValues swapped = changed(
      weights, prompts,
      {{.site = "blocks.0.resid_pre", .change = Change::resample, .where = {{"prompt", 0}}, .from_prompt = 1},
       {.site = "blocks.0.resid_pre",
        .change = Change::resample,
        .where = {{"prompt", 1}},
        .from_prompt = 0}});
  EXPECT_EQ(swapped("logits", 0), plain("logits", 1));
  EXPECT_EQ(swapped("logits", 1), plain("logits", 0));
}

TEST(Interventions, AnExpertCanBeSilencedOrRoutedRound) {
  const ModelSpec spec = mixture_spec();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Prompts prompts = {ids(30, 1)};
  const SiteValues plain = changed(weights, prompts, {});
  const auto expert = static_cast<int64_t>(plain("blocks.1.router.topk_indices")[0]);
  const SiteValues silent =
      changed(weights, prompts, {{.site = "blocks.1.router.topk_weights", .where = {{"expert", expert}}}});
  const SiteValues round = changed(weights, prompts,
                                   {{.site = "blocks.1.router.logits",
                                     .change = Change::set,
                                     .where = {{"expert", expert}},
                                     .number = -1e30}});
  EXPECT_EQ(silent("blocks.1.router.topk_indices"), plain("blocks.1.router.topk_indices"));
  for (size_t i = 0; i < 60; ++i) {
    const auto chosen = static_cast<int64_t>(plain("blocks.1.router.topk_indices")[i]);
    const double expected = chosen == expert ? 0 : plain("blocks.1.router.topk_weights")[i];
    EXPECT_EQ(silent("blocks.1.router.topk_weights")[i], expected);
    EXPECT_NE(static_cast<int64_t>(round("blocks.1.router.topk_indices")[i]), expert);
  }
}

TEST(Interventions, APassMayBeginAtALaterLayer) {
  for (const ModelSpec& spec : {tiny_spec(), mixture_spec()}) {
    const Weights weights = tiny_tensors(spec).weights(spec);
    Probes probes;
    probes.prompts = {ids(20, 1), ids(3, 2)};
    const SiteValues plain = changed(weights, probes.prompts, {});
    std::vector<float> stream;
    for (int64_t prompt = 0; prompt < 2; ++prompt)
      for (const double value : plain("blocks.1.resid_pre", prompt))
        stream.push_back(static_cast<float>(value));
    SiteValues later(select_sites(spec, {"*"}));
    SiteReader* const readers[] = {&later};
    Task task;
    forward(weights, probes, Compute::f32, readers, task, {}, {}, {.layer = 1, .f32 = stream, .f64 = {}});
    EXPECT_FALSE(later.has("blocks.0.resid_post"));
    for (const std::string& site : select_sites(spec, {"blocks.1.*", "ln_final*", "logits"}))
      for (int64_t prompt = 0; prompt < 2; ++prompt)
        ASSERT_EQ(later(site, prompt), plain(site, prompt)) << site;
  }
}

TEST(Interventions, AreReadFromACommandLine) {
  const ModelSpec spec = tiny_spec();
  const Intervention zero = intervention_from(spec, "blocks.1.attn.hook_z[head=2,pos=-1]=0");
  EXPECT_EQ(zero.site, "blocks.1.attn.z");
  EXPECT_EQ(zero.change, Change::set);
  EXPECT_EQ(zero.where, (std::map<std::string, int64_t>{{"head", 2}, {"pos", -1}}));
  EXPECT_EQ(intervention_from(spec, "embed=mean").change, Change::mean);
  const Intervention scale = intervention_from(spec, "blocks.0.mlp.post[:,3,17]=x1.3");
  EXPECT_EQ(scale.change, Change::scale);
  EXPECT_DOUBLE_EQ(scale.number, 1.3);
  EXPECT_EQ(scale.where, (std::map<std::string, int64_t>{{"pos", 3}, {"d_mlp", 17}}));
  const Intervention other = intervention_from(spec, "blocks.0.attn_out[prompt=0]=prompt:1");
  EXPECT_EQ(other.change, Change::resample);
  EXPECT_EQ(other.from_prompt, 1);
  EXPECT_DOUBLE_EQ(intervention_from(spec, "blocks.0.resid_post[neuron=5]=+2.5").number, 2.5);
}

TEST(Interventions, WhatDoesNotFitIsRefusedByName) {
  const ModelSpec spec = tiny_spec();
  const auto refused = [&](const std::string& text, const std::string& word) {
    try {
      intervention_from(spec, text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::usage) << text;
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("blocks.1.attn.zz=0", "blocks.1.attn.z");
  refused("blocks.1.attn.z[haed=1]=0", "head");
  refused("blocks.1.attn.z[head=3]=0", "there are 3");
  refused("blocks.1.attn.z[head=1]", "SITE[INDEX]=WHAT");
  refused("blocks.1.attn.z=seven", "not a number");
}

}  // namespace
}  // namespace varve
