"""Connections with the extension loaded, and the procedures that work on files."""

from __future__ import annotations

import operator
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Union

import duckdb
from duckdb import DuckDBPyConnection

PathLike = Union[str, "os.PathLike[str]"]


class Loaded(NamedTuple):
    """What a load did."""

    name: str  #: of the model or SAE, as SQL calls it
    rows: int  #: tokens of a model, features of an SAE
    bytes: int  #: of the files or tensors
    seconds: float
    unchanged: bool  #: it was there already, with the same content
    note: Optional[str]  #: what a person should know of it


class Computed(NamedTuple):
    """What was computed: one block of the features of an SAE."""

    sae: str
    computed: str  #: ``statistics``, with enrichment where there are token sets, or ``enrichment`` alone
    features: int
    token_sets: int  #: that were scored
    seconds: float


class Unloaded(NamedTuple):
    """What was taken out of a database."""

    kind: str
    name: str
    with_: str  #: what went with it, in words


class TokenSets(NamedTuple):
    """Token sets that were loaded for a model."""

    model: str
    added: int
    replaced: int
    unchanged: int
    note: Optional[str] = None  #: members that are no token of the model, and sets left out, counted and named


def extension_path() -> Path:
    """The loadable extension that this package carries, for other clients of DuckDB."""
    return Path(__file__).with_name("saedb.duckdb_extension")


def connect(
    database: PathLike = ":memory:", *, read_only: bool = False, config: Optional[Mapping[str, Any]] = None
) -> DuckDBPyConnection:
    """Opens a database, or one in memory, with every function of saedb in it.

    It is ``duckdb.connect``, with unsigned extensions allowed and the extension loaded. A new
    file is written for every DuckDB from 1.0 on, the saedb program's too, unless ``config`` has
    another ``storage_compatibility_version``: by default, DuckDB 2 writes files that only it reads.
    """
    options = {
        "storage_compatibility_version": "v1.0.0", **(config or {}), "allow_unsigned_extensions": "true",
    }  # fmt: skip
    con = duckdb.connect(os.fspath(database), read_only=read_only, config=options)
    try:
        load(con)
    except BaseException:
        con.close()
        raise
    return con


def load(con: DuckDBPyConnection) -> None:
    """Loads the extension into a database that is open already.

    It must have been opened with ``config={"allow_unsigned_extensions": "true"}``, which
    DuckDB does not let one change afterwards. Loading it again changes nothing.
    """
    con.execute(f"LOAD {literal(str(extension_path()))}")


def load_model(
    con: DuckDBPyConnection,
    path: PathLike,
    *,
    name: Optional[str] = None,
    processing: Optional[str] = None,
    replace: bool = False,
    database: Optional[str] = None,
) -> Loaded:
    """Loads a model from a Hugging Face directory or a GGUF file.

    ``name`` is the file's or directory's own by default. ``processing`` of the unembedding is
    ``transformerlens`` (the default), ``fold-only`` or ``none``. ``replace`` lets it take the
    place of a different model of that name. ``database`` is where to: the current
    database of ``con`` by default.
    """
    found = call(
        con, "saedb_load_model", [os.fspath(path)], name=name, processing=processing, replace=flag(replace),
        database=target(con, database),
    )  # fmt: skip
    return Loaded(*found[0])


def load_sae(
    con: DuckDBPyConnection,
    path: PathLike,
    *,
    name: Optional[str] = None,
    model: Optional[str] = None,
    release: Optional[str] = None,
    decoder: Optional[str] = None,
    hook: Optional[str] = None,
    replace: bool = False,
    copy: bool = False,
    database: Optional[str] = None,
) -> list[Loaded]:
    """Loads the SAE in a directory, or all those in the directories below it.

    Their names, unique in the database, are those of their directories, or ``release/name``. The
    same SAE under a second name is an error, unless ``copy``. ``model`` names the model that they
    write to: by default the only one loaded, or the one that their configuration names. ``decoder``
    is the scale of the decoder: ``as-stored`` (the default), ``unit-norm`` or ``saelens``. ``hook`` is
    the hook point of the decoder of the one SAE there is, in place of what its files say.
    """
    found = call(
        con, "saedb_load_sae", [os.fspath(path)], name=name, model=model, release=release, decoder=decoder,
        hook=hook, replace=flag(replace), copy=flag(copy), database=target(con, database),
    )  # fmt: skip
    return [Loaded(*row) for row in found]


def load_sets(
    con: DuckDBPyConnection,
    *,
    families: Iterable[str] = (),
    file: Optional[PathLike] = None,
    name: Optional[str] = None,
    regex: Optional[str] = None,
    sql: Optional[str] = None,
    model: Optional[str] = None,
    replace: bool = False,
    database: Optional[str] = None,
) -> list[TokenSets]:
    """Loads token sets: built-in families (all by default), a file of sets, or one set.

    One set has a ``name`` and either a ``regex``, which raw tokens match at their start, or a
    query ``sql`` that gives token ids.
    """
    found = call(
        con, "saedb_load_sets", [], family=",".join(families) or None, file=None if file is None else os.fspath(file), name=name,
        regex=regex, sql=sql, model=model, replace=flag(replace), database=target(con, database),
    )  # fmt: skip
    return [TokenSets(*row) for row in found]


def unload(
    con: DuckDBPyConnection,
    kind: str,
    *names: str,
    model: Optional[str] = None,
    families: Iterable[str] = (),
    cascade: bool = False,
    database: Optional[str] = None,
) -> list[Unloaded]:
    """Takes out what was loaded, all of it or nothing, with what was computed of it.

    ``kind`` is ``sae``, ``model``, ``sets``, ``directions`` or ``explanations``. ``names`` are names
    or glob patterns; of SAEs and directions also ``layer_29``. Token sets may be of a ``model`` and
    of ``families``. A model's SAEs go with it only by ``cascade``. ``saedb compact`` gives the space
    back, which what is loaded next uses again.
    """
    found = call(
        con, "saedb_unload", [kind, "\n".join(names)], model=model, family=",".join(families) or None, cascade=flag(cascade),
        database=target(con, database),
    )  # fmt: skip
    return [Unloaded(*row) for row in found]


def compute(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    tokens: Optional[str] = None,
    baseline: Optional[int] = None,
    baseline_like: Optional[str] = None,
    database: Optional[str] = None,
) -> list[Computed]:
    """Computes what is missing: the statistics of every feature, then its enrichment.

    ``sae`` is words for SAEs: a name, ``release/name``, ``layer_29`` or a glob pattern; ``layer``
    is those at a layer. ``tokens`` is ``all`` (every
    column of the unembedding, the default) or ``real`` (without padding and special tokens).
    ``baseline`` is how many random directions p-values are against, computed once a model and choice of
    tokens: by default those that there are, or 4096; 0 is none, and then there are no p-values but
    ``ks_p_value``. ``baseline_like`` is their kind: ``isotropic``, which belongs to the model alone, or
    ``sae``, with the covariance of each SAE's own unit decoder; by default the kind that there is, or isotropic.
    Each block of features is kept when it is done: after an interruption the next call goes
    on from there. Ctrl-C ends it; interrupt() of a connection ends only a query that runs.
    """
    if layer is not None:
        if sae is not None:
            raise TypeError("compute: layer or sae, not both: sae='RELEASE/layer_N' is a layer of a release")
        sae = f"layer_{layer}"
    directions = None if baseline is None else str(operator.index(baseline))
    to = target(con, database)
    ((number,),) = call(con, "saedb_begin_compute", [], sae=sae, tokens=tokens, baseline=directions, baseline_like=baseline_like, database=to)
    done: list[Computed] = []
    pause = 0.001
    try:
        while True:
            for row in call(con, "saedb_computed", [str(number)]):
                if row[0] is None:
                    return done
                done.append(Computed(*row))
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
    except BaseException:  # Ctrl-C and interrupt() among them
        with suppress(duckdb.Error):  # it has ended
            call(con, "saedb_end_compute", [str(number)])
        raise


def call(con: DuckDBPyConnection, procedure: str, positions: list[Optional[str]], **named: Optional[str]) -> list[tuple[Any, ...]]:
    """The rows of a procedure. Arguments that are None are left out where they are named.

    They are written into the statement: to pass a parameter DuckDB imports NumPy, pandas and
    PyArrow where they are installed, which takes a third of a second and starts BLAS's threads.
    """
    arguments = ["NULL" if value is None else literal(value) for value in positions]
    arguments += [f"{key} := {literal(value)}" for key, value in named.items() if value is not None]
    return con.execute(f"FROM {procedure}({', '.join(arguments)})").fetchall()


def target(con: DuckDBPyConnection, database: Optional[str]) -> str:
    """The database to work in: a procedure has a connection of its own, without this one's USE."""
    if database is not None:
        return database
    # All of it is fetched, since DuckDB 2 refuses other work beside an unfinished result.
    return str(con.execute("SELECT current_database()").fetchall()[0][0])


def flag(value: bool) -> Optional[str]:
    return "true" if value else None


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
