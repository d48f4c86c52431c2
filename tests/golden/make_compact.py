"""Makes the small goldens kept in this folder out of the full ones: python3 make_compact.py GOLDENS_FOLDER

Every number kept is a number of the full set, bit for bit; nothing is computed anew. What is left out:
prompt `batch` becomes `cut`, the first 12 tokens of its first row (in a causal model later tokens and other rows
change nothing there); gradients go; where a vocabulary is cut to 120 rows, token ids are renumbered in order, the
logits keep those columns, and lens statistics that sum over the vocabulary go too.
"""
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np

CUT_TOKENS = 12
KEPT_VOCABULARY = 120
WHOLE_VOCABULARY = {"gpt2", "gpt_neox"}
CASES = ["gpt2", "gpt_neox", "llama_gqa", "qwen2", "llama_rope_llama3", "olmoe", "mixtral", "qwen2_moe", "olmo"]
WITH_LENS = {"gpt2", "gpt_neox", "llama_gqa"}
# bf16 has no NumPy type; its bits do.
DTYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}

# Where the token axes of an array of a prompt stand, and the axis of its rows.
TOKEN_AXES = {"input_ids": (1,), "logits": (1,), "resid_last": (1,), "attentions": (3, 4)}
ROW_AXIS = {"input_ids": 0, "logits": 0, "resid_last": 0}


def read_tensors(path):
    """1. u64 header length; 2. JSON header of name -> dtype, shape, offsets; 3. the data."""
    raw = path.read_bytes()
    length = struct.unpack_from("<Q", raw)[0]
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(raw[8 + length + begin:8 + length + end], DTYPES[entry["dtype"]])
        tensors[name] = (entry["dtype"], data.reshape(entry["shape"]))
    return metadata, tensors


def write_tensors(path, metadata, tensors):
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    # Wider types first, so that each starts at a multiple of its size.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1][1].itemsize, item[0]))
    for name, (dtype, data) in ordered:
        header[name] = {"dtype": dtype, "shape": list(data.shape), "data_offsets": [at, at + data.nbytes]}
        at += data.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, (_, data) in ordered:
            file.write(np.ascontiguousarray(data).tobytes())


def cut_row(name, data):
    if name == "moe_layers":
        return data
    data = np.take(data, [0], axis=ROW_AXIS.get(name, 1))
    for axis in TOKEN_AXES.get(name, (2,)):
        data = np.take(data, range(CUT_TOKENS), axis=axis)
    return data


def compact_golden(tensors):
    kept = {}
    for name, (dtype, data) in tensors.items():
        prompt, _, array = name.partition(".")
        if prompt in ("one", "short"):
            kept[name] = (dtype, data)
        elif prompt == "batch" and not array.startswith("grad."):
            kept["cut." + array] = (dtype, cut_row(array, data))
    return kept


def compact_lens(tensors, whole_vocabulary):
    def stays(name):
        if name in ("lens.logits", "heads.pattern"):
            return False
        return whole_vocabulary or not name.startswith("lens.") or name == "lens.input_ids"

    return {name: tensor for name, tensor in tensors.items() if stays(name)}


def is_token_list(name):
    return name.endswith("input_ids") or name.endswith("answer_ids")


def kept_ids(vocabulary, *groups):
    """Every id that is named, then the lowest others, in order."""
    used = {int(i) for tensors in groups for name, (_, data) in tensors.items() if is_token_list(name)
            for i in data.flat}
    others = [i for i in range(vocabulary) if i not in used]
    assert len(used) <= KEPT_VOCABULARY
    return np.array(sorted(list(used) + others[:KEPT_VOCABULARY - len(used)]))


def renumber(tensors, ids):
    for name, (dtype, data) in tensors.items():
        if is_token_list(name):
            tensors[name] = (dtype, np.searchsorted(ids, data).astype("<i8"))
        elif name.endswith(".logits") and not name.endswith("router.logits"):
            tensors[name] = (dtype, data[..., ids])


def compact_weights(source, target, vocabulary, ids):
    total = 0
    for path in sorted(source.glob("model*.safetensors")):
        metadata, tensors = read_tensors(path)
        if ids is not None:
            for name, (dtype, data) in tensors.items():
                if data.ndim == 2 and data.shape[0] == vocabulary:
                    tensors[name] = (dtype, data[ids])
        total += sum(data.nbytes for _, data in tensors.values())
        write_tensors(target / path.name, metadata, tensors)
    index = source / "model.safetensors.index.json"
    if index.exists():
        content = json.loads(index.read_text())
        content["metadata"]["total_size"] = total
        (target / index.name).write_text(json.dumps(content, indent=1) + "\n")


def compact_case(source, target):
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    vocabulary = config["vocab_size"]
    metadata, golden = read_tensors(source / "golden.safetensors")
    golden = compact_golden(golden)
    whole = source.name in WHOLE_VOCABULARY
    lens = {}
    if source.name in WITH_LENS:
        lens_metadata, lens = read_tensors(source / "analysis_lens.safetensors")
        lens = compact_lens(lens, whole)
        shutil.copyfile(source / "analysis.json", target / "analysis.json")
    ids = None if whole else kept_ids(vocabulary, golden, lens)
    if ids is not None:
        config["vocab_size"] = len(ids)
        renumber(golden, ids)
        renumber(lens, ids)
    compact_weights(source, target, vocabulary, ids)
    write_tensors(target / "golden.safetensors", metadata, golden)
    if lens:
        write_tensors(target / "analysis_lens.safetensors", lens_metadata, lens)
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    case = json.loads((source / "case.json").read_text())
    case["files"] = sorted(path.name for path in target.glob("model*.safetensors"))
    case["gradients"] = False
    case["vocabulary_kept"] = "all" if ids is None else ids.tolist()
    (target / "case.json").write_text(json.dumps(case) + "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_compact.py GOLDENS_FOLDER")
    here = Path(__file__).resolve().parent
    for case in CASES:
        compact_case(Path(sys.argv[1]) / case, here / case)
    total = sum(path.stat().st_size for path in here.glob("*/*"))
    print(f"{len(CASES)} cases, {total} bytes")


if __name__ == "__main__":
    main()
