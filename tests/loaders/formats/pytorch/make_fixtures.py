#!/usr/bin/python3
"""Makes the small PyTorch files beside it and, as the truth about them, safetensors files of the same tensors.

Written with PyTorch 1.13 and NumPy 1.24; run it again only when a case is added."""
import collections
import json
import os
import pickle
import struct

import numpy as np
import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.manual_seed(0)
NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
         torch.bool: "BOOL"}


def raw(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def safetensors(tensors, file):
    header, data = {}, b""
    for name, tensor in tensors.items():
        bytes_ = raw(tensor)
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(header).encode()
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def both(value, stem):
    torch.save(value, stem + ".pt")
    torch.save(value, stem + "-old.pt", _use_new_zipfile_serialization=False)


types = {str(t): torch.tensor([[0, 1, 2], [3, -4, 5]]).abs().to(t) for t in NAMES}
both(types, "types")
safetensors(types, "types.safetensors")

base = torch.arange(24.).reshape(4, 6)
views = {"base": base, "turned": base.t(), "row": base[1], "column": base[:, 2], "part": base[1:3, 2:5],
         "spread": base[::2, ::3], "repeated": torch.ones(1, 3).expand(5, 3), "one": torch.tensor(3.5),
         "none": torch.zeros(0, 3), "half": torch.arange(8.).half()[3:5]}
both(views, "views")
safetensors(views, "views.safetensors")

model = torch.nn.Linear(3, 2)
adam = torch.optim.Adam(model.parameters())
model(torch.ones(3)).sum().backward()
adam.step()
both({"model_state_dict": collections.OrderedDict(("module." + k, v) for k, v in model.state_dict().items()),
      "optimizer_state_dict": adam.state_dict(), "epoch": 7, "loss": 0.5, "np_loss": np.float64(0.5),
      "seen": collections.Counter("aab"), "rng_state": torch.get_rng_state()[:8],
      "np_random_state": {"keys": np.arange(3, dtype=np.uint32)}}, "training")
safetensors(model.state_dict(), "training.safetensors")

history = [{"w": torch.full((2,), float(i)), "b": torch.full((1,), -float(i))} for i in range(3)]
torch.save({"state_dicts": history, "epochs": [0, 10, 200], "train_losses": [1.0, 0.5, 0.25],
            "config": {"p": 97}}, "history.pt")

torch.save({"w": torch.ones(2, dtype=torch.complex64)}, "complex.pt")
torch.save({"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, "quantized.pt")
torch.save({"w": torch.eye(2).to_sparse()}, "sparse.pt")
torch.save(model, "whole-model.pt")

arrays = {"f4": np.arange(6, dtype="f4").reshape(2, 3), "turned": np.asfortranarray(np.arange(6, dtype="f2").reshape(2, 3)),
          "i8": np.arange(3), "inner": {"b1": np.array([True, False])}, "scalar": np.float32(1.5), "words": ["a", 1, None]}
for protocol in range(6):
    with open(f"arrays-{protocol}.pkl", "wb") as out:
        pickle.dump(arrays, out, protocol=protocol)
safetensors({"f4": torch.tensor(arrays["f4"]), "turned": torch.tensor(arrays["turned"]),
             "i8": torch.tensor(arrays["i8"]), "inner.b1": torch.tensor(arrays["inner"]["b1"])}, "arrays.safetensors")
np.savez("stored.npz", **{k: v for k, v in arrays.items() if isinstance(v, np.ndarray)}, **{"inner.b1": arrays["inner"]["b1"]})
np.savez_compressed("packed.npz", **{k: v for k, v in arrays.items() if isinstance(v, np.ndarray)}, **{"inner.b1": arrays["inner"]["b1"]})
