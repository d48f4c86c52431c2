#!/usr/bin/python3
"""The yardstick: PyTorch traces all hidden states of a model folder and reads every layer through the lens."""
import argparse
import json
import math
import pathlib
import resource
import struct
import time

import numpy
import torch
import torch.nn.functional as F

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_safetensors(path):
    bytes_of_file = bytearray(path.stat().st_size)
    with open(path, "rb") as file:
        file.readinto(bytes_of_file)
    size = struct.unpack("<Q", bytes_of_file[:8])[0]
    header = json.loads(bytes_of_file[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = DTYPES[entry["dtype"]]
        begin, end = entry["data_offsets"]
        count = (end - begin) // torch.empty((), dtype=dtype).element_size()
        flat = torch.frombuffer(bytes_of_file, dtype=dtype, count=count, offset=8 + size + begin)
        tensors[name] = flat.view(entry["shape"])
    return tensors


def attend(q, k, v, heads):
    batch, length, width = q.shape
    split = lambda x: x.view(batch, length, heads, width // heads).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    pattern = scores.masked_fill_(later, -math.inf).softmax(-1)
    return (pattern @ v).transpose(1, 2).reshape(batch, length, width)


class Gpt2:
    def __init__(self, config, tensors):
        self.t, self.layers, self.heads = tensors, config["n_layer"], config["n_head"]
        self.eps = config["layer_norm_epsilon"]

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.t[name + ".weight"], self.t[name + ".bias"], self.eps)

    def conv(self, x, name):
        flat = torch.addmm(self.t[name + ".bias"], x.flatten(0, 1), self.t[name + ".weight"])
        return flat.view(*x.shape[:2], -1)

    def hidden_states(self, ids):
        x = self.t["transformer.wte.weight"][ids] + self.t["transformer.wpe.weight"][:ids.shape[1]]
        states = [x]
        for layer in range(self.layers):
            block = f"transformer.h.{layer}."
            q, k, v = self.conv(self.norm(x, block + "ln_1"), block + "attn.c_attn").chunk(3, -1)
            x = x + self.conv(attend(q, k, v, self.heads), block + "attn.c_proj")
            hidden = F.gelu(self.conv(self.norm(x, block + "ln_2"), block + "mlp.c_fc"), approximate="tanh")
            x = x + self.conv(hidden, block + "mlp.c_proj")
            states.append(x)
        return states

    def logits(self, state):
        return F.linear(self.norm(state, "transformer.ln_f"), self.t["transformer.wte.weight"])


class Pythia:
    def __init__(self, config, tensors):
        self.t, self.layers, self.heads = tensors, config["num_hidden_layers"], config["num_attention_heads"]
        self.eps = config["layer_norm_eps"]
        d_head = config["hidden_size"] // self.heads
        self.turned = int(d_head * config["rotary_pct"])
        self.base = config["rotary_emb_base"]

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.t[name + ".weight"], self.t[name + ".bias"], self.eps)

    def linear(self, x, name):
        return F.linear(x, self.t[name + ".weight"], self.t[name + ".bias"])

    def rotate(self, x):  # [batch, length, heads, d_head]
        half = self.turned // 2
        speed = 1.0 / self.base ** (torch.arange(0, self.turned, 2).float() / self.turned)
        angle = torch.outer(torch.arange(x.shape[1]).float(), speed)[None, :, None, :]
        cosine, sine = angle.cos(), angle.sin()
        one, two, rest = x[..., :half], x[..., half:self.turned], x[..., self.turned:]
        return torch.cat([one * cosine - two * sine, two * cosine + one * sine, rest], -1)

    def hidden_states(self, ids):
        x = self.t["gpt_neox.embed_in.weight"][ids]
        states = [x]
        for layer in range(self.layers):
            block = f"gpt_neox.layers.{layer}."
            qkv = self.linear(self.norm(x, block + "input_layernorm"), block + "attention.query_key_value")
            batch, length, width = x.shape
            q, k, v = qkv.view(batch, length, self.heads, -1).chunk(3, -1)
            flat = lambda part: part.reshape(batch, length, width)
            z = attend(flat(self.rotate(q)), flat(self.rotate(k)), flat(v), self.heads)
            hidden = self.linear(self.norm(x, block + "post_attention_layernorm"), block + "mlp.dense_h_to_4h")
            x = x + self.linear(z, block + "attention.dense") + self.linear(F.gelu(hidden), block + "mlp.dense_4h_to_h")
            states.append(x)
        return states

    def logits(self, state):
        return F.linear(self.norm(state, "gpt_neox.final_layer_norm"), self.t["embed_out.weight"])


def lens(model, states):
    """Top-1, entropy and KL(final || layer) of every layer; states [batch, length, width] of one chunk."""
    final = F.log_softmax(model.logits(states[-1]), -1)
    p_final = final.exp()
    own = (p_final * final).sum(-1)
    top, entropy, kl = [], [], []
    for number, state in enumerate(states):
        logp = final if number + 1 == len(states) else F.log_softmax(model.logits(state), -1)
        top.append(logp.argmax(-1))
        entropy.append(-(logp.exp() * logp).sum(-1))
        kl.append(own - (p_final * logp).sum(-1))
    return torch.stack(top), torch.stack(entropy), torch.stack(kl)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=1, help="prompts whose logits are held at once")
    parser.add_argument("--forward-only", action="store_true")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    began = time.perf_counter()
    config = json.loads((wanted.folder / "config.json").read_text())
    make = Gpt2 if config["model_type"] == "gpt2" else Pythia
    model = make(config, read_safetensors(wanted.folder / "model.safetensors"))
    ids = torch.from_numpy(numpy.load(wanted.folder / "tokens.npy"))
    loaded = time.perf_counter()
    with torch.inference_mode():
        states = model.hidden_states(ids)
        traced = time.perf_counter()
        parts = []
        if not wanted.forward_only:
            for first in range(0, ids.shape[0], wanted.chunk):
                parts.append(lens(model, [state[first:first + wanted.chunk] for state in states]))
    ended = time.perf_counter()
    if wanted.output and parts:
        names = ("top", "entropy", "kl")
        together = {name: torch.cat([part[i] for part in parts], 1).numpy() for i, name in enumerate(names)}
        numpy.savez(wanted.output, last=states[-1].numpy(), **together)
    print(json.dumps({"load_seconds": loaded - began, "forward_seconds": traced - loaded,
                      "lens_seconds": ended - traced,
                      "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
