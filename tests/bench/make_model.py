#!/usr/bin/python3
"""Writes a model folder with random weights in the shape of GPT-2 small or Pythia-160m, and tokens to read."""
import argparse
import json
import pathlib
import struct

import numpy


def gpt2(layers, width, heads, vocab):
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": layers, "n_embd": width,
              "n_head": heads, "n_positions": 1024, "n_ctx": 1024, "vocab_size": vocab,
              "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "torch_dtype": "float32"}
    tensors = {"transformer.wte.weight": (vocab, width), "transformer.wpe.weight": (1024, width)}
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        tensors |= {
            block + "ln_1.weight": (width,), block + "ln_1.bias": (width,),
            block + "attn.c_attn.weight": (width, 3 * width), block + "attn.c_attn.bias": (3 * width,),
            block + "attn.c_proj.weight": (width, width), block + "attn.c_proj.bias": (width,),
            block + "ln_2.weight": (width,), block + "ln_2.bias": (width,),
            block + "mlp.c_fc.weight": (width, 4 * width), block + "mlp.c_fc.bias": (4 * width,),
            block + "mlp.c_proj.weight": (4 * width, width), block + "mlp.c_proj.bias": (width,)}
    return config, tensors | {"transformer.ln_f.weight": (width,), "transformer.ln_f.bias": (width,)}


def pythia(layers, width, heads, vocab):
    config = {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "num_hidden_layers": layers,
              "hidden_size": width, "num_attention_heads": heads, "intermediate_size": 4 * width,
              "max_position_embeddings": 2048, "vocab_size": vocab, "hidden_act": "gelu", "rotary_pct": 0.25,
              "rotary_emb_base": 10000, "layer_norm_eps": 1e-5, "use_parallel_residual": True,
              "tie_word_embeddings": False, "torch_dtype": "float32"}
    tensors = {"gpt_neox.embed_in.weight": (vocab, width), "embed_out.weight": (vocab, width)}
    for layer in range(layers):
        block = f"gpt_neox.layers.{layer}."
        tensors |= {
            block + "input_layernorm.weight": (width,), block + "input_layernorm.bias": (width,),
            block + "post_attention_layernorm.weight": (width,),
            block + "post_attention_layernorm.bias": (width,),
            block + "attention.query_key_value.weight": (3 * width, width),
            block + "attention.query_key_value.bias": (3 * width,),
            block + "attention.dense.weight": (width, width), block + "attention.dense.bias": (width,),
            block + "mlp.dense_h_to_4h.weight": (4 * width, width), block + "mlp.dense_h_to_4h.bias": (4 * width,),
            block + "mlp.dense_4h_to_h.weight": (width, 4 * width), block + "mlp.dense_4h_to_h.bias": (width,)}
    return config, tensors | {"gpt_neox.final_layer_norm.weight": (width,), "gpt_neox.final_layer_norm.bias": (width,)}


def values(name, shape, random):
    """Norm gains near one, the rest small enough that activations stay as large as a trained model's."""
    spread = 0.02 if len(shape) == 2 else 0.05
    drawn = random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(spread)
    gain = len(shape) == 1 and name.endswith("weight")
    return drawn + numpy.float32(1) if gain else drawn


def write_safetensors(path, tensors, random):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors.items():
        size = 4 * int(numpy.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors.items():
            file.write(values(name, shape, random).tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=["gpt2", "pythia"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    wanted = parser.parse_args()
    vocab = 50257 if wanted.shape == "gpt2" else 50304
    make = gpt2 if wanted.shape == "gpt2" else pythia
    config, tensors = make(wanted.layers, wanted.width, wanted.heads, vocab)
    wanted.folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(1)
    (wanted.folder / "config.json").write_text(json.dumps(config, indent=1))
    write_safetensors(wanted.folder / "model.safetensors", tensors, random)
    tokens = random.integers(0, 50000, (wanted.prompts, wanted.length))
    numpy.save(wanted.folder / "tokens.npy", tokens)


main()
