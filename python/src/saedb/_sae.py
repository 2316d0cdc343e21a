"""Sparse autoencoders in memory."""

from __future__ import annotations

import json
from typing import Any, Mapping, Optional

from duckdb import DuckDBPyConnection

from ._call import call, target
from ._loads import Loaded, loaded
from ._tensors import hand_over, kind_of


def add_sae(
    con: DuckDBPyConnection,
    sae: Any,
    *,
    name: Optional[str] = None,
    release: Optional[str] = None,
    model: Optional[str] = None,
    log_sparsity: Any = None,
    hook: Optional[str] = None,
    config: Optional[Mapping[str, Any]] = None,
    decoder: Optional[str] = None,
    replace: bool = False,
    copy: bool = False,
    database: Optional[str] = None,
) -> Loaded:
    """Loads the decoder of an SAE that is in memory.

    ``sae`` is an SAE or transcoder of SAELens, what
    ``SAE.from_pretrained_with_cfg_and_sparsity`` returns, or an array ``W_dec [d_sae, d_model]``
    of PyTorch, NumPy or Arrow, whose rows need not be an SAE's: any directions in the
    residual stream will do.

    ``hook`` is the hook point that it writes to, such as ``blocks.8.hook_resid_pre``, which gives
    the layer; ``config`` is a configuration as SAELens writes it, of which that is a part. An
    SAE of SAELens has both. ``log_sparsity`` is log10 of how often each feature fires.

    ``name`` is the SAE's name, and its hook point by default; in SQL it is ``release/name``.
    ``model`` names the model that it writes to: by default the only one loaded, or the one
    that its configuration names. ``decoder`` is the scale of its rows: ``as-stored`` (the default),
    ``unit-norm`` or ``saelens``. ``replace`` lets it take the place of a different SAE of that name,
    ``copy`` lets the same SAE have a second name.
    """
    if isinstance(sae, tuple) and len(sae) == 3:
        sae, _, found = sae
        log_sparsity = found if log_sparsity is None else log_sparsity
    settings = dict(config or {})
    if hasattr(sae, "W_dec") and hasattr(sae, "cfg"):
        tensors = {"W_dec": sae.W_dec}
        settings = {**sae.cfg.to_dict(), **settings}
        factors = getattr(sae, "finetuning_scaling_factor", None)
        if hasattr(factors, "shape"):
            tensors["finetuning_scaling_factor"] = factors
    elif hasattr(sae, "shape") or hasattr(sae, "combine_chunks") or hasattr(sae, "flatten"):
        tensors = {"W_dec": sae}
    else:
        raise TypeError(f"add_sae: expected an SAE of SAELens or an array W_dec, found {kind_of(sae)}")
    if hook is not None:
        settings["hook_name"] = hook
        settings["metadata"] = {**(settings.get("metadata") or {}), "hook_name": hook}
    if log_sparsity is not None:
        tensors["sparsity"] = log_sparsity
    description = {
        "name": name or hook or hook_of(settings), "source": kind_of(sae), "release": release or "", "model": model or "",
        "decoder": decoder or "", "replace": replace, "copy": copy, "database": target(con, database), "config": settings,
    }  # fmt: skip
    if not description["name"]:
        raise ValueError("add_sae: the SAE has no name; give it one with name= or hook=")
    handle = hand_over(con, tensors)
    return loaded(call(con, "saedb_add_sae", {"handle": handle, "description": json.dumps(description, default=str)}))[0]


def hook_of(settings: Mapping[str, Any]) -> str:
    metadata = settings.get("metadata") or {}
    return str(metadata.get("hook_name") or settings.get("hook_name") or "")
