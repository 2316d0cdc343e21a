"""Writes the files of this directory (PyTorch 2.15, NumPy 2.4): python make.py"""

import argparse
import collections

import numpy as np
import torch

w = torch.arange(12, dtype=torch.float32).reshape(3, 4)
linear = torch.nn.Linear(2, 3)
with torch.no_grad():
    linear.weight.copy_(torch.arange(6).reshape(3, 2))
    linear.bias.copy_(torch.arange(3))
tagged = torch.ones(2)
tagged.note = "a tensor with an attribute"
optimizer = torch.optim.Adam(linear.parameters(), lr=1e-3)
linear(torch.ones(1, 2)).sum().backward()
optimizer.step()
with torch.no_grad():
    linear.weight.copy_(torch.arange(6).reshape(3, 2))
    linear.bias.copy_(torch.arange(3))

varied = {
    "w": w,
    "columns": w.T,
    "row": w[1],
    "rows": w[1:],
    "every_other": w[:, ::2],
    "expanded": torch.ones(1).expand(5),
    "bf16": w.to(torch.bfloat16),
    "f16": w.to(torch.float16),
    "f64": w.to(torch.float64),
    "i64": torch.arange(3),
    "bool": torch.tensor([True, False]),
    "u16": torch.tensor([1, 65535], dtype=torch.uint16),
    "f8": torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 4),
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "tagged": tagged,
    "sparse": torch.eye(2).to_sparse(),
    "state_dict": linear.state_dict(),
    "optimizer": optimizer.state_dict(),
    "module": linear,
    "cfg": {
        "k": 32,
        "lr": 0.5,
        "seed": 2**70,
        "minus": -3,
        "big": -(2**40),
        "name": "gpt2-small é",
        "none": None,
        "yes": True,
        "dtype": torch.float32,
        "device": torch.device("cuda:0"),
        "size": torch.Size([3, 4]),
        "args": argparse.Namespace(k=3),
        "default": collections.defaultdict(list),
        "numpy_float": np.float64(0.25),
        "numpy_int": np.int64(-5),
        "list": [1, "two", w],
        "set": {1, 2},
        (1, 2): "a tuple for a key",
    },
}
torch.save(varied, "varied.pt")
torch.save({"w": w, "cfg": {"k": 32, "set": {1}, "name": "é"}}, "protocol5.pt", pickle_protocol=5)
torch.save(w, "tensor.pt")
for protocol in 2, 3, 4, 5:
    torch.save({"w": w, "row": w[1], "columns": w.T, "f16": w.to(torch.float16), "cfg": {"k": 32}},
               f"legacy{protocol}.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
