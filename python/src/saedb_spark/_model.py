"""The model: one file with its unembedding, its tokens and its token sets, for every worker."""

from __future__ import annotations

import atexit
import hashlib
import operator
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Union

import duckdb

import saedb
from saedb._call import call, target

from . import _sql
from ._errors import SparkJobError, message_of

#: What ``sets`` may be: see :func:`saedb_spark.compute`.
Sets = Union[None, bool, Iterable[str]]


#: The sides of features that are computed, by what ``side`` may be.
SIDES = {"output": ("output",), "input": ("input",), "both": ("output", "input")}


class Baseline(NamedTuple):
    """The random directions that features are held against, in the model's database."""

    id: int
    seed: int
    directions: int


@dataclass(frozen=True)
class Model:
    """A model whose database is ready to be sent to the workers."""

    database: Path = field(repr=False)
    name: str
    sha256: str
    conventions: str  # what was done to the unembedding
    d_model: int
    d_vocab: int
    set_ids: tuple[int, ...]
    set_names: tuple[str, ...]
    sets_sha256: str  # of the names and tokens of the sets; empty without sets
    baseline: Optional[Baseline]  # that p-values are against
    input_baseline: Optional[Baseline]  # and those of the input side, where that is computed


#: The models that were prepared on the driver for an application, for the next call.
_prepared: dict[tuple[object, ...], Model] = {}


def prepared(
    application: str, model: str, sets: Sets, name: Optional[str], processing: Optional[str], tokens: str, baseline: Optional[int], side: str, like: bool,
    lens: Optional[str],
) -> Model:  # fmt: skip
    """The model, prepared once an application."""
    sets = sets if sets is None or isinstance(sets, bool) else tuple(sets)
    key = (application, os.path.abspath(model), state(model), sets, *map(state, sets if isinstance(sets, tuple) else ()), name, processing, tokens, baseline, side, like, lens)
    if key not in _prepared:
        into = Path(tempfile.mkdtemp(prefix="saedb-model-"))
        atexit.register(shutil.rmtree, into, ignore_errors=True)
        _prepared[key] = prepare(
            model, sets, name=name, processing=processing, tokens=tokens, baseline=baseline, side=side, like=like, lens=lens, database=into / "model.duckdb"
        )
    return _prepared[key]


def state(path: str) -> tuple[object, ...]:
    """What changes when files change: their names, sizes and times."""
    files = sorted(Path(path).iterdir()) if os.path.isdir(path) else [Path(path)]
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.exists())


def prepare(
    model: str, sets: Sets, *, name: Optional[str], processing: Optional[str], tokens: str, baseline: Optional[int], side: str, like: bool,
    lens: Optional[str], database: Path,
) -> Model:  # fmt: skip
    """Makes the database of a model: from its files, or from a saedb database, whose model,
    token sets and baseline are taken as they are. The isotropic baselines of the sides that are computed are completed here,
    once for all workers; those ``like`` an SAE, and through a lens, are made when it is known of which SAEs. The input side needs the model's embedding."""
    if lens is not None and not is_database(model):
        raise SparkJobError(f"{model}: expected a saedb database with the lens {lens} in it, since lenses are loaded there (saedb load lens), found a model on disk")
    if is_database(model):
        copy_of(model, database, lens)
        if processing is not None:
            raise SparkJobError(f"{model}: processing is of a model on disk, and this is a database, whose model is processed")
        load_sets = None
    else:
        load_sets = sets
    con = saedb.connect(database)
    try:
        if not is_database(model):
            saedb.load_model(con, model, name=name, processing=processing, embedding=side != "output")
        named = choose(con, model, name)
        if load_sets is not None and load_sets is not False:
            add_sets(con, named, load_sets)
        chosen = [] if sets is None or sets is False else choose_sets(con, named, sets, loaded=load_sets is not None)
        sha256, conventions, d_model, d_vocab = con.execute(
            "SELECT l.sha256, l.conventions, m.d_model, m.d_vocab FROM models m JOIN loads l USING (load_id) WHERE model = $model",
            {"model": named},
        ).fetchall()[0]  # fmt: skip
        if side != "output" and not con.execute("SELECT embedding_in FROM stored_models WHERE model = $model", {"model": named}).fetchall()[0][0]:
            raise SparkJobError(f"{model}: side {side} needs the embedding of model {named}, which was loaded without; saedb load model … --embedding adds it")
        keep_sets(con, [i for i, _, _ in chosen])
        directions = None if baseline is None else str(operator.index(baseline))
        found = {
            one: call(con, "saedb_baseline", {"model": named, "tokens": tokens, "baseline": directions, "side": one, "database": target(con, None)})
            for one in (() if like or lens else SIDES[side])
        }
        con.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise SparkJobError(f"{model}: {message_of(error)}") from error
    finally:
        con.close()
    digest = hashlib.sha256(repr([(set_name, tokens) for _, set_name, tokens in chosen]).encode()).hexdigest() if chosen else ""
    return Model(
        database, named, sha256, conventions, d_model, d_vocab,
        tuple(i for i, _, _ in chosen), tuple(n for _, n, _ in chosen), digest, baseline_of(found.get("output", [])), baseline_of(found.get("input", [])),
    )  # fmt: skip


def baseline_of(rows: list[dict[str, Any]]) -> Optional[Baseline]:
    """The baseline that saedb_baseline gives, in a row or in none."""
    return Baseline(rows[0]["baseline_id"], rows[0]["seed"], rows[0]["directions"]) if rows else None


def is_database(path: str) -> bool:
    """Whether a file is one of DuckDB's, by the bytes that it begins with."""
    try:
        with open(path, "rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False


def copy_of(database: str, to: Path, lens: Optional[str] = None) -> None:
    """Copies what a model is out of a database, without its SAEs, and with the matrices of a lens."""
    con = saedb.connect()
    try:
        con.execute(f"ATTACH {literal(database)} AS original (READ_ONLY)")
        con.execute(f"ATTACH {literal(str(to))} AS copied (STORAGE_VERSION 'v1.0.0')")
        con.execute("USE copied")
        tables = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'original' AND schema_name = 'main'").fetchall()]
        if "stored_models" in tables and "stored_baselines" not in tables:
            raise SparkJobError(f"{database}: it was written by an older saedb; upgrade it first, with saedb --db {database} upgrade")
        for table in tables:
            where = "" if table in KEPT else " WHERE false"
            if table == "stored_lens_matrices" and lens is not None:
                where = f" WHERE lens_id IN (SELECT lens_id FROM original.stored_lenses WHERE lens = {literal(lens)})"
            con.execute(f"CREATE TABLE {table} AS FROM original.{table}{where}")
            if table == "stored_baselines":
                ((first,),) = con.execute("SELECT coalesce(max(baseline_id), 0) + 1 FROM stored_baselines").fetchall()
                con.execute(f"CREATE SEQUENCE baseline_ids START {first}")
        for (definition,) in con.execute(
            "SELECT sql FROM duckdb_views() WHERE database_name = 'original' AND schema_name = 'main' AND list_contains($views, view_name)",
            {"views": ["models", "tokens", "token_sets", "loads", "baseline_statistics", "lenses"]},
        ).fetchall():  # fmt: skip
            con.execute(definition)
    finally:
        con.close()


#: Tables that say what a model is.
KEPT = (
    "stored_schema", "stored_loads", "stored_models", "stored_tokens", "stored_unembeddings", "stored_embeddings", "stored_token_sets", "stored_lenses",
    "stored_baselines", "stored_baseline_statistics", "stored_baseline_enrichment",
)  # fmt: skip


def choose(con: duckdb.DuckDBPyConnection, path: str, name: Optional[str]) -> str:
    names = [found for (found,) in con.execute("SELECT model FROM models ORDER BY model").fetchall()]
    if name is None and len(names) == 1:
        return str(names[0])
    if name in names:
        return str(name)
    raise SparkJobError(f"{path}: expected one model, or the name of one with model_name=, found {', '.join(names) or 'none'}")


def add_sets(con: duckdb.DuckDBPyConnection, model: str, sets: Sets) -> None:
    """Loads families of sets that are built in, and files of sets."""
    assert sets is not None and sets is not False
    wanted = [] if sets is True else [os.fspath(item) for item in sets]
    files = [item for item in wanted if os.path.exists(item)]
    families = [item for item in wanted if item not in files]
    if sets is True or families:
        saedb.load_sets(con, families=families, model=model)
    for file in files:
        for loaded in saedb.load_sets(con, file=file, model=model):
            if loaded.note:
                warnings.warn(loaded.note, stacklevel=2)


def choose_sets(con: duckdb.DuckDBPyConnection, model: str, sets: Sets, loaded: bool) -> list[tuple[int, str, list[int]]]:
    """The sets that are wanted, as (set_id, name, tokens), in the order of their ids."""
    rows = con.execute(
        "SELECT set_id, token_set, family, token_ids FROM stored_token_sets JOIN stored_models USING (model_id) WHERE model = $model ORDER BY set_id",
        {"model": model},
    ).fetchall()
    if sets is not True and not loaded:
        wanted = set(sets or ())
        known = {name for _, name, _, _ in rows} | {family for _, _, family, _ in rows}
        if wanted - known:
            raise SparkJobError(f"sets: {', '.join(sorted(wanted - known))}: no such token set or family of model {model} in its database")
        rows = [row for row in rows if row[1] in wanted or row[2] in wanted]
    if not rows:
        raise SparkJobError(f"sets: model {model} has no token sets in its database; load them with saedb load sets")
    return [(set_id, name, tokens) for set_id, name, _, tokens in rows]


def keep_sets(con: duckdb.DuckDBPyConnection, ids: list[int]) -> None:
    """Leaves other sets out of a model's database: a baseline has nulls of all that are in it."""
    for table in ("stored_baseline_enrichment", "stored_token_sets"):
        con.execute(f"DELETE FROM {table} WHERE NOT list_contains(CAST($ids AS INTEGER[]), set_id)", {"ids": ids})


def opened(database: Path) -> duckdb.DuckDBPyConnection:
    return saedb.connect(database, read_only=True)


def tables(model: Model) -> dict[str, tuple[str, dict[str, object]]]:
    """The queries on a model's database that give the directories beside the results."""
    named: dict[str, object] = {"model": model.name}
    return {
        "models": (_sql.MODELS, named),
        "tokens": (_sql.TOKENS, named),
        **({"token_sets": (_sql.TOKEN_SETS, {**named, "names": list(model.set_names)})} if model.set_ids else {}),
        **baselines(model, {"output": model.baseline, "input": model.input_baseline}),
    }


def baselines(model: Model, of: Mapping[str, Optional[Baseline]]) -> dict[str, tuple[str, dict[str, object]]]:
    """Those of the baselines of a model that no lens is between, by their sides."""
    found = {side: b.id for side, b in of.items() if b is not None}
    return {
        **({"baseline_statistics": (_sql.BASELINE_STATISTICS, {"baselines": list(found.values())})} if found else {}),
        **{_sql.NULLS[side]: (_sql.BASELINE_ENRICHMENT, {"baseline": number}) for side, number in found.items() if model.set_ids},
    }


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
