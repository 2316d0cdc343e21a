"""Computation of features with features."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from duckdb import DuckDBPyConnection

from ._call import call, target as attached
from ._connection import PathLike


class ComputedPair(NamedTuple):
    """What was computed of two SAEs: one block of the features of ``sae``, or why nothing was."""

    sae: str
    other: str  #: the SAE whose features are in the lists
    computed: Optional[str]  #: ``outgoing`` and ``incoming`` links, or ``neighbours``; None where the pair was skipped
    features: Optional[int]
    top: Optional[int]  #: how many are kept of each end
    seconds: Optional[float]
    skipped: Optional[str]  #: why the two have no product that stands for anything


def compute_links(con: DuckDBPyConnection, source: str, target: str, *, top: Optional[int] = None, database: Optional[str] = None) -> list[ComputedPair]:
    """Computes direct weights from the features of some SAEs to those of others, for the view ``feature_links``.

    A weight is the decoder direction of a feature of ``source`` times the encoder row of one of ``target``, which
    must be loaded with its encoder (``load_sae(…, encoder=True)``). Both are words for SAEs, as of :func:`compute`; ``target`` may
    also be ``"MODEL#mlp_in.LAYER"``, the neurons of an MLP, for the view ``neuron_links``.
    The ``top`` strongest of either sign are kept (32 by default), of the targets of every source, and of the sources of
    every target. Pairs whose target reads before the source writes are skipped, and are in the list with the reason.
    Each block of features is kept when it is done.
    """
    return pairs(con, "saedb_compute_links", source, target, top, database)


def compute_neighbours(
    con: DuckDBPyConnection, source: Optional[str] = None, target: Optional[str] = None, *, top: Optional[int] = None, database: Optional[str] = None
) -> list[ComputedPair]:
    """Computes which decoder directions are nearest to each other, for the view ``feature_neighbours``.

    Without ``target``, within each SAE of ``source``, by default all; with it, between those of ``source`` and those of
    ``target``, both ways. The ``top`` with the highest cosine are kept of each feature (32 by default).
    """
    return pairs(con, "saedb_compute_neighbours", source, target, top, database)


def pairs(
    con: DuckDBPyConnection, procedure: str, source: Optional[str], target: Optional[str], top: Optional[int], database: Optional[str]
) -> list[ComputedPair]:
    rows = call(con, procedure, {"source": source, "target": target, "top": top, "database": attached(con, database)})
    return [ComputedPair(*(row[field] for field in ComputedPair._fields)) for row in rows]


class Matched(NamedTuple):
    """How the features of two SAEs were matched one to one."""

    a: str
    b: str
    matched: int
    pw_mcc: Optional[float]  #: mean |cosine| of the pairs
    mean_of_maxima: Optional[float]  #: None where they are matched by folded directions
    sum_of_worth: float
    sum_at_most: float  #: that no matching is above
    only_in_a: int  #: features without a partner
    only_in_b: int
    split: int  #: features of b that are the nearest of several of a


def match(
    con: DuckDBPyConnection,
    a: str,
    b: str,
    *,
    cosine: Optional[float] = None,
    folded: bool = False,
    to: Optional[PathLike] = None,
    database: Optional[str] = None,
) -> Matched:
    """Matches the features of two SAEs one to one by their decoder directions, as the SQL function ``match_saes`` does.

    ``cosine`` is the least |cosine| of a pair. ``folded`` matches by decoder directions times thresholds (SAE Match, arXiv
    2410.07656), which needs both encoders. ``to`` is a file that gets the pairs, the features without a partner, those of
    ``b`` that are the nearest of several of ``a``, and where both SAEs come from, in JSON.
    """
    rows = call(con, "saedb_match", {
        "a": a, "b": b, "cosine": cosine, "folded": folded, "to": None if to is None else os.fspath(to), "database": attached(con, database),
    })  # fmt: skip
    return Matched(*(rows[0][field] for field in Matched._fields))
