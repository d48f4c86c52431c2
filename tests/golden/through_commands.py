"""Compares what the programs write with the reference outputs, sharing no code with them.

through_commands.py VARVE GOLDEN_FOLDER SCRATCH: traces every prompt of the folder's golden.safetensors from the
model folder and from a store, runs the logit lens where its golden is there, and prints one JSON object: the worst
difference as a share of what parity allows (5e-5 x max(1, largest reference)) and how many arrays were compared.
"""
import glob
import json
import os
import struct
import subprocess
import sys

import h5py
import numpy as np

PARITY = 5e-5
varve, golden, scratch = sys.argv[1:]


def read_safetensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        table = json.loads(file.read(size))
        body = file.read()
    types = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}
    return {
        name: np.frombuffer(body[slice(*one["data_offsets"])], types[one["dtype"]]).reshape(one["shape"])
        for name, one in table.items()
        if name != "__metadata__"
    }


def run(*words):
    ended = subprocess.run([varve, *words, "--quiet"], capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit("%s\n%s" % (" ".join(words), ended.stderr))


worst, compared = [0.0, ""], 0


def compare(name, ours, reference):
    global worst, compared
    ours = np.asarray(ours, np.float64)
    if ours.shape != reference.shape or not np.isfinite(ours).all():
        sys.exit("%s: shape %s, wanted %s, or not finite" % (name, ours.shape, reference.shape))
    if reference.dtype.kind != "f":  # chosen experts, ranks, tokens: equal or wrong
        share = 0.0 if np.array_equal(ours, reference) else np.inf
    else:
        allowed = PARITY * max(1.0, np.abs(reference).max(initial=0))
        share = float(np.abs(ours - reference.astype(np.float64)).max(initial=0)) / allowed
    worst = max(worst, [share, name])
    compared += 1


def compare_sites(file, group, want):
    layers = len({key.split(".")[1] for key in file if key.startswith("blocks.")})
    sparse = [layer for layer in range(layers) if "blocks.%d.router.logits" % layer in file]
    site = lambda part, among: np.stack([file["blocks.%d.%s" % (layer, part)][()] for layer in among])
    everywhere = range(layers)
    get = {
        "logits": lambda: file["logits"][()],
        "hidden_states": lambda: np.concatenate(
            [site("resid_pre", everywhere), file["ln_final.normalized"][()][None]]
        ),
        "resid_last": lambda: file["blocks.%d.resid_post" % (layers - 1)][()],
        "attentions": lambda: site("attn.pattern", everywhere),
        "z": lambda: site("attn.z", everywhere),
        "attn_out": lambda: site("attn.out", everywhere),
        "mlp_out": lambda: site("mlp.out", everywhere),
        "router_logits": lambda: site("router.logits", sparse),
        "topk_index": lambda: site("router.topk_indices", sparse),
        "topk_weight": lambda: site("router.topk_weights", sparse),
        "shared_gate": lambda: site("router.shared_gate", sparse),
    }
    for array, ours in get.items():
        if group + "." + array in want:
            compare(group + "." + array, ours(), want[group + "." + array])


def compare_lens(store, want):
    np.save(scratch + "/lens.npy", want["lens.input_ids"])
    run("run", "logit-lens", store, "--tokens", scratch + "/lens.npy", "-o", scratch + "/lens.h5")
    (cell,) = glob.glob(store + "/results/logit-lens/*.h5")
    with h5py.File(cell) as file:
        for name in ("entropy", "kl_final_lens", "kl_lens_final"):
            if "lens." + name in want:
                compare("lens." + name, file[name][()], want["lens." + name])
        if "lens.top1" in want:
            compare("lens.top1", file["top_id"][..., 0], want["lens.top1"])
        if "lens.next_logprob" in want:
            compare("lens.next_logprob", -file["cross_entropy"][..., :-1], want["lens.next_logprob"])
        if "lens.next_rank" in want:  # theirs counts the tokens that beat the true one
            compare("lens.next_rank", file["rank_true"][..., :-1] - 1, want["lens.next_rank"])


want = read_safetensors(golden + "/golden.safetensors")
store = scratch + "/golden.varve"
run("import", golden, "-o", store)
for ids in sorted(name for name in want if name.endswith(".input_ids")):
    group = ids.split(".")[0]
    np.save(scratch + "/ids.npy", want[ids])
    for source in (golden, store):
        run("trace", source, "--tokens", scratch + "/ids.npy", "--sites", "*", "-o", scratch + "/out.h5")
        with h5py.File(scratch + "/out.h5") as file:
            compare_sites(file, group, want)
        os.remove(scratch + "/out.h5")
lens = golden + "/analysis_lens.safetensors"
if os.path.exists(lens):
    compare_lens(store, read_safetensors(lens))
print(json.dumps({"worst_share": worst[0], "where": worst[1], "compared": compared}))
