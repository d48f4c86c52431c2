#!/usr/bin/python3
"""The yardstick of edge attribution: EAP-IG (inputs) of a GPT-2 folder in PyTorch, all pairs as one batch, gradients
taken only where they are needed, and one product of all pairs for each kind of input and layer."""
import argparse
import json
import pathlib
import resource
import time

import numpy
import torch
import torch.nn.functional as F

from torch_lens import read_safetensors


class Model:
    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text())
        self.t = read_safetensors(folder / "model.safetensors")
        self.layers, self.heads, self.eps = config["n_layer"], config["n_head"], config["layer_norm_epsilon"]
        self.width = config["n_embd"]
        self.each = self.width // self.heads

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.t[name + ".weight"], self.t[name + ".bias"], self.eps)

    def conv(self, x, name):
        flat = torch.addmm(self.t[name + ".bias"], x.flatten(0, 1), self.t[name + ".weight"])
        return flat.view(*x.shape[:2], -1)

    def embed(self, ids):
        return self.t["transformer.wte.weight"][ids]

    def run(self, embedded, sources=None):
        """Logits at the last place and what gradients are taken of: [q, k, v, mlp input] of each layer, stream.
        sources [source, batch, pos, width] is filled where given."""
        batch, length, width = embedded.shape
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        split = lambda part: part.view(batch, length, self.heads, self.each)
        x = embedded + self.t["transformer.wpe.weight"][:length]
        if sources is not None:
            sources[0] = embedded
        points, streams = [], []
        for layer in range(self.layers):
            block = f"transformer.h.{layer}."
            streams.append(x)
            q, k, v = map(split, self.conv(self.norm(x, block + "ln_1"), block + "attn.c_attn").chunk(3, -1))
            scores = q.transpose(1, 2) @ k.permute(0, 2, 3, 1) / self.each ** 0.5
            z = (scores.masked_fill(later, -torch.inf).softmax(-1) @ v.transpose(1, 2)).transpose(1, 2)
            first = 1 + layer * (self.heads + 1)
            if sources is not None:
                w = self.t[block + "attn.c_proj.weight"].view(self.heads, self.each, width)
                for head in range(self.heads):
                    sources[first + head] = z[:, :, head] @ w[head]
            x = x + self.conv(z.reshape(batch, length, width), block + "attn.c_proj")
            read = x
            hidden = F.gelu(self.conv(self.norm(read, block + "ln_2"), block + "mlp.c_fc"), approximate="tanh")
            out = self.conv(hidden, block + "mlp.c_proj")
            if sources is not None:
                sources[first + self.heads] = out
            x = x + out
            points.append([q, k, v, read])
        return self.norm(x[:, -1], "transformer.ln_f") @ self.t["transformer.wte.weight"].T, points, streams, x


def norm_back(h, x, gain, eps):
    """What rows x [row, width] receive from h [head, row, width] behind their norm; h is overwritten."""
    centred = x - x.mean(-1, keepdim=True)
    scale = (centred.square().mean(-1, keepdim=True) + eps).rsqrt()
    n = centred * scale
    h *= gain
    along = torch.einsum("hrw,rw->hr", h, n).unsqueeze(-1) / h.shape[-1]
    h -= h.mean(-1, keepdim=True)
    h -= n * along
    h *= scale
    return h


def scores_of(model, clean, corrupted, correct, incorrect, steps):
    layers, heads = model.layers, model.heads
    batch, length = clean.shape
    n_sources, n_destinations = 1 + layers * (heads + 1), layers * (3 * heads + 1) + 1
    rows = torch.arange(batch)
    metric = lambda logits: logits[rows, correct] - logits[rows, incorrect]
    with torch.no_grad():
        difference = torch.empty(n_sources, batch, length, model.width)
        own = torch.empty_like(difference)
        at_clean = metric(model.run(model.embed(clean), own)[0])
        at_corrupted = metric(model.run(model.embed(corrupted), difference)[0])
        difference -= own
        del own
    flat = difference.view(n_sources, -1)
    scores = torch.zeros(n_sources, n_destinations)

    def multiply(gradient, destination, count, known):  # gradient [count, batch, pos, width]
        scores[:known, destination:destination + count] += flat[:known] @ gradient.reshape(count, -1).T / (steps * batch)

    from_clean, from_corrupted = model.embed(clean), model.embed(corrupted)
    for step in range(steps):
        mixed = (from_corrupted + step / steps * (from_clean - from_corrupted)).requires_grad_()
        logits, points, streams, last = model.run(mixed)
        # The clean paths alone: what a head's or MLP's input receives through that head or MLP only.
        flow = torch.autograd.grad(metric(logits).sum(), [one for point in points for one in point] + [last])
        with torch.no_grad():
            multiply(flow[-1], n_destinations - 1, 1, n_sources)
            after = flow[-1]
            for layer in reversed(range(layers)):
                block, first = f"transformer.h.{layer}.", layer * (3 * heads + 1)
                known = 1 + layer * (heads + 1)
                dq, dk, dv, dread = flow[4 * layer:4 * layer + 4]
                # The stream before the MLP receives what its output does, and the rest through the MLP.
                multiply(dread - after, first + 3 * heads, 1, known + heads)
                x, after = streams[layer].detach(), dread
                weight = model.t[block + "attn.c_attn.weight"].view(model.width, 3, heads, model.each)
                for part, g in enumerate((dq, dk, dv)):
                    by_head = g.reshape(-1, heads, model.each).transpose(0, 1)
                    h = torch.bmm(by_head, weight[:, part].permute(1, 2, 0))  # [head, row, width]
                    h = norm_back(h, x.reshape(-1, model.width), model.t[block + "ln_1.weight"], model.eps)
                    multiply(h, first + part * heads, heads, known)
                    after = after + h.sum(0).view_as(after)
    return scores, at_clean, at_corrupted


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("pairs", type=pathlib.Path, help="lines of clean, corrupted, correct and incorrect token ids")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    began = time.perf_counter()
    model = Model(wanted.folder)
    pairs = [json.loads(line) for line in wanted.pairs.read_text().splitlines()]
    column = lambda name: torch.tensor([pair[name] for pair in pairs])
    loaded = time.perf_counter()
    scores, clean, corrupted = scores_of(model, column("clean"), column("corrupted"), column("correct"),
                                         column("incorrect"), wanted.steps)
    ended = time.perf_counter()
    if wanted.output:
        numpy.savez(wanted.output, scores=scores.numpy(), clean=clean.numpy(), corrupted=corrupted.numpy())
    print(json.dumps({"load_seconds": loaded - began, "work_seconds": ended - loaded,
                      "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
