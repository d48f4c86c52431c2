#!/usr/bin/python3
"""Runs `varve run logit-lens` and torch_lens.py in turn on the same model files, checks that they say the same,
and prints a table of whole processes: seconds, ratios of medians with their spread, peak memory."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import numpy

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
# Rounding of f32 through twelve layers and a softmax over fifty thousand logits; bf16 rounds factors to 8 bits.
TOLERANCE = {"f32": {"entropy": 2e-3, "kl": 2e-3, "top": 0.998}, "bf16": {"entropy": 0.1, "kl": 0.1, "top": 0.9}}


def run(words):
    """Wall seconds, processor seconds and peak bytes of one process."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "VARVE_KERNEL")}
    began = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, env=environment)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"compare: {' '.join(map(str, words))} ended with {process.returncode}")
    return {"wall": wall, "processor": usage.ru_utime + usage.ru_stime, "peak": 1024 * usage.ru_maxrss, "text": text}


def varve_words(wanted, folder, store, mode):
    results = store / "results"
    if results.exists():
        shutil.rmtree(results)
    return [wanted.varve, "run", "logit-lens", store, "--tokens", folder / "tokens.npy", "--threads", wanted.threads,
            "--compute", mode, "--set", "top_k=1", "--quiet", "-o", store.parent / f"{store.stem}-{mode}.h5"]


def torch_words(wanted, folder, *more):
    return [PYTHON, HERE / "torch_lens.py", folder, "--threads", wanted.threads, *more]


def check(wanted, folder, store, mode):
    """The worst disagreement of both programs on the same arrays."""
    ours = store.parent / f"{store.stem}-{mode}.npz"
    # What a run prints and writes is the reduce over steps; positions are in the cell.
    (cell,) = (store / "results" / "logit-lens").glob("*.h5")
    subprocess.run([wanted.varve, "export", cell, "--to", "npz", "-o", ours, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    left, right = numpy.load(ours), numpy.load(folder / "torch.npz")
    pick = lambda name: left[name].reshape(left[name].shape[-4:] if name == "top_id" else left[name].shape[-3:])
    entropy = float(numpy.abs(pick("entropy") - right["entropy"]).max())
    kl = float(numpy.abs(pick("kl_final_lens") - right["kl"]).max())
    same = float((pick("top_id")[..., 0] == right["top"]).mean())
    limit = TOLERANCE[mode]
    if not (entropy <= limit["entropy"] and kl <= limit["kl"] and same >= limit["top"]):
        sys.exit(f"compare: {folder.name} {mode} disagrees: entropy {entropy}, KL {kl}, same top-1 {same}")
    return f"entropy {entropy:.1e}, KL {kl:.1e}, top-1 {100 * same:.2f} %"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def compare(wanted, shape, modes):
    folder, store = wanted.work / shape, wanted.work / f"{shape}.varve"
    if not (folder / "tokens.npy").exists():
        subprocess.run([PYTHON, HERE / "make_model.py", shape, folder], check=True)
    if store.exists():
        shutil.rmtree(store)
    subprocess.run([wanted.varve, "import", folder, "-o", store, "--link", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    run(torch_words(wanted, folder, "-o", folder / "torch.npz"))  # warms the file cache, too
    agreement = {}
    for mode in modes:
        run(varve_words(wanted, folder, store, mode))
        agreement[mode] = check(wanted, folder, store, mode)
    times = {name: [] for name in ("torch", *modes)}
    inside = []
    for _ in range(wanted.repeat):
        times["torch"].append(run(torch_words(wanted, folder)))
        inside.append(json.loads(times["torch"][-1]["text"]))
        for mode in modes:
            times[mode].append(run(varve_words(wanted, folder, store, mode)))
    work = [one["forward_seconds"] + one["lens_seconds"] for one in inside]
    base = times["torch"]
    print(f"| {shape} | PyTorch f32 | {spread([t['wall'] for t in base])} | {spread([t['processor'] for t in base])} "
          f"| 1 | 1 | {statistics.median(work):.2f} s of it forward and lens "
          f"| {max(t['peak'] for t in base) / 2**20:.0f} | 1 | |")
    for mode in modes:
        mine = times[mode]
        wall = [b["wall"] / m["wall"] for b, m in zip(base, mine)]
        processor = [b["processor"] / m["processor"] for b, m in zip(base, mine)]
        bare = [w / m["wall"] for w, m in zip(work, mine)]
        print(f"| {shape} | varve {mode} | {spread([t['wall'] for t in mine])} "
              f"| {spread([t['processor'] for t in mine])} | {spread(wall)} | {spread(processor)} | {spread(bare)} "
              f"| {max(t['peak'] for t in mine) / 2**20:.0f} "
              f"| {max(t['peak'] for t in mine) / max(t['peak'] for t in base):.2f} | {agreement[mode]} |", flush=True)


def grow(wanted):
    """Seconds over tokens and layers: cost grows as the work does."""
    print("\n| layers | tokens | seconds | seconds per token and layer, relative |\n| --- | --- | --- | --- |")
    first = None
    for layers in (3, 6, 12):
        for prompts in (2, 4, 8):
            folder = wanted.work / f"grow-{layers}"
            words = [PYTHON, HERE / "make_model.py", "pythia", folder, "--layers", layers, "--width", 256, "--heads", 4,
                     "--prompts", prompts]
            subprocess.run([str(word) for word in words], check=True)
            store = wanted.work / f"grow-{layers}.varve"
            if store.exists():
                shutil.rmtree(store)
            subprocess.run([wanted.varve, "import", folder, "-o", store, "--link", "--quiet"], check=True,
                           stdout=subprocess.DEVNULL)
            runs = [run(varve_words(wanted, folder, store, "f32")) for _ in range(3)]
            seconds = statistics.median(t["processor"] for t in runs)
            each = seconds / (prompts * 256) / (layers + 1)
            first = first or each
            print(f"| {layers} | {prompts * 256} | {seconds:.2f} | {each / first:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("varve", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where models and stores are made")
    parser.add_argument("--shapes", nargs="*", default=["gpt2", "pythia"])
    parser.add_argument("--modes", nargs="*", default=["f32", "bf16"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--grow", action="store_true", help="also the table over tokens and layers")
    wanted = parser.parse_args()
    print("| model | program | wall seconds | processor seconds | times as fast, wall | times as fast, processor "
          "| times as fast as PyTorch's forward and lens alone | peak MiB | peak, of PyTorch's | agreement, worst |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for shape in wanted.shapes:
        compare(wanted, shape, wanted.modes)
    if wanted.grow:
        grow(wanted)


if __name__ == "__main__":
    main()
