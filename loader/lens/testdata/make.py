"""Writes the files of this directory (PyTorch 2.15): python make.py

Matrices are [4, 4], of layers 0, 1 and 2 of a model of four blocks: value [i, j] of layer l is
l + i/8 + j/64, which binary16 has exactly.
"""

import json
import os

import torch

LAYERS, D = 3, 4


def matrix(layer):
    i, j = torch.arange(D).reshape(-1, 1), torch.arange(D).reshape(1, -1)
    return layer + i / 8 + j / 64


def jacobian(dtype=torch.float16, **more):
    return {"J": {l: matrix(l).to(dtype) for l in range(LAYERS)}, "n_prompts": 200, "source_layers": list(range(LAYERS)), "d_model": D, **more}


os.makedirs("published", exist_ok=True)
torch.save(jacobian(), "published/small_jacobian_lens.pt")
for protocol in 3, 4, 5:
    torch.save(jacobian(), f"protocol{protocol}.pt", pickle_protocol=protocol)
torch.save(jacobian(), "legacy.pt", _use_new_zipfile_serialization=False)
# As TransformerLens writes them, JacobianLens.save of jacobian_lens.py.
metadata = {"model_name": "small", "corpus": "wikitext", "transformer_lens_version": "3.9", "target_layer": 3, "n_prompts": 200}
torch.save(jacobian(metadata=metadata), "transformer_lens.pt")
torch.save(jacobian(provenance={"capture_point": "mlp_out", "model_id": "org/small"}), "of_mlps.pt")
torch.save({"jacobian_sum": {0: matrix(0)}, "n_done": 7, "next_idx": 8}, "checkpoint.pt")
torch.save({"J": {0: matrix(0).T, 1: matrix(1).to(torch.bfloat16)}, "d_model": D}, "columns.pt")
torch.save({f"layer_{l}": matrix(l) for l in range(LAYERS)}, "by_layer.pt")
torch.save({f"blocks.{l + 1}.hook_resid_pre": matrix(l) for l in range(LAYERS)}, "by_hook.pt")
torch.save(torch.stack([matrix(l) for l in range(LAYERS)]), "stack.pt")
os.makedirs("tuned", exist_ok=True)
# As TunedLens.save of tuned_lens/nn/lenses.py writes them: the state dict of layer_translators.
translators = torch.nn.ModuleList(torch.nn.Linear(D, D) for _ in range(LAYERS + 1))
with torch.no_grad():
    for l, t in enumerate(translators):
        t.weight.copy_(matrix(l))
torch.save(translators.state_dict(), "tuned/params.pt")
config = {"base_model_name_or_path": "org/small", "d_model": D, "num_hidden_layers": LAYERS + 1, "bias": True,
          "base_model_revision": None, "unembed_hash": "0", "lens_type": "linear_tuned_lens"}
with open("tuned/config.json", "w") as f:
    json.dump(config, f)
