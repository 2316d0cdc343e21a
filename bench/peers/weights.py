"""What both peers share: the model's unembedding, phases of time, and results."""

import csv
import json
import resource
import time

import torch
from safetensors.torch import load_file


def unembedding(model_directory):
    """W_U [d_model, vocab] of a GPT-2 directory, as TransformerLens processes it:
    the final LayerNorm's weight folded, centred over d_model, then over the
    vocabulary. Only these tensors are read; loading the whole model through
    TransformerLens would take longer."""
    tensors = load_file(f"{model_directory}/model.safetensors")
    w_u = tensors["wte.weight"].T * tensors["ln_f.weight"][:, None]
    w_u -= w_u.mean(dim=0, keepdim=True)
    w_u -= w_u.mean(dim=1, keepdim=True)
    return w_u.contiguous()


class Phases:
    """Seconds between calls, by name."""

    def __init__(self, begun):
        self.seconds = {}
        self._last = begun

    def end(self, name):
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def write_results(path, columns):
    """Writes columns, name -> tensor [features] or [features, k], as CSV with a
    column name_0 … name_k-1 for each of the latter."""
    names, values = ["feature"], []
    for name, tensor in columns.items():
        if tensor.dim() == 1:
            names.append(name)
            values.append(tensor.tolist())
        else:
            names.extend(f"{name}_{i}" for i in range(tensor.shape[1]))
            values.extend(tensor.T.tolist())
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows((feature, *row) for feature, row in enumerate(zip(*values)))


def report(phases, columns):
    """Prints what the benchmark reads: seconds, peak memory, and the mean of every
    column as a checksum that a person can compare."""
    print(
        json.dumps(
            {
                "seconds": phases.seconds,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
                "checksum": {name: tensor.double().mean().item() for name, tensor in columns.items()},
            }
        )
    )
