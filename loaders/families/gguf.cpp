// Models from GGUF files: llama.cpp's names and metadata for the Llama layout and Qwen2.
#include <algorithm>

#include "analysis/core/error.h"
#include "loaders/family_reader.h"

namespace varve {
namespace {

// Q and K rows of "llama" files are stored for rotation in neighbouring pairs: per head [d_head / 2, 2] where
// Hugging Face has [2, d_head / 2]. Turned back here, so that heads are those of the original model.
TensorTake unpaired(const std::string& source, int64_t heads, int64_t d_head, int64_t width) {
  TensorTake take;
  take.source = source;
  take.view = {heads, d_head / 2, 2, width};
  take.permute = {0, 2, 1, 3};
  take.shape = {heads * d_head, width};
  return take;
}

ModelSpec read_spec(const ConfigKeys& config, const std::string& architecture, const TensorShapes& tensors) {
  const auto key = [&architecture](const char* name) { return architecture + "." + name; };
  ModelSpec spec;
  spec.layers = config.size(key("block_count"));
  spec.d_model = config.size(key("embedding_length"));
  spec.heads = config.size(key("attention.head_count"));
  spec.kv_heads = config.size(key("attention.head_count_kv"), spec.heads);
  spec.d_head = config.size(key("attention.key_length"), std::max<int64_t>(1, spec.d_model / spec.heads));
  if (spec.d_head % 2 != 0) fail("the GGUF metadata give heads of odd width {}", spec.d_head);
  if (config.size(key("attention.value_length"), spec.d_head) != spec.d_head)
    fail("the GGUF metadata give keys and values of different widths, which is not supported");
  spec.d_mlp = config.size(key("feed_forward_length"));
  const auto embedding = tensors.find("token_embd.weight");
  if (embedding == tensors.end() || embedding->second.size() != 2)
    fail("the GGUF file has no matrix 'token_embd.weight': a vocabulary alone, or another architecture?");
  spec.vocab = embedding->second[0];
  spec.context = config.size(key("context_length"));
  spec.norm = Norm::rms;
  spec.norm_has_bias = false;
  spec.norm_eps = config.real(key("attention.layer_norm_rms_epsilon"));
  spec.activation = Activation::silu;
  spec.gated_mlp = true;
  spec.positions = Positions::rotary;
  spec.rope.theta = config.real(key("rope.freq_base"), 10000);
  spec.rope.dims = config.size(key("rope.dimension_count"), spec.d_head);
  if (spec.rope.dims != spec.d_head)
    fail("the GGUF metadata rotate {} of {} dimensions of a head, which is not supported", spec.rope.dims,
         spec.d_head);
  const std::string scaling = config.text(key("rope.scaling.type"), "none");
  if (scaling == "linear") {
    spec.rope.scaling = RopeScaling::linear;
    spec.rope.factor = config.real(key("rope.scaling.factor"));
  } else if (scaling != "none") {
    fail("the GGUF metadata ask for rotary scaling '{}'; none and linear are read", scaling);
  }
  spec.tied = !tensors.contains("output.weight");
  return spec;
}

void refuse_unknown_parts(const ConfigKeys& config, const std::string& architecture,
                          const TensorShapes& tensors) {
  if (tensors.contains("rope_freqs.weight"))
    fail(
        "the GGUF file scales rotary frequencies by its tensor 'rope_freqs.weight' (Llama 3.1), which is not "
        "read; import the original safetensors");
  if (config.size(architecture + ".expert_count", 0) > 0)
    fail("the GGUF file is a mixture of experts, which is not read; import the original safetensors");
}

FamilyReading read(const nlohmann::json& json, const TensorShapes& tensors) {
  const ConfigKeys config(json, "GGUF metadata");
  const std::string architecture = config.text("general.architecture", "");
  const bool llama = architecture == "llama";
  if (!llama && architecture != "qwen2")
    fail(
        "the GGUF architecture '{}' is not read as a model; llama and qwen2 are. Its tensors can be imported "
        "with "
        "--map",
        architecture);
  refuse_unknown_parts(config, architecture, tensors);
  FamilyReading reading;
  ModelSpec& spec = reading.spec;
  spec = read_spec(config, architecture, tensors);
  TensorPlan plan(tensors, reading.recipe, "gguf");
  const int64_t d = spec.d_model, q = spec.heads * spec.d_head, kv = spec.kv_heads * spec.d_head;
  plan.whole("embed.W_E", "token_embd.weight", {spec.vocab, d});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string ours = fmt::format("blocks.{}.", layer), theirs = fmt::format("blk.{}.", layer);
    plan.whole(ours + "ln1.w", theirs + "attn_norm.weight", {d});
    plan.whole(ours + "ln2.w", theirs + "ffn_norm.weight", {d});
    if (llama) {
      plan.take(ours + "attn.W_Q", {q, d}, unpaired(theirs + "attn_q.weight", spec.heads, spec.d_head, d));
      plan.take(ours + "attn.W_K", {kv, d},
                unpaired(theirs + "attn_k.weight", spec.kv_heads, spec.d_head, d));
    } else {
      plan.whole(ours + "attn.W_Q", theirs + "attn_q.weight", {q, d});
      plan.whole(ours + "attn.W_K", theirs + "attn_k.weight", {kv, d});
      plan.whole(ours + "attn.b_Q", theirs + "attn_q.bias", {q});
      plan.whole(ours + "attn.b_K", theirs + "attn_k.bias", {kv});
      plan.whole(ours + "attn.b_V", theirs + "attn_v.bias", {kv});
    }
    plan.whole(ours + "attn.W_V", theirs + "attn_v.weight", {kv, d});
    plan.whole(ours + "attn.W_O", theirs + "attn_output.weight", {d, q});
    plan.whole(ours + "mlp.W_gate", theirs + "ffn_gate.weight", {spec.d_mlp, d});
    plan.whole(ours + "mlp.W_in", theirs + "ffn_up.weight", {spec.d_mlp, d});
    plan.whole(ours + "mlp.W_out", theirs + "ffn_down.weight", {d, spec.d_mlp});
    plan.stop_if_hopeless();
  }
  plan.whole("ln_final.w", "output_norm.weight", {d});
  plan.whole("unembed.W_U", spec.tied ? "token_embd.weight" : "output.weight", {spec.vocab, d});
  plan.finish();
  return reading;
}

}  // namespace

void add_gguf(FamilyCatalog& catalog) {
  catalog.add({.name = "gguf",
               .summary = "llama and qwen2 models out of GGUF files",
               .model_types = {"gguf"},
               .architectures = {"GGUF"},
               .read = read});
}

}  // namespace varve
