"""The computation: what it is asked for, and what of that is refused."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Callable, Optional, Union

from . import _inputs, _model
from ._errors import SparkJobError
from ._jobs import to_stderr, working
from ._run import Computed, Run
from ._through import Through

__all__ = ["Computed", "compute"]


def compute(
    spark: Any,
    saes: _inputs.SAEs,
    model: Union[str, "os.PathLike[str]"],
    out: str,
    sets: _model.Sets = None,
    *,
    release: str = _inputs.DEFAULT_RELEASE,
    tokens: str = "all",
    model_name: Optional[str] = None,
    processing: Optional[str] = None,
    baseline: Optional[int] = None,
    baseline_like: str = "isotropic",
    side: str = "output",
    lens: Optional[str] = None,
    rank_correlation: bool = False,
    partition_bytes: int = 256 << 20,
    cache_bytes: int = 64 << 30,
    memory: str = "1GB",
    progress: Optional[Callable[[str], None]] = None,
) -> list[Computed]:
    """Computes the statistics of every feature, and its enrichment, as Parquet below ``out``.

    ``saes`` is the path of an SAE or of a directory above several, a list of paths, a mapping of releases' names
    to those; or a DataFrame: with a column ``path`` (and ``release`` and ``sae``, its name), a row an SAE,
    or with columns ``sae``, ``feature`` and ``w_dec`` (and ``release``, ``hook``, ``layer``, ``log_sparsity``,
    ``neuronpedia_id``), a row a direction. A path without a protocol must be the same on every machine; one with a protocol
    (``s3://bucket/sae``) is one SAE, copied by fsspec to the local disk of the executors that need it.

    ``model`` is a Hugging Face directory or a GGUF file, or a saedb database with the model (and its token
    sets) in it, on the driver's machine. ``sets`` are the token sets to score: None for none, True for all (of a
    database, or the built-in ones), or a list of families and names, of a model on disk also of files.

    ``baseline`` is how many random directions p-values are against, which the driver computes: by default those that the database of
    ``model`` has, or 4096; 0 is none, and then there are no p-values but ``ks_p_value``. With ``baseline_like`` ``sae`` they have the covariance
    of each SAE's own unit decoder, and of its unit encoder on the input side, and a task computes them before the SAE's features.

    ``side`` is ``output``, what features write, ``input``, which tokens excite them, or ``both``: the products of the SAEs' encoders with the model's
    embedding are in the columns of ``features`` that begin with ``input_``, and in ``input_enrichment``. That needs SAEs in files that have their encoders, and
    of a database a model that was loaded with its embedding.

    ``lens`` is the name of a lens that is loaded in the database ``model``: what features come to write through it is then computed, in ``features_through`` and
    ``enrichment_through`` beside the results without it, which must be in ``out`` already. ``rank_correlation`` adds how far it moves each feature
    over the whole vocabulary.

    What is there already for the same content, model, tokens, sets, baseline, side and version is left as it is. Nothing of an
    SAE appears before all of it is computed. Only one computation may write to ``out`` at a time.

    ``partition_bytes`` bounds the memory that a task's features take, ``cache_bytes`` the copies of remote files on an executor,
    ``memory`` DuckDB's buffers in a worker process, which the unembedding comes on top of.
    ``progress`` is told a line for each SAE; by default it is written to standard error.
    """
    if tokens not in ("all", "real"):
        raise SparkJobError(f"tokens: expected all or real, found {tokens}")
    if side not in _model.SIDES:
        raise SparkJobError(f"side: expected output, input or both, found {side}")
    if baseline_like not in ("isotropic", "sae"):
        raise SparkJobError(f"baseline_like: expected isotropic or sae, found {baseline_like}")
    like = baseline_like == "sae"
    if like and baseline == 0:
        raise SparkJobError("baseline_like: a baseline of 0 random directions is like nothing")
    if rank_correlation and lens is None:
        raise SparkJobError("rank_correlation: it is of logit weights with those through a lens, and lens names none")
    if lens is not None and side != "output":
        raise SparkJobError(f"lens: a lens is of what features write: it goes with side output, not {side}")
    if _inputs.is_rows(saes):
        if lens is not None:
            raise SparkJobError("lens: it is of SAEs in files; rows of directions are computed without")
        if side != "output":
            raise SparkJobError(f"side: {side} is of SAEs in files, which have their encoders; rows of directions have none")
        if like:
            raise SparkJobError("baseline_like: sae is of SAEs in files, all of whose directions a task reads; rows of directions have isotropic baselines")
    prepared = _model.prepared(spark.sparkContext.applicationId, os.fspath(model), sets, model_name, processing, tokens, baseline, side, like, lens)
    with working(spark, os.fspath(out)) as (output, scratch):
        given = (spark, output, scratch, partition_bytes, cache_bytes, memory, progress or to_stderr)
        run = Run if lens is None else partial(Through, lens=lens, rank_correlation=rank_correlation)
        return run(*given, prepared, tokens, side, like, baseline).everything(saes, release)
