"""Writes encoders.json: of each fixture, the SHA-256 of its encoder's rows [d_sae, d_in], biases and
thresholds as float32, read by the names and shapes that its library gives them, with NumPy and
the standard library alone.

usage: encoders.py FIXTURES > encoders.json
"""

import hashlib
import io
import json
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

# Files by fixture; [W_enc, whether it is (d_in, d_sae), bias, threshold].
SAELENS = ("sae_weights.safetensors", "W_enc", True, "b_enc", "threshold")
DICTIONARY = ("ae.pt", "encoder.weight", False, "encoder.bias", "threshold")
LAYOUTS = {
    "saelens-gated": ("sae_weights.safetensors", "W_enc", True, "b_gate", None),
    "saelens-": SAELENS,
    "gemma-scope-2": ("params.safetensors", "w_enc", True, "b_enc", "threshold"),
    "gemma-scope-": ("params.npz", "W_enc", True, "b_enc", "threshold"),
    "llama-scope": ("final.safetensors", "encoder.weight", False, "encoder.bias", 0.0),
    "sparsify": ("sae.safetensors", "encoder.weight", False, "encoder.bias", None),
    "openai": ("6.pt", "encoder.weight", False, "latent_bias", None),
    "qwen-scope": ("layer7.sae.pt", "W_enc", False, "b_enc", None),
    "dictionary-learning-matryoshka": ("ae.pt", "W_enc", True, "b_enc", "threshold"),
    "dictionary-learning-": DICTIONARY,
}


def safetensors(data):
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + at for at in about["data_offsets"])
            yield name, number(data[begin:end], about["dtype"]).reshape(about["shape"])


def number(data, dtype):
    if dtype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, {"F32": np.float32, "F16": np.float16, "F64": np.float64}[dtype]).astype(np.float32)


def torch(data):
    archive = zipfile.ZipFile(io.BytesIO(data))
    (pickled,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
    root = pickled[: -len("data.pkl")]

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if name == "_rebuild_tensor_v2":
                return lambda storage, offset, shape, stride, *_: np.lib.stride_tricks.as_strided(
                    storage[offset:], shape, [4 * s for s in stride]
                )
            if name == "OrderedDict":
                return dict
            return name  # of a storage

        def persistent_load(self, pid):
            assert pid[1] in ("FloatStorage", "LongStorage"), pid
            return np.frombuffer(archive.read(f"{root}data/{pid[2]}"), np.float32)

    state = Unpickler(archive.open(pickled)).load()
    state = state.get("ae", state)
    return {name: value for name, value in state.items() if isinstance(value, np.ndarray)}


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f4").tobytes()).hexdigest()


def main(fixtures):
    out = {}
    for fixture in json.loads(Path(fixtures, "index.json").read_text()):
        name = fixture["name"]
        file, weight, turned, bias, threshold = next(layout for prefix, layout in LAYOUTS.items() if name.startswith(prefix))
        (path,) = Path(fixtures, name).rglob(file)
        data = path.read_bytes()
        if file.endswith(".npz"):
            tensors = dict(np.load(io.BytesIO(data)))
        else:
            tensors = torch(data) if file.endswith(".pt") else dict(safetensors(data))
        rows = tensors[weight].T if turned else tensors[weight]
        assert rows.shape == (fixture["d_sae"], fixture["d_model"]), (name, rows.shape)
        about = {"w_enc": digest(rows), "bias": digest(tensors[bias])}
        if isinstance(threshold, float):
            threshold = json.loads((path.parent.parent / "hyperparams.json").read_text()).get("jump_relu_threshold", 0)
            tensors["threshold"] = np.float32(threshold)
        if "threshold" in tensors and threshold is not None:
            about["threshold"] = digest(np.broadcast_to(tensors["threshold"], len(rows)))
        out[name] = about
    json.dump(out, sys.stdout, indent=1)
    print()


main(*sys.argv[1:])
