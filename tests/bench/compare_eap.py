#!/usr/bin/python3
"""Runs `varve run edge-attribution` (EAP-IG, inputs) and torch_eap.py in turn on the same GPT-2 shaped model and the
same pairs, checks that every score agrees, and prints a table of whole processes; with --grow, seconds over pairs and
steps."""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

import numpy

from compare import HERE, PYTHON, run, spread

TOLERANCE = 2e-4  # of the largest score: two orders of summation in f32


def write_pairs(path, pairs, length):
    """Random prompts; the corrupted twin differs in a quarter of its tokens."""
    random = numpy.random.default_rng(2)
    with open(path, "w") as file:
        for _ in range(pairs):
            clean = random.integers(0, 50000, length)
            corrupted = clean.copy()
            at = random.choice(length, length // 4, replace=False)
            corrupted[at] = random.integers(0, 50000, len(at))
            correct, incorrect = map(int, random.integers(0, 50000, 2))
            file.write(json.dumps({"clean": clean.tolist(), "corrupted": corrupted.tolist(), "correct": correct,
                                   "incorrect": incorrect}) + "\n")


def varve_words(wanted, store, pairs, steps, *more):
    results = store / "results"
    if results.exists():
        shutil.rmtree(results)
    return [wanted.varve, "run", "edge-attribution", store, "--task", pairs, "--threads", wanted.threads, "--set",
            f"steps={steps}", "--quiet", "-o", wanted.work / "eap.h5", *more]


def torch_words(wanted, folder, pairs, steps, *more):
    return [PYTHON, HERE / "torch_eap.py", folder, pairs, "--threads", wanted.threads, "--steps", steps, *more]


def check(wanted, folder, store, pairs):
    run(varve_words(wanted, store, pairs, wanted.steps))
    run(torch_words(wanted, folder, pairs, wanted.steps, "-o", wanted.work / "torch_eap.npz"))
    subprocess.run([wanted.varve, "export", wanted.work / "eap.h5", "--to", "npz", "-o", wanted.work / "eap.npz",
                    "--quiet"], check=True, stdout=subprocess.DEVNULL)
    theirs = numpy.load(wanted.work / "torch_eap.npz")["scores"]
    ours = numpy.load(wanted.work / "eap.npz")["scores"].reshape(theirs.shape)
    worst = float(numpy.abs(ours - theirs).max() / numpy.abs(theirs).max())
    if not worst <= TOLERANCE:
        sys.exit(f"compare_eap: scores disagree by {worst} of the largest")
    return worst


def grow(wanted):
    """A small model, so that what is fixed (the start, the unembedding) weighs more than it would in a large one."""
    folder, store = wanted.work / "grow-eap", wanted.work / "grow-eap.varve"
    words = [PYTHON, HERE / "make_model.py", "gpt2", folder, "--layers", 6, "--width", 256, "--heads", 4]
    subprocess.run([str(word) for word in words], check=True)
    if store.exists():
        shutil.rmtree(store)
    subprocess.run([wanted.varve, "import", folder, "-o", store, "--link", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    print("\n| pairs | steps | processor seconds | times the first | times the first's passes |\n| --- | --- | --- | --- | --- |")
    first = None
    for count, steps in ((2, 5), (4, 5), (8, 5), (16, 5), (8, 10), (8, 20)):
        pairs = wanted.work / f"pairs-{count}.jsonl"
        write_pairs(pairs, count, wanted.length)
        seconds = statistics.median(run(varve_words(wanted, store, pairs, steps))["processor"] for _ in range(3))
        first = first or seconds
        # Two passes there, and one there and back for each step.
        work = count * (2 + 2 * steps) / (2 * 12)
        print(f"| {count} | {steps} | {seconds:.2f} | {seconds / first:.2f} | {work:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("varve", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where the model and the store are made")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--grow", action="store_true", help="also the table over pairs and steps")
    wanted = parser.parse_args()
    wanted.work.mkdir(parents=True, exist_ok=True)
    folder, store = wanted.work / "gpt2", wanted.work / "gpt2-eap.varve"
    if not (folder / "tokens.npy").exists():
        subprocess.run([PYTHON, HERE / "make_model.py", "gpt2", folder], check=True)
    if store.exists():
        shutil.rmtree(store)
    subprocess.run([wanted.varve, "import", folder, "-o", store, "--link", "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    pairs = wanted.work / "pairs.jsonl"
    write_pairs(pairs, wanted.pairs, wanted.length)
    worst = check(wanted, folder, store, pairs)
    torch, mine = [], []
    for _ in range(wanted.repeat):
        torch.append(run(torch_words(wanted, folder, pairs, wanted.steps)))
        mine.append(run(varve_words(wanted, store, pairs, wanted.steps)))
    peak = max(one["peak"] for one in torch)
    print("| program | wall seconds | processor seconds | times as fast, wall | times as fast, processor | peak MiB "
          "| peak, of PyTorch's | worst score, of the largest |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, runs in (("PyTorch f32", torch), ("varve f32", mine)):
        ratio = {kind: [b[kind] / m[kind] for b, m in zip(torch, runs)] for kind in ("wall", "processor")}
        own = max(one["peak"] for one in runs)
        print(f"| {name} | {spread([one['wall'] for one in runs])} | {spread([one['processor'] for one in runs])} "
              f"| {spread(ratio['wall'])} | {spread(ratio['processor'])} | {own / 2**20:.0f} | {own / peak:.2f} "
              f"| {'' if runs is torch else f'{worst:.1e}'} |", flush=True)
    if wanted.grow:
        grow(wanted)


if __name__ == "__main__":
    main()
