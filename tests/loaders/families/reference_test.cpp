// Every family against a second implementation that reads config and tensors itself: all residual streams and
// all logits.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "loaders/family.h"
#include "tests/loaders/families/naive_gpt.h"
#include "tests/loaders/families/naive_llama.h"
#include "tests/support/site_values.h"

namespace varve {
namespace {

using nlohmann::json;

// Both sides compute in double from the same floats: what differs is the order of sums and the exponential.
constexpr double f64_tolerance = 1e-9;
// Rotary angles are rounded to float where PyTorch rounds them, and two layers carry that on.
constexpr double f32_tolerance = 1e-4;

std::vector<int64_t> prompt_of(int64_t length, int64_t vocab) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < length; ++i) tokens.push_back((7 * i * i + 3 * i + 1) % vocab);
  return tokens;
}

double worst(const std::vector<double>& got, const naive::Rows& want) {
  double error = 0, largest = 1;
  size_t at = 0;
  for (const naive::Vec& row : want)
    for (double value : row) {
      largest = std::max(largest, std::abs(value));
      const double difference = std::abs(got.at(at++) - value);
      error = std::max(error, std::isnan(difference) ? 1e300 : difference);
    }
  EXPECT_EQ(at, got.size());
  return error / largest;
}

// As the family reads them, straight from memory.
Weights weights_of(const SmallModel& small) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : small.tensors) shapes[name] = tensor.shape;
  const FamilyReading reading = read_family(json::parse(small.config), shapes);
  const auto kept = std::make_shared<const F32Tensors>(small.tensors);
  return Weights(reading.spec, reading.recipe, [kept](const std::string& name) {
    const F32Tensor& tensor = kept->at(name);
    return RawTensor{RawType::f32, tensor.shape, std::as_bytes(std::span(tensor.values))};
  });
}

void expect_as_reference(const json& config, int64_t length = 20) {
  SCOPED_TRACE(config.dump());
  naive::Model model(config);
  const std::vector<int64_t> prompt = prompt_of(length, config.at("vocab_size"));
  const naive::Output want = model.run(prompt);
  const Weights weights = weights_of(model.small());
  for (const Compute compute : {Compute::f64, Compute::f32}) {
    const SiteValues seen = seen_sites(weights, {prompt}, {"blocks.*.resid_post", "logits"}, compute);
    const double tolerance = compute == Compute::f64 ? f64_tolerance : f32_tolerance;
    for (size_t layer = 0; layer < want.resid_post.size(); ++layer)
      EXPECT_LE(worst(seen(fmt::format("blocks.{}.resid_post", layer)), want.resid_post[layer]), tolerance)
          << "layer " << layer << " in " << name_of(compute);
    EXPECT_LE(worst(seen("logits"), want.logits), tolerance) << "logits in " << name_of(compute);
  }
}

json with(json config, const json& changes) {
  for (const auto& [key, value] : changes.items()) config[key] = value;
  return config;
}
// Several configurations of one family, each a change to the first.
void expect_all(const json& base, const std::vector<json>& changes, int64_t length = 20) {
  expect_as_reference(base, length);
  for (const json& change : changes) expect_as_reference(with(base, change), length);
}

json llama_like(const std::string& type) {
  return {{"model_type", type},       {"hidden_size", 24},        {"num_hidden_layers", 2},
          {"num_attention_heads", 4}, {"num_key_value_heads", 2}, {"head_dim", 8},
          {"intermediate_size", 20},  {"vocab_size", 23},         {"max_position_embeddings", 96},
          {"rms_norm_eps", 1e-5}};
}
json gpt_like(const std::string& type) {
  return {{"model_type", type}, {"n_embd", 24},      {"n_layer", 2},
          {"n_head", 3},        {"n_positions", 96}, {"vocab_size", 23}};
}

TEST(Reference, Gpt2) {
  expect_all(gpt_like("gpt2"), {{{"n_inner", 30}},
                                {{"activation_function", "relu"}},
                                {{"scale_attn_by_inverse_layer_idx", true}},
                                {{"scale_attn_weights", false}},
                                {{"tie_word_embeddings", false}, {"layer_norm_epsilon", 1e-3}}});
}

TEST(Reference, GptNeo) {
  const json base = {
      {"model_type", "gpt_neo"}, {"hidden_size", 24},
      {"num_layers", 3},         {"num_heads", 3},
      {"vocab_size", 23},        {"max_position_embeddings", 96},
      {"window_size", 5},        {"attention_types", {{{"global", "local"}, 1}, {{"local"}, 1}}}};
  json short_config = base;
  short_config.erase("attention_types");
  short_config["intermediate_size"] = 40;
  expect_all(base, {{{"window_size", 66}}, {{"tie_word_embeddings", false}}}, 80);
  expect_as_reference(short_config);
}

TEST(Reference, GptJ) {
  expect_all(with(gpt_like("gptj"), {{"rotary_dim", 4}}),
             {{{"rotary_dim", 8}, {"n_inner", 30}}, {{"tie_word_embeddings", true}}});
}

TEST(Reference, GptNeox) {
  const json base = {{"model_type", "gpt_neox"}, {"hidden_size", 24},
                     {"num_hidden_layers", 2},   {"num_attention_heads", 3},
                     {"intermediate_size", 40},  {"vocab_size", 23},
                     {"rotary_pct", 0.5},        {"max_position_embeddings", 96}};
  expect_all(base, {{{"use_parallel_residual", false}},
                    {{"attention_bias", false}, {"rotary_emb_base", 500}},
                    {{"hidden_act", "gelu_fast"}, {"tie_word_embeddings", true}},
                    {{"rotary_pct", 1.0}, {"rope_scaling", {{"type", "linear"}, {"factor", 3.0}}}}});
}

TEST(Reference, Phi) {
  const json base = {{"model_type", "phi"},          {"hidden_size", 24},
                     {"num_hidden_layers", 2},       {"num_attention_heads", 3},
                     {"intermediate_size", 40},      {"vocab_size", 23},
                     {"partial_rotary_factor", 0.5}, {"max_position_embeddings", 96}};
  expect_all(base, {{{"num_key_value_heads", 1}},
                    {{"qk_layernorm", true}},
                    {{"tie_word_embeddings", true}, {"partial_rotary_factor", 1.0}},
                    {{"rope_parameters", {{"rope_theta", 300.0}, {"partial_rotary_factor", 0.25}}}}});
}

TEST(Reference, StableLm) {
  json base = llama_like("stablelm");
  base.erase("head_dim");
  base["layer_norm_eps"] = 1e-4;
  base["hidden_size"] = 32;
  base["partial_rotary_factor"] = 0.5;
  expect_all(base, {{{"use_qkv_bias", true}},
                    {{"use_parallel_residual", true}},
                    {{"partial_rotary_factor", 0.25}, {"tie_word_embeddings", true}},
                    {{"num_key_value_heads", nullptr}, {"partial_rotary_factor", nullptr}}});
}

TEST(Reference, Llama) {
  const json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 24}};
  const json llama3 = {{"rope_type", "llama3"},  {"factor", 8.0},
                       {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0},
                       {"rope_theta", 500.0},    {"original_max_position_embeddings", 48}};
  expect_all(
      llama_like("llama"),
      {{{"attention_bias", true}},
       {{"mlp_bias", true}, {"hidden_act", "gelu"}},
       {{"tie_word_embeddings", true}},
       {{"num_key_value_heads", nullptr}, {"rope_theta", 500000.0}},
       {{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}},
       {{"rope_scaling", llama3}},
       {{"rope_parameters", llama3}},
       {{"rope_scaling", yarn}},
       {{"rope_parameters", with(yarn, {{"rope_theta", 300.0}, {"truncate", false}})}},
       {{"rope_scaling", with(yarn, {{"attention_factor", 0.7}, {"beta_fast", 16.0}, {"beta_slow", 2.0}})}},
       {{"rope_scaling", with(yarn, {{"mscale", 1.5}, {"mscale_all_dim", 0.5}})}}});
}

TEST(Reference, DynamicScalingStretchesOnlyPromptsBeyondTheContext) {
  const json base =
      with(llama_like("llama"),
           {{"max_position_embeddings", 16}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2.0}}}});
  expect_as_reference(base, 10);
  expect_as_reference(base, 30);
}

TEST(Reference, Mistral) {
  expect_all(llama_like("mistral"),
             {{{"sliding_window", 5}}, {{"sliding_window", 66}}, {{"sliding_window", nullptr}}}, 80);
}

TEST(Reference, Qwen2) {
  expect_all(llama_like("qwen2"),
             {{{"use_sliding_window", true}, {"sliding_window", 5}, {"max_window_layers", 1}},
              {{"use_sliding_window", true}, {"sliding_window", 5}, {"max_window_layers", 0}},
              {{"use_sliding_window", false}, {"sliding_window", 5}, {"max_window_layers", 0}},
              {{"use_sliding_window", true},
               {"sliding_window", 4},
               {"layer_types", {"sliding_attention", "full_attention"}}},
              {{"tie_word_embeddings", true}}});
}

TEST(Reference, Qwen3) {
  expect_all(llama_like("qwen3"),
             {{{"attention_bias", true}},
              {{"use_sliding_window", true}, {"sliding_window", 5}, {"max_window_layers", 1}},
              {{"head_dim", 12}, {"num_key_value_heads", 1}, {"rope_theta", 1000000.0}}});
}

TEST(Reference, Olmo) {
  expect_all(llama_like("olmo"),
             {{{"clip_qkv", 0.5}}, {{"attention_bias", true}, {"tie_word_embeddings", true}}});
}

TEST(Reference, Olmo2) {
  expect_all(llama_like("olmo2"), {{{"attention_bias", true}}, {{"num_key_value_heads", 4}}});
}

TEST(Reference, Gemma) {
  expect_all(llama_like("gemma"), {{{"tie_word_embeddings", false}},
                                   {{"attention_bias", true}, {"num_key_value_heads", 1}},
                                   {{"hidden_activation", "gelu"}},
                                   {{"hidden_act", "gelu_pytorch_tanh"}, {"hidden_activation", nullptr}}});
}

TEST(Reference, Gemma2) {
  const json base = with(llama_like("gemma2"), {{"sliding_window", 5}, {"query_pre_attn_scalar", 2}});
  expect_all(base,
             {{{"attn_logit_softcapping", 1.5}, {"final_logit_softcapping", 2.5}},
              {{"attn_logit_softcapping", nullptr}, {"final_logit_softcapping", nullptr}},
              {{"layer_types", {"full_attention", "sliding_attention"}}},
              {{"query_pre_attn_scalar", 24}, {"attention_bias", true}, {"tie_word_embeddings", false}}});
}

json with_experts(const std::string& type) {
  json config = llama_like(type);
  config["num_experts"] = config["num_local_experts"] = 5;
  config["num_experts_per_tok"] = 2;
  config["moe_intermediate_size"] = 12;
  config["shared_expert_intermediate_size"] = 16;
  config["rope_theta"] = 10000.0;
  return config;
}

TEST(Reference, Mixtral) {
  expect_all(with_experts("mixtral"), {{{"sliding_window", 5}}, {{"num_experts_per_tok", 1}}});
}

TEST(Reference, Olmoe) {
  expect_all(with_experts("olmoe"), {{{"norm_topk_prob", true}}, {{"clip_qkv", 0.5}}});
}

TEST(Reference, Qwen2Moe) {
  expect_all(with_experts("qwen2_moe"), {{{"norm_topk_prob", true}, {"qkv_bias", false}},
                                         {{"decoder_sparse_step", 2}},
                                         {{"mlp_only_layers", {0}}}});
}

TEST(Reference, Qwen3Moe) {
  expect_all(with_experts("qwen3_moe"), {{{"norm_topk_prob", true}, {"attention_bias", true}},
                                         {{"decoder_sparse_step", 2}},
                                         {{"mlp_only_layers", {1}}},
                                         {{"use_sliding_window", true}, {"sliding_window", 5}}});
}

}  // namespace
}  // namespace varve
