// Four dense families: defaults, recipes down to single numbers, and what is refused.
#include <gtest/gtest.h>

#include "loaders/family.h"
#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

using nlohmann::json;

TensorShapes shapes_of(const SmallModel& model) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : model.tensors) shapes[name] = tensor.shape;
  return shapes;
}

FamilyReading reading_of(const SmallModel& model, const json& changes = json::object()) {
  json config = json::parse(model.config);
  for (const auto& [key, value] : changes.items()) config[key] = value;
  return read_family(config, shapes_of(model));
}

void expect_refused(const SmallModel& model, const json& changes, const std::vector<std::string>& words) {
  expect_error([&] { reading_of(model, changes); }, words);
}

// Element (row, column) of a canonical matrix of a model written and opened.
class Opened {
 public:
  explicit Opened(const SmallModel& model) {
    write_model(folder_.path(), model);
    const SeriesSource series = find_series(folder_.path());
    opened_ = open_model(series, series.checkpoints.at(0));
  }
  float at(const std::string& canonical, int64_t row, int64_t column) const {
    const Matrix matrix = opened_.weights->matrix(canonical);
    std::vector<float> values(static_cast<size_t>(matrix.columns));
    widen_rows(matrix, row, 1, values.data());
    return values.at(static_cast<size_t>(column));
  }
  std::vector<float> row(const std::string& canonical) const {
    return opened_.weights->vector_f32(canonical);
  }

 private:
  TempFolder folder_;
  OpenedModel opened_;
};

TEST(Gpt2Family, AbsentKeysTakeTheArchitecturesDefaults) {
  const ModelSpec spec = reading_of(small_gpt2()).spec;
  EXPECT_EQ(spec.family, "gpt2");
  EXPECT_EQ(spec.d_mlp, 32);
  EXPECT_TRUE(spec.tied);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
  EXPECT_EQ(spec.norm_eps, 1e-5);
  EXPECT_EQ(spec.positions, Positions::learned);
  EXPECT_EQ(spec.attention_scale, 0);
  EXPECT_EQ(spec.d_head, 4);
}

TEST(Gpt2Family, ConvolutionWeightsAreTurnedAndCutIntoQueryKeyAndValue) {
  const SmallModel model = small_gpt2();
  const Opened opened(model);
  // c_attn [8, 24]: output 8 + 3 of input 5 is row 3 of W_K.
  const F32Tensor& fused = model.tensors.at("h.0.attn.c_attn.weight");
  EXPECT_EQ(opened.at("blocks.0.attn.W_K", 3, 5), fused.values[5 * 24 + 8 + 3]);
  EXPECT_EQ(opened.at("blocks.0.attn.W_V", 7, 0), fused.values[16 + 7]);
  EXPECT_EQ(opened.row("blocks.0.attn.b_Q")[2], model.tensors.at("h.0.attn.c_attn.bias").values[2]);
  EXPECT_EQ(opened.row("blocks.0.attn.b_V")[2], model.tensors.at("h.0.attn.c_attn.bias").values[18]);
  EXPECT_EQ(opened.at("blocks.0.mlp.W_in", 30, 5),
            model.tensors.at("h.0.mlp.c_fc.weight").values[5 * 32 + 30]);
  EXPECT_EQ(opened.at("unembed.W_U", 10, 7), model.tensors.at("wte.weight").values[87]);
}

TEST(Gpt2Family, NamesWithAndWithoutThePrefixGiveOneRecipe) {
  const SmallModel plain = small_gpt2();
  SmallModel prefixed = plain;
  prefixed.tensors.clear();
  for (const auto& [name, tensor] : plain.tensors) prefixed.tensors["transformer." + name] = tensor;
  const FamilyReading a = reading_of(plain), b = reading_of(prefixed);
  ASSERT_EQ(a.recipe.size(), b.recipe.size());
  for (const auto& [canonical, take] : a.recipe)
    EXPECT_EQ("transformer." + take.source, b.recipe.at(canonical).source);
}

TEST(Gpt2Family, MasksSavedAsWeightsAreIgnoredByName) {
  SmallModel model = small_gpt2();
  model.tensors["h.0.attn.bias"] = counted({1, 1, 6, 6}, 1);
  model.tensors["h.0.attn.masked_bias"] = counted({}, 1);
  EXPECT_EQ(reading_of(model).ignored, (std::vector<std::string>{"h.0.attn.bias", "h.0.attn.masked_bias"}));
}

TEST(Gpt2Family, ATiedHeadStoredAgainIsIgnored) {
  SmallModel model = small_gpt2();
  model.tensors["lm_head.weight"] = model.tensors["wte.weight"];
  const FamilyReading reading = reading_of(model);
  EXPECT_EQ(reading.recipe.at("unembed.W_U").source, "wte.weight");
}

TEST(Gpt2Family, SettingsThatChangeAttentionAreRead) {
  EXPECT_EQ(reading_of(small_gpt2(), {{"scale_attn_weights", false}}).spec.attention_scale, 1);
  EXPECT_TRUE(reading_of(small_gpt2(), {{"scale_attn_by_inverse_layer_idx", true}}).spec.scale_by_layer);
  expect_refused(small_gpt2(), {{"add_cross_attention", true}}, {"add_cross_attention"});
}

TEST(GptNeoxFamily, FusedQueryKeyValueIsCutHeadByHead) {
  const SmallModel model = small_neox();
  const Opened opened(model);
  // Rows [head, q|k|v, 4]: W_K row 4 + 1 (head 1, number 1) is row 12 + 4 + 1 of the file.
  const F32Tensor& fused = model.tensors.at("gpt_neox.layers.1.attention.query_key_value.weight");
  EXPECT_EQ(opened.at("blocks.1.attn.W_K", 5, 6), fused.values[17 * 8 + 6]);
  EXPECT_EQ(opened.at("blocks.1.attn.W_Q", 0, 0), fused.values[0]);
  EXPECT_EQ(opened.at("blocks.1.attn.W_V", 3, 7), fused.values[11 * 8 + 7]);
  EXPECT_EQ(opened.row("blocks.1.attn.b_K")[5],
            model.tensors.at("gpt_neox.layers.1.attention.query_key_value.bias").values[17]);
}

TEST(GptNeoxFamily, AbsentKeysTakeTheArchitecturesDefaults) {
  const ModelSpec spec = reading_of(small_neox(), {{"rotary_pct", nullptr}, {"num_attention_heads", 1}}).spec;
  EXPECT_TRUE(spec.parallel);
  EXPECT_FALSE(spec.tied);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_EQ(spec.rope.dims, 2);
  EXPECT_EQ(spec.activation, Activation::gelu);
  EXPECT_EQ(spec.norm_eps, 1e-5);
}

TEST(GptNeoxFamily, RotaryHasThreeSpellings) {
  const SmallModel model = small_neox();
  EXPECT_EQ(reading_of(model, {{"rotary_emb_base", 100}}).spec.rope.theta, 100);
  EXPECT_EQ(reading_of(model, {{"rope_theta", 200}}).spec.rope.theta, 200);
  const json newer = {
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 300}, {"partial_rotary_factor", 1}}}};
  const ModelSpec spec = reading_of(model, newer).spec;
  EXPECT_EQ(spec.rope.theta, 300);
  EXPECT_EQ(spec.rope.dims, 4);
}

TEST(GptNeoxFamily, BuffersSavedAsWeightsAreIgnoredByName) {
  SmallModel model = small_neox();
  model.tensors["gpt_neox.layers.0.attention.bias"] = counted({1, 1, 4, 4}, 1);
  model.tensors["gpt_neox.layers.0.attention.masked_bias"] = counted({}, 1);
  model.tensors["gpt_neox.layers.1.attention.rotary_emb.inv_freq"] = counted({2}, 1);
  EXPECT_EQ(reading_of(model).ignored.size(), 3u);
}

TEST(LlamaFamily, AbsentKeysTakeTheArchitecturesDefaults) {
  const SmallModel model = small_llama();
  const ModelSpec spec = reading_of(model).spec;
  EXPECT_EQ(spec.norm, Norm::rms);
  EXPECT_EQ(spec.norm_eps, 1e-6);
  EXPECT_EQ(spec.activation, Activation::silu);
  EXPECT_TRUE(spec.gated_mlp);
  EXPECT_FALSE(spec.tied);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_EQ(spec.rope.dims, 4);
  EXPECT_EQ(spec.kv_heads, 2);
}

TEST(LlamaFamily, BothSpellingsOfRopeScalingAreRead) {
  const SmallModel model = small_llama();
  const Rope linear = reading_of(model, {{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}).spec.rope;
  EXPECT_EQ(linear.scaling, RopeScaling::linear);
  EXPECT_EQ(linear.factor, 2);
  const Rope dynamic =
      reading_of(model, {{"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 4}}}}).spec.rope;
  EXPECT_EQ(dynamic.scaling, RopeScaling::dynamic);
  EXPECT_EQ(dynamic.original_context, 64);
  const json llama3 = {{"rope_type", "llama3"}, {"factor", 8},
                       {"low_freq_factor", 1},  {"high_freq_factor", 4},
                       {"rope_theta", 500000},  {"original_max_position_embeddings", 32}};
  const Rope three = reading_of(model, {{"rope_parameters", llama3}}).spec.rope;
  EXPECT_EQ(three.scaling, RopeScaling::llama3);
  EXPECT_EQ(three.original_context, 32);
  EXPECT_EQ(three.theta, 500000);
}

TEST(LlamaFamily, RopeScalingThatIsNotSupportedIsNamed) {
  const SmallModel model = small_llama();
  expect_refused(model, {{"rope_scaling", {{"type", "longrope"}, {"factor", 2}}}}, {"longrope"});
  expect_refused(model, {{"rope_scaling", {{"type", "linear"}}}}, {"factor"});
  expect_refused(model, {{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8}}}}, {"low_freq_factor"});
}

TEST(LlamaFamily, BiasesComeWithTheConfigAndAreMissedWithoutTheirTensors) {
  expect_refused(small_llama(), {{"attention_bias", true}}, {"4 tensors", "self_attn.k_proj.bias"});
  expect_refused(small_llama(1, "llama", true), json::object(), {"does not know", "self_attn.k_proj.bias"});
}

TEST(MistralFamily, TheWindowIsInEveryLayerAndNullMeansNone) {
  const SmallModel model = small_llama(1, "mistral");
  EXPECT_EQ(reading_of(model, {{"sliding_window", 32}}).spec.window, std::vector<int64_t>{32});
  EXPECT_EQ(reading_of(model).spec.window, std::vector<int64_t>{4096});
  EXPECT_TRUE(reading_of(model, {{"sliding_window", nullptr}}).spec.window.empty());
}

TEST(Qwen2Family, QueryKeyAndValueHaveBiases) {
  const FamilyReading reading = reading_of(small_llama(1, "qwen2", true));
  EXPECT_TRUE(reading.recipe.contains("blocks.0.attn.b_K"));
  EXPECT_FALSE(reading.recipe.contains("blocks.0.attn.b_O"));
  EXPECT_FALSE(reading.spec.tied);
  expect_refused(small_llama(1, "qwen2"), json::object(), {"3 tensors", "missing"});
}

TEST(Qwen2Family, AWindowCountsOnlyWhereItIsUsed) {
  const SmallModel model = small_llama(1, "qwen2", true);
  const auto windows = [&model](const json& changes) { return reading_of(model, changes).spec.window; };
  const std::vector<int64_t> none, used = {32};
  EXPECT_EQ(windows({{"sliding_window", 32}, {"use_sliding_window", false}}), none);
  EXPECT_EQ(windows({{"sliding_window", 32}, {"use_sliding_window", true}}), none);  // layers before 28
  EXPECT_EQ(windows({{"sliding_window", 32}, {"use_sliding_window", true}, {"max_window_layers", 0}}), used);
}

TEST(Family, AnEssentialKeyThatIsMissingIsNamed) {
  const std::pair<SmallModel, std::vector<std::string>> cases[] = {
      {small_gpt2(), {"n_embd", "n_layer", "n_head", "vocab_size"}},
      {small_neox(),
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}},
      {small_llama(),
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}}};
  for (const auto& [model, keys] : cases)
    for (const std::string& key : keys)
      expect_refused(model, {{key, nullptr}}, {"config.json", "'" + key + "'"});
}

TEST(Family, AConfigWithoutAnArchitectureIsRefused) {
  expect_refused(small_llama(), {{"model_type", nullptr}}, {"model_type", "architectures"});
}

TEST(Family, AnUnsupportedArchitectureIsNamedBesideTheSupportedOnes) {
  expect_refused(small_llama(), {{"model_type", "mamba"}, {"architectures", {"MambaForCausalLM"}}},
                 {"MambaForCausalLM", "GPTNeoXForCausalLM", "LlamaForCausalLM"});
}

TEST(Family, TheArchitectureAloneIsEnough) {
  const json changes = {{"model_type", nullptr}, {"architectures", {"GPTNeoXForCausalLM"}}};
  EXPECT_EQ(reading_of(small_neox(), changes).spec.family, "gpt_neox");
}

TEST(Family, LeftoverTensorsAreNamedUpToFive) {
  SmallModel model = small_neox();
  for (int i = 0; i < 7; ++i) model.tensors["extra." + std::to_string(i)] = counted({1}, 1);
  expect_refused(model, json::object(), {"7 tensors", "extra.0", "extra.4", "2 more"});
}

TEST(Family, MissingTensorsAreNamedUpToFive) {
  SmallModel model = small_neox();
  model.tensors.erase("gpt_neox.layers.1.mlp.dense_h_to_4h.bias");
  expect_refused(model, json::object(), {"gpt_neox.layers.1.mlp.dense_h_to_4h.bias"});
  expect_refused(small_neox(), {{"num_hidden_layers", 4}}, {"24 tensors", "gpt_neox.layers.2", "19 more"});
}

TEST(Family, AShapeThatDoesNotFitNamesTensorFoundAndExpected) {
  expect_refused(small_neox(), {{"vocab_size", 12}}, {"gpt_neox.embed_in.weight", "[11, 8]", "[12, 8]"});
}

TEST(Family, AbsurdSizesAreRefusedAtOnce) {
  expect_refused(small_neox(), {{"num_hidden_layers", 2147483647}}, {"missing"});
  expect_refused(small_neox(), {{"hidden_size", 9223372036854775807}}, {"hidden_size"});
  expect_refused(small_neox(), {{"num_attention_heads", 0}}, {"num_attention_heads"});
  expect_refused(small_neox(), {{"hidden_size", "8"}}, {"hidden_size"});
}

TEST(Family, QuantizedWeightsAreRefused) {
  expect_refused(small_llama(), {{"quantization_config", {{"bits", 4}}}}, {"quantiz"});
}

}  // namespace
}  // namespace varve
