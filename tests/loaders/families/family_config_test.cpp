// What families make of keys that are absent, null or ask for something that is not supported.
#include <gtest/gtest.h>

#include "loaders/family.h"
#include "tests/loaders/families/naive_gpt.h"
#include "tests/loaders/families/naive_llama.h"
#include "tests/support/expect_error.h"

namespace varve {
namespace {

using nlohmann::json;

json with(json config, const json& changes) {
  for (const auto& [key, value] : changes.items()) config[key] = value;
  return config;
}

// The smallest config that each family's essential keys allow, heads of 8 wide.
json smallest(const std::string& type) {
  if (type == "gptj" || type == "gpt2")
    return {{"model_type", type}, {"n_embd", 16}, {"n_layer", 2}, {"n_head", 2}, {"vocab_size", 11}};
  if (type == "gpt_neo")
    return {
        {"model_type", type}, {"hidden_size", 16}, {"num_layers", 2}, {"num_heads", 2}, {"vocab_size", 11}};
  return {{"model_type", type},       {"hidden_size", 16},       {"num_hidden_layers", 2},
          {"num_attention_heads", 2}, {"intermediate_size", 12}, {"vocab_size", 11}};
}

// Tensors as the reference draws them for `config`, read under `changes`.
FamilyReading reading_of(const json& config, const json& changes = json::object()) {
  naive::Model model(config);
  model.run({1, 2, 3});
  TensorShapes shapes;
  for (const auto& [name, tensor] : model.small().tensors) shapes[name] = tensor.shape;
  return read_family(with(config, changes), shapes);
}

void expect_refused(const json& config, const json& changes, const std::vector<std::string>& words) {
  expect_error([&] { reading_of(config, changes); }, words);
}

TEST(GptNeoFamily, AbsentKeysTakeTheArchitecturesDefaults) {
  const ModelSpec spec = reading_of(smallest("gpt_neo")).spec;
  EXPECT_EQ(spec.window, (std::vector<int64_t>{0, 256}));
  EXPECT_EQ(spec.attention_scale, 1);
  EXPECT_EQ(spec.context, 2048);
  EXPECT_EQ(spec.d_mlp, 64);
  EXPECT_TRUE(spec.tied);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
}

TEST(GptNeoFamily, AttentionTypesMustFitTheLayers) {
  const json types = {{{"global", "local"}, 2}};
  expect_refused(smallest("gpt_neo"), {{"attention_types", types}}, {"4 layers", "num_layers is 2"});
  expect_refused(smallest("gpt_neo"), {{"attention_layers", {"global", "sparse"}}},
                 {"sparse", "global and local"});
  expect_refused(smallest("gpt_neo"), {{"attention_types", "local"}}, {"attention_types", "local"});
}

TEST(GptNeoFamily, ASavedListOfLayersIsReadAsItIs) {
  const json layers = {{"attention_layers", {"local", "global"}}};
  EXPECT_EQ(reading_of(smallest("gpt_neo"), layers).spec.window, (std::vector<int64_t>{256, 0}));
}

TEST(GptJFamily, ARotaryPartWiderThanAHeadIsRefused) {
  const json config = with(smallest("gptj"), {{"rotary_dim", 4}});
  EXPECT_TRUE(reading_of(config).spec.rope.interleaved);
  EXPECT_TRUE(reading_of(config).spec.shared_parallel_norm);
  expect_refused(config, {{"rotary_dim", 12}}, {"rotary_dim 12", "head of 8"});
}

TEST(PhiFamily, AbsentKeysTakeTheArchitecturesDefaults) {
  const ModelSpec spec = reading_of(smallest("phi")).spec;
  EXPECT_EQ(spec.rope.dims, 4);
  EXPECT_EQ(spec.kv_heads, 2);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
  EXPECT_FALSE(spec.tied);
}

TEST(StableLmFamily, ANormForEachHeadIsRefusedByName) {
  const json config = with(smallest("stablelm"), {{"num_key_value_heads", 2}});
  EXPECT_EQ(reading_of(config).spec.rope.dims, 2);
  expect_refused(config, {{"qk_layernorm", true}}, {"qk_layernorm"});
  expect_refused(smallest("stablelm"), json::object(), {"k_proj", "[16, 16]", "[256, 16]"});  // 32 heads
}

TEST(Qwen3Family, HeadsAre128WideUnlessTheConfigSaysOtherwise) {
  const json config = with(smallest("qwen3"), {{"head_dim", 8}, {"num_key_value_heads", 1}});
  EXPECT_TRUE(reading_of(config).spec.qk_norm_per_head);
  expect_refused(config, {{"head_dim", 128}}, {"[16, 16]", "[256, 16]"});
  json absent = config;
  absent.erase("head_dim");
  naive::Model model(config);
  model.run({1});
  TensorShapes shapes;
  for (const auto& [name, tensor] : model.small().tensors) shapes[name] = tensor.shape;
  expect_error([&] { read_family(absent, shapes); }, {"q_proj", "[256, 16]"});
}

TEST(Qwen3MoeFamily, LayersWithoutExpertsAreCountedFromTheStep) {
  json config = with(smallest("qwen3_moe"), {{"num_key_value_heads", 2},
                                             {"num_experts", 3},
                                             {"num_experts_per_tok", 2},
                                             {"moe_intermediate_size", 4}});
  EXPECT_EQ(reading_of(config).spec.sparse_layers, (std::vector<int64_t>{0, 1}));
  config["decoder_sparse_step"] = 2;
  EXPECT_EQ(reading_of(config).spec.sparse_layers, std::vector<int64_t>{1});
  EXPECT_FALSE(reading_of(config).spec.renormalise);
  expect_refused(config, {{"mlp_only_layers", {5}}}, {"mlp_only_layers", "layer 5"});
}

TEST(Qwen2MoeFamily, AWindowNeedsLayerTypes) {
  const json config = with(smallest("qwen2_moe"), {{"num_key_value_heads", 2},
                                                   {"num_experts", 3},
                                                   {"num_experts_per_tok", 2},
                                                   {"moe_intermediate_size", 4},
                                                   {"shared_expert_intermediate_size", 6}});
  expect_refused(config, {{"use_sliding_window", true}}, {"use_sliding_window", "layer_types"});
  const json types = {{"use_sliding_window", true},
                      {"sliding_window", 3},
                      {"layer_types", {"full_attention", "sliding_attention"}}};
  EXPECT_EQ(reading_of(config, types).spec.window, (std::vector<int64_t>{0, 3}));
}

TEST(GemmaFamily, AbsentKeysTakeTheArchitecturesDefaults) {
  const json config = with(smallest("gemma"), {{"head_dim", 8}, {"num_key_value_heads", 1}});
  const ModelSpec spec = reading_of(config).spec;
  EXPECT_EQ(spec.norm_offset, 1);
  EXPECT_EQ(spec.embed_scale, 4);
  EXPECT_TRUE(spec.tied);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
  // Files of the first release name the exact form for weights trained with the other.
  EXPECT_EQ(reading_of(config, {{"hidden_act", "gelu"}}).spec.activation, Activation::gelu_tanh);
  expect_refused(config, {{"use_bidirectional_attention", true}}, {"use_bidirectional_attention"});
}

TEST(Gemma2Family, AbsentKeysTakeTheArchitecturesDefaults) {
  const json config = with(smallest("gemma2"), {{"head_dim", 8}, {"num_key_value_heads", 1}});
  const ModelSpec spec = reading_of(config).spec;
  EXPECT_EQ(spec.attention_softcap, 50);
  EXPECT_EQ(spec.logit_softcap, 30);
  EXPECT_EQ(spec.attention_scale, 1.0 / 16);
  EXPECT_EQ(spec.window, (std::vector<int64_t>{4096, 0}));
  EXPECT_EQ(reading_of(config, {{"attn_logit_softcapping", nullptr}}).spec.attention_softcap, 0);
  expect_refused(config, {{"final_logit_softcapping", -1}}, {"final_logit_softcapping"});
}

TEST(SlidingWindow, LayerTypesThatCannotBeAreNamed) {
  const json config = with(smallest("mistral"), {{"num_key_value_heads", 2}});
  expect_refused(config, {{"layer_types", {"full_attention"}}}, {"layer_types", "2 layers"});
  expect_refused(config, {{"layer_types", {"full_attention", "chunked_attention"}}}, {"chunked_attention"});
  expect_refused(config,
                 {{"sliding_window", nullptr}, {"layer_types", {"full_attention", "sliding_attention"}}},
                 {"sliding_attention", "layer 1", "sliding_window"});
  EXPECT_TRUE(reading_of(config, {{"sliding_window", 0}}).spec.window.empty());
}

TEST(RopeConfig, EverySettingThatIsNotSupportedIsNamed) {
  const json config = with(smallest("llama"), {{"max_position_embeddings", 64}});
  const auto refused = [&config](const char* place, const json& scaling,
                                 const std::vector<std::string>& words) {
    expect_refused(config, {{place, scaling}}, words);
  };
  refused("rope_scaling", {{"type", "mrope"}, {"mrope_section", {2, 1, 1}}}, {"mrope_section"});
  refused("rope_scaling", {{"rope_type", "longrope"}}, {"longrope", "yarn"});
  refused("rope_scaling", {{"factor", 2.0}}, {"rope_scaling", "type ''"});
  refused("rope_scaling", {{"rope_type", "yarn"}}, {"factor"});
  refused("rope_scaling", {{"rope_type", "yarn"}, {"factor", -1.0}}, {"factor is -1"});
  refused("rope_parameters", {{"sliding_attention", {{"rope_theta", 10.0}}}},
          {"sliding_attention", "between layers"});
  expect_refused(config, {{"partial_rotary_factor", 0.5}}, {"partial_rotary_factor", "whole heads"});
  expect_refused(config, {{"rope_scaling", 2}}, {"rope_scaling", "object"});
}

TEST(RopeConfig, YarnTakesItsFactorFromTheContextsWhereItIsNotGiven) {
  const json config = with(smallest("llama"), {{"max_position_embeddings", 64}});
  const json scaling = {{"rope_type", "yarn"}, {"factor", nullptr}, {"original_max_position_embeddings", 16}};
  const Rope rope = reading_of(config, {{"rope_scaling", scaling}}).spec.rope;
  EXPECT_EQ(rope.factor, 4);
  EXPECT_EQ(rope.original_context, 16);
  EXPECT_NEAR(rope.attention_factor, 0.1 * std::log(4.0) + 1, 1e-12);
}

TEST(RopeConfig, DynamicScalingLetsPromptsBeLongerThanTheContext) {
  const json config = with(smallest("llama"), {{"max_position_embeddings", 64}});
  const json scaling = {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}};
  EXPECT_EQ(reading_of(config, scaling).spec.context, 128);
  EXPECT_EQ(reading_of(config, scaling).spec.rope.original_context, 64);
}

TEST(Family, LayersBeyondReasonAreRefusedBeforeAnythingIsMadeForEach) {
  for (const char* type : {"llama", "mistral", "mixtral", "gemma2", "phi"})
    expect_refused(with(smallest(type), {{"num_key_value_heads", 2},
                                         {"head_dim", 8},
                                         {"num_local_experts", 2},
                                         {"num_experts_per_tok", 1}}),
                   {{"num_hidden_layers", 2147483647}}, {"num_hidden_layers"});
}

}  // namespace
}  // namespace varve
