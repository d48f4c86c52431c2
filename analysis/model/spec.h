// What a model is, as data: one forward pass reads it, no family is known here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace varve {

enum class Norm { layer, rms, none };
enum class Activation {
  gelu,
  gelu_tanh,
  silu,
  relu,
  quick_gelu,
  relu_squared,
  square,
  tanh,
  sigmoid,
  identity
};
enum class Positions { none, learned, rotary };
enum class RopeScaling { none, linear, dynamic, llama3, yarn };

struct Rope {
  double theta = 10000;
  int64_t dims = 0;          // how many of d_head are rotated
  bool interleaved = false;  // GPT-J pairs (2i, 2i+1) instead of (i, i + dims/2)
  RopeScaling scaling = RopeScaling::none;
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4, original_context = 0;
  double beta_fast = 32, beta_slow = 1, attention_factor = 0;  // yarn
  bool truncate = true;                                        // yarn: corrected dimensions are whole numbers
};

struct ModelSpec {
  std::string family;        // "gpt_neox"
  std::string architecture;  // "GPTNeoXForCausalLM"
  int64_t layers = 0, d_model = 0, heads = 0, kv_heads = 0, d_head = 0, d_mlp = 0, vocab = 0, context = 0;
  Norm norm = Norm::layer;
  double norm_eps = 1e-5;
  double norm_offset = 0;  // Gemma: gain is 1 + w
  bool norm_has_gain = true, norm_has_bias = true;
  Activation activation = Activation::gelu;
  bool gated_mlp = false;  // post = act(x W_gate) * (x W_in)
  Positions positions = Positions::rotary;
  Rope rope;
  bool parallel = false;              // attention and MLP both read resid_pre
  bool shared_parallel_norm = false;  // parallel with one norm for both (GPT-J, Phi)
  bool tied = false;                  // W_U is W_E transposed
  double attention_scale = 0;         // 0: 1/sqrt(d_head)
  bool scale_by_layer = false;        // GPT-2 scale_attn_by_inverse_layer_idx
  std::vector<int64_t> window;        // per layer, 0: whole context; empty: all whole
  bool qk_norm_per_head = false, qk_norm_full = false;
  double clip_qkv = 0;  // 0: no clipping
  bool pre_norm = true, post_norm = false;
  double embed_scale = 1, logit_scale = 1, logit_softcap = 0, attention_softcap = 0;
  // Mixture of experts; experts = 0: dense everywhere.
  int64_t experts = 0, experts_per_token = 0, d_expert = 0, d_shared = 0;
  bool renormalise = false;  // top-k weights divided by their sum
  bool shared_gate = false;
  std::vector<int64_t> sparse_layers;  // which layers are MoE
  // Home-made networks.
  bool causal = true;                 // false: every position sees the whole prompt
  bool attention = true, mlp = true;  // false: blocks have none
  bool residual = true;               // false: a module's output takes the stream's place
  bool final_norm = true;             // false: the unembedding reads the stream as it is
  bool norm_after_sum = false;        // LN(x + module(x)) (Vaswani et al. 2017); then pre_norm is false
  int64_t d_embed = 0;                // width of one embedding; 0: d_model
  int64_t vocab_out = 0;              // how many tokens have logits, the first ones; 0: all of vocab
  int64_t joined_tokens = 1;          // embeddings of so many last positions lie side by side
};

std::string to_json(const ModelSpec& spec);
ModelSpec spec_from_json(const std::string& json);  // throws Error naming the key
void check(const ModelSpec& spec);  // throws Error: sizes positive, heads divisible, bounds sane

int64_t output_vocab(const ModelSpec& spec);  // rows of the unembedding

bool is_sparse(const ModelSpec& spec, int64_t layer);  // a mixture of experts lies there

int64_t kv_head_of(const ModelSpec& spec,
                   int64_t head);  // the one place that maps a query head to its kv head

}  // namespace varve
