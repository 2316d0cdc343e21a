"""Computation, its verification, and what is made of results."""

from __future__ import annotations

import operator
import os
import webbrowser
from pathlib import Path
from typing import Iterable, NamedTuple, Optional

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from ._call import call, target
from ._connection import PathLike, connect
from ._errors import ArgumentError


class Computed(NamedTuple):
    """What was computed: one block of the features of an SAE."""

    sae: str
    computed: str  #: ``statistics``, with enrichment where there are token sets, or ``enrichment`` alone, or ``rank correlation``; of the input side ``input statistics`` or ``input enrichment``; through a lens with `` through NAME`` behind
    features: int
    token_sets: int  #: that were scored
    seconds: float


class Checked(NamedTuple):
    """What :func:`check` found. It is true where the database is sound."""

    findings: list[str]  #: what is wrong, a line each
    notes: list[str]  #: what is no damage, but a person should know
    summary: str  #: what was checked

    def __bool__(self) -> bool:
        return not self.findings


class Exported(NamedTuple):
    """What was exported."""

    directory: Path
    features: int
    saes: int
    bytes: int


class Imported(NamedTuple):
    """One SAE of an import."""

    name: str
    features: int
    unchanged: bool  #: it has figures already, which stay


def compute(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    tokens: Optional[str] = None,
    baseline: Optional[int] = None,
    baseline_like: Optional[str] = None,
    side: Optional[str] = None,
    lens: Optional[str] = None,
    rank_correlation: bool = False,
    database: Optional[str] = None,
) -> list[Computed]:
    """Computes what is missing: the statistics of every feature, then its enrichment.

    ``sae`` is words for SAEs: a name, ``release/name``, ``layer_29`` or a glob pattern; ``layer``
    is those at a layer. ``tokens`` is ``all`` (every
    column of the unembedding, the default) or ``real`` (without padding and special tokens).
    ``baseline`` is how many random directions p-values are against, computed once a model and choice of
    tokens: by default those that there are, or 4096; 0 is none, and then there are no p-values but
    ``ks_p_value``. ``baseline_like`` is their kind: ``isotropic``, which belongs to the model alone, or
    ``sae``, with the covariance of each SAE's own unit decoder, or of the input side encoder; by default the kind that there is, or isotropic.
    ``side`` is ``output`` (the default), what features write; ``input``, which tokens excite them, of SAEs that were
    loaded with ``encoder=True`` and a model with ``embedding=True``, in the view ``input_enrichment``; or ``both``.
    ``lens`` is the name of a loaded lens: then it is what features come to write through it, in ``features_through('NAME')`` and
    ``enrichment_through('NAME')``, beside what they write directly. ``rank_correlation`` adds how far the lens moves each feature over the whole
    vocabulary, the column of that name of ``features_through``; it multiplies and ranks the vocabulary twice more a feature.
    Each block of features is kept when it is done: after an interruption the next call goes
    on from there. Ctrl-C ends it; interrupt() of a connection ends only a query that runs.
    """
    one_of(sae, layer, "compute")
    rows = call(con, "saedb_compute", {
        "sae": sae, "layer": layer, "tokens": tokens, "baseline": None if baseline is None else str(operator.index(baseline)),
        "baseline_like": baseline_like, "side": side, "lens": lens, "rank_correlation": rank_correlation, "database": target(con, database),
    })  # fmt: skip
    return [Computed(row["sae"], row["computed"], row["features"], row["token_sets"], row["seconds"]) for row in rows]


def one_of(sae: Optional[str], layer: Optional[int], function: str) -> None:
    if sae is not None and layer is not None:
        raise TypeError(f"{function}: layer or sae, not both: sae='RELEASE/layer_N' is a layer of a release")


def check(con: DuckDBPyConnection, *, sample: Optional[int] = None, all: bool = False, database: Optional[str] = None) -> Checked:
    """Verifies a database: its tables, weights against what was loaded, figures against the weights.

    The figures of ``sample`` features of each SAE (16 by default), or of ``all``, are computed again. Damage
    is no error: ``if not saedb.check(con): …``.
    """
    rows = call(con, "saedb_check", {"sample": sample, "all": all, "database": target(con, database)})
    said: dict[str, list[str]] = {"finding": [], "note": [], "checked": []}
    for row in rows:
        said[row["kind"]].append(row["text"])
    return Checked(said["finding"], said["note"], said["checked"][0])


def export(
    con: DuckDBPyConnection,
    directory: PathLike,
    *,
    formats: Iterable[str] = (),
    spreadsheet: bool = False,
    replace: bool = False,
    database: Optional[str] = None,
) -> Exported:
    """Writes the results, without weights, as Parquet, CSV and a DuckDB file, for other programs.

    ``directory`` appears whole, or not at all; ``formats`` are some of ``parquet``, ``csv`` and ``duckdb``, all by default.
    ``replace`` lets it take the place of an earlier export. ``spreadsheet`` is for CSV that Excel or LibreOffice opens: marked
    as UTF-8, with an apostrophe before text that would be a formula. Lists are JSON in the CSV files; to read those with
    pandas, give ``keep_default_na=False, na_values=[""]``, or tokens such as ``NA`` and ``null`` are taken for missing.
    """
    ((row),) = call(con, "saedb_export", {
        "directory": os.fspath(directory), "format": list(formats) or None, "spreadsheet": spreadsheet, "replace": replace, "database": target(con, database),
    })  # fmt: skip
    return Exported(Path(directory), row["features"], row["saes"], row["bytes"])


def import_results(con: DuckDBPyConnection, directory: PathLike, *, replace: bool = False, database: Optional[str] = None) -> list[Imported]:
    """Takes in the Parquet of an export, or of a cluster's computation.

    An SAE that is loaded gets its figures; another comes with its figures, but without its weights, and so does its
    model. ``replace`` lets figures take the place of those that are there, and SAEs of others of their names.
    """
    rows = call(con, "saedb_import", {"directory": os.fspath(directory), "replace": replace, "database": target(con, database)})
    return [Imported(row["name"], row["features"], row["unchanged"]) for row in rows]


def report(con: DuckDBPyConnection, path: PathLike = "report.html", *, database: Optional[str] = None) -> Path:
    """Writes a page of what is loaded, the figures by layer, and the features that stand out; returns its path.

    The page needs nothing else, and no network.
    """
    call(con, "saedb_report", {"path": os.fspath(path), "database": target(con, database)})
    return Path(path)


def neuronpedia(
    con: DuckDBPyConnection,
    *features: str,
    sql: Optional[str] = None,
    name: Optional[str] = None,
    open: bool = False,
    database: Optional[str] = None,
) -> list[str]:
    """The addresses of Neuronpedia's pages of a list of features.

    ``features`` are ``"SAE:FEATURES"``: words for one SAE, and numbers and ranges, as
    ``"blocks.8.hook_resid_pre:12,55-60"``; or ``sql`` is a query that gives the columns ``sae`` and ``feature``, in
    order. A list has at most 150 features: more make more lists. ``name`` is what the page calls it; ``open`` opens
    the pages in a browser, at most ten.
    """
    addresses = [row["address"] for row in call(con, "saedb_neuronpedia", {
        "features": list(features) or None, "query": sql, "name": name, "database": target(con, database),
    })]  # fmt: skip
    if open:
        if len(addresses) > 10:
            raise ArgumentError(f"neuronpedia: open: expected at most 10 lists, found {len(addresses)} (choose fewer features)")
        for address in addresses:
            webbrowser.open(address)
    return addresses


def releases(text: str = "", *, con: Optional[DuckDBPyConnection] = None) -> DuckDBPyRelation:
    """The published releases of SAEs that :func:`load_sae` finds, or the SAEs of the one with this name.

    ``text`` is a part of the release's, repository's or model's name. Nothing is downloaded. It is a relation of
    DuckDB: it shows itself, and ``.df()`` is pandas. In SQL, ``FROM releases()`` has every SAE.
    """
    own = con if con is not None else catalogue()
    return own.sql(call(own, "saedb_releases_query", {"text": text})[0]["query"])


_catalogue: list[DuckDBPyConnection] = []


def catalogue() -> DuckDBPyConnection:
    """A database in memory, for what needs none."""
    if not _catalogue:
        _catalogue.append(connect())
    return _catalogue[0]
