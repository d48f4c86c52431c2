// GPT-Neo: learned positions, unscaled scores, and layers that by turns see everything or a window of 256.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

[[noreturn]] void wrong_types(const nlohmann::json& found) {
  fail("config.json: 'attention_types' is {}, expected [[[\"global\", \"local\"], 12]] or the like",
       found.dump().substr(0, 80));
}

// "global" or "local" for each layer: attention_layers as it is, else attention_types unrolled.
std::vector<std::string> attention_kinds(const ConfigKeys& config, int64_t layers) {
  std::vector<std::string> kinds;
  if (const nlohmann::json* types = config.find("attention_types")) {
    if (!types->is_array()) wrong_types(*types);
    for (const nlohmann::json& part : *types) {
      const bool sound = part.is_array() && part.size() == 2 && part[0].is_array() &&
                         part[1].is_number_integer() && part[1] >= 0;
      if (!sound) wrong_types(*types);
      const int64_t repeats = std::min(part[1].get<int64_t>(), layers + 1);
      for (int64_t repeat = 0; repeat < repeats; ++repeat)
        for (const nlohmann::json& kind : part[0]) {
          if (!kind.is_string()) wrong_types(*types);
          kinds.push_back(kind.get<std::string>());
        }
    }
  } else if (const nlohmann::json* list = config.find("attention_layers")) {
    for (const nlohmann::json& kind : *list) kinds.push_back(kind.is_string() ? kind.get<std::string>() : "");
  } else {
    for (int64_t layer = 0; layer < layers; ++layer) kinds.push_back(layer % 2 == 0 ? "global" : "local");
  }
  if (static_cast<int64_t>(kinds.size()) != layers)
    fail("config.json: attention types are given for {} layers, but num_layers is {}", kinds.size(), layers);
  for (const std::string& kind : kinds)
    if (kind != "global" && kind != "local")
      fail("config.json: the attention type '{}' is not supported; global and local are", kind);
  return kinds;
}

ModelSpec spec_of(const ConfigKeys& config) {
  ModelSpec spec;
  spec.layers = layer_count(config, "num_layers");
  spec.d_model = config.size("hidden_size");
  spec.heads = spec.kv_heads = config.size("num_heads");
  spec.vocab = config.size("vocab_size");
  spec.context = config.size("max_position_embeddings", 2048);
  spec.d_mlp = config.size("intermediate_size", 4 * spec.d_model);
  if (spec.d_model % spec.heads != 0)
    fail("config.json: hidden_size {} is no multiple of num_heads {}", spec.d_model, spec.heads);
  spec.d_head = spec.d_model / spec.heads;
  spec.norm = Norm::layer;
  spec.norm_eps = config.real("layer_norm_epsilon", 1e-5);
  spec.activation = activation_from(config.text("activation_function", "gelu_new"));
  spec.positions = Positions::learned;
  spec.attention_scale = 1;
  const int64_t window = config.size("window_size", 256);
  for (const std::string& kind : attention_kinds(config, spec.layers))
    spec.window.push_back(kind == "local" ? window : 0);
  spec.tied = config.flag("tie_word_embeddings", true);
  return spec;
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  FamilyReading reading;
  const ModelSpec& spec = reading.spec = spec_of(ConfigKeys(json, "config.json"));
  TensorPlan plan(tensors, reading.recipe, "gpt_neo");
  const std::string top = tensors.contains("wte.weight") ? "" : "transformer.";
  const int64_t d = spec.d_model, m = spec.d_mlp;
  const auto weight_and_bias = [&plan](const std::string& ours, const std::string& letters,
                                       const std::string& theirs, const std::vector<int64_t>& shape) {
    plan.whole(ours + "W_" + letters, theirs + ".weight", shape);
    plan.whole(ours + "b_" + letters, theirs + ".bias", {shape[0]});
  };
  const auto norm = [&plan, d](const std::string& ours, const std::string& theirs) {
    plan.whole(ours + ".w", theirs + ".weight", {d});
    plan.whole(ours + ".b", theirs + ".bias", {d});
  };
  plan.whole("embed.W_E", top + "wte.weight", {spec.vocab, d});
  plan.whole("pos_embed.W_pos", top + "wpe.weight", {spec.context, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer), theirs = fmt::format("{}h.{}.", top, layer);
    const std::string attention = theirs + "attn.attention.";
    norm(ours + "ln1", theirs + "ln_1");
    plan.whole(ours + "attn.W_Q", attention + "q_proj.weight", {d, d});
    plan.whole(ours + "attn.W_K", attention + "k_proj.weight", {d, d});
    plan.whole(ours + "attn.W_V", attention + "v_proj.weight", {d, d});
    weight_and_bias(ours + "attn.", "O", attention + "out_proj", {d, d});
    norm(ours + "ln2", theirs + "ln_2");
    weight_and_bias(ours + "mlp.", "in", theirs + "mlp.c_fc", {m, d});
    weight_and_bias(ours + "mlp.", "out", theirs + "mlp.c_proj", {d, m});
    // The causal mask and its fill value, saved as if they were weights.
    for (const char* buffer : {"bias", "masked_bias"})
      if (plan.has(attention + buffer)) reading.ignored.push_back(attention + buffer);
    plan.stop_if_hopeless();
  }
  norm("ln_final", top + "ln_f");
  plan.whole("unembed.W_U", spec.tied ? top + "wte.weight" : "lm_head.weight", {spec.vocab, d});
  if (spec.tied && plan.has("lm_head.weight")) reading.ignored.push_back("lm_head.weight");
  plan.finish();
  return reading;
}

}  // namespace

void add_gpt_neo(FamilyCatalog& catalog) {
  catalog.add(
      {.name = "gpt_neo",
       .summary = "GPT-Neo: learned positions, unscaled scores, alternating global and local attention",
       .model_types = {"gpt_neo"},
       .architectures = {"GPTNeoForCausalLM"},
       .read = read});
}

}  // namespace varve
