"""Computation of features with features."""

from __future__ import annotations

from typing import NamedTuple, Optional

from duckdb import DuckDBPyConnection

from ._call import call, target as attached


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
    must be loaded with its encoder (``load_sae(…, encoder=True)``). Both are words for SAEs, as of :func:`compute`.
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
