"""Models in memory."""

from __future__ import annotations

import json
import os
from typing import Any, Optional, Sequence

from duckdb import DuckDBPyConnection

from ._call import call, target
from ._loads import Loaded, loaded
from ._tensors import hand_over, kind_of

#: Kinds of final norm by TransformerLens's names: which, and whether its weight is in W_U.
NORMS = {"LN": ("LayerNorm", False), "LNPre": ("LayerNorm", True), "RMS": ("RMSNorm", False), "RMSPre": ("RMSNorm", True)}


def add_model(
    con: DuckDBPyConnection,
    model: Any,
    *,
    name: Optional[str] = None,
    tokenizer: Any = None,
    tokens: Optional[Sequence[str]] = None,
    special: Sequence[int] = (),
    processing: Optional[str] = None,
    replace: bool = False,
    database: Optional[str] = None,
) -> Loaded:
    """Loads the unembedding and the vocabulary of a model that is in memory.

    ``model`` is one of

    * a model of ``transformers``: its unembedding is processed exactly as when the model is
      loaded from disk, by default as TransformerLens does (``processing`` is
      ``transformerlens``, ``fold-only`` or ``none``);
    * a ``HookedTransformer``: its ``W_U`` is taken as it is, since TransformerLens has processed it;
    * an unembedding ``[d_model, d_vocab]`` of PyTorch, NumPy or Arrow, taken as it is.

    What was done, or found done, is in the view ``models``. The tokens come from ``tokenizer``:
    a fast tokenizer of ``transformers``, one of ``tokenizers``, or the path of a
    ``tokenizer.json``; a HookedTransformer has its own. Or they are given as ``tokens``, by id,
    with the ids of the ``special`` ones among them.

    ``name`` is what SQL calls the model; ``replace`` lets it take the place of a different one
    of that name. ``database`` is where to: the current database of ``con`` by default.
    """
    description: dict[str, Any] = {"source": kind_of(model), "replace": replace, "database": target(con, database)}
    config = getattr(model, "config", None)
    if hasattr(model, "W_U") and hasattr(model, "cfg"):
        tensors = {"W_U": model.W_U}
        description["as_is"] = hooked(model.cfg)
        name = name or getattr(model.cfg, "model_name", None)
        tokenizer = tokenizer if tokenizer is not None or tokens is not None else getattr(model, "tokenizer", None)
    elif hasattr(model, "state_dict") and hasattr(config, "to_json_string"):
        assert config is not None
        description["processing"] = processing or ""
        description["config"] = config.to_json_string(use_diff=False)
        tensors = wanted(con, description["config"], model.state_dict())
        name = name or os.path.basename(str(getattr(config, "name_or_path", "") or "").rstrip("/")) or None
    elif hasattr(model, "shape"):
        tensors = {"W_U": model}
        description["as_is"] = {"architecture": "unknown", "tensor": "W_U", "transposed": True}
    else:
        raise TypeError(f"add_model: expected a transformers model, a HookedTransformer or an array W_U, found {kind_of(model)}")
    if not name:
        raise ValueError("add_model: the model has no name; give it one with name=")
    description["name"] = name
    description.update(vocabulary(tokenizer, tokens, special))
    handle = hand_over(con, tensors)
    return loaded(call(con, "saedb_add_model", {"handle": handle, "description": json.dumps(description)}))[0]


def hooked(cfg: Any) -> dict[str, Any]:
    """What the configuration of a HookedTransformer says of its W_U."""
    norm, folded = NORMS.get(str(getattr(cfg, "normalization_type", "")), ("", False))
    architecture = getattr(cfg, "original_architecture", None) or getattr(cfg, "model_name", None) or "unknown"
    return {"architecture": str(architecture), "tensor": "W_U", "transposed": True, "norm": norm, "norm_folded": folded}


def wanted(con: DuckDBPyConnection, config: str, state: Any) -> dict[str, Any]:
    """Those of a model's tensors that its unembedding is made of. One that is tied to the
    embedding appears twice among them, and goes by the embedding's name, as in a file."""
    names: dict[Any, str] = {}
    for name, tensor in state.items():
        names.setdefault((tensor.data_ptr(), tuple(tensor.shape)) if tensor.device.type != "meta" else name, name)
    found = call(con, "saedb_wanted_tensors", {"config": config, "names": json.dumps(list(names.values()))})
    return {row["name"]: state[row["name"]] for row in found}


def vocabulary(tokenizer: Any, tokens: Optional[Sequence[str]], special: Sequence[int]) -> dict[str, Any]:
    """The part of a model's description that gives its tokens."""
    if tokens is not None:
        return {"tokens": list(tokens), "special": [int(i) for i in special]}
    if tokenizer is None:
        raise ValueError("add_model: the model comes without tokens; give tokenizer= or tokens=")
    if isinstance(tokenizer, (str, os.PathLike)):
        with open(tokenizer, encoding="utf-8") as file:
            return {"tokenizer": file.read()}
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        raise TypeError(f"add_model: expected a fast tokenizer, found {kind_of(tokenizer)}; load it with use_fast=True, or give tokens=")
    return {"tokenizer": backend.to_str()}
