"""The input weights of an MLP's neurons, which features are linked to: one file with them for every worker."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import saedb
from saedb._call import call

from . import _model
from ._errors import SparkJobError, message_of


@dataclass(frozen=True)
class Neurons:
    """Those of a layer's MLP, as their inputs or as their gates read."""

    model: str
    layer: int
    matrix: str  # in or gate
    neurons: int
    d_model: int
    hook: str  # where they read
    sha256: str
    processing: str  # what was done to them
    model_sha256: str
    model_conventions: str
    described: pa.Table  # the row of mlps
    database: Path  # with the weights, and with what functions find them by


def is_reader(target: str) -> bool:
    """Whether the words for targets are the name of a reader, and not SAEs."""
    return "#" in target


def read(model: str, reader: str, scratch: Path) -> Neurons:
    """The neurons that a reader's name means, of a model on disk or in a saedb database; their weights are copied to ``scratch``."""
    named = re.fullmatch(r"(.+)#mlp_(?:in|gate)\.(\d+)", reader)
    if named is None:
        raise SparkJobError(f"target: expected words for SAEs, MODEL#mlp_in.LAYER or MODEL#mlp_gate.LAYER, found {reader}")
    try:
        original = model if _model.is_database(model) else loaded(model, named[1], named[2], scratch / "mlp-model.duckdb")
        with saedb.connect() as con:
            con.execute(f"ATTACH {_model.literal(original)} AS original (READ_ONLY)")
            (found,) = call(con, "saedb_neurons", {"reader": reader, "database": "original"})
            if not found["weights"]:
                raise SparkJobError(f"{model}: the weights of {named[1]} are not in this database, which has results alone")
            return copied(con, named[1], found, scratch / "neurons.duckdb")
    except duckdb.Error as error:
        raise SparkJobError(f"{model}: {message_of(error)}") from error


def loaded(model: str, name: str, layer: str, database: Path) -> str:
    """The path of a database that a model on disk was loaded into, with the MLP of a layer."""
    database.unlink(missing_ok=True)
    with saedb.connect(database) as con:
        saedb.load_model(con, model, name=name, mlp=layer)
    return os.fspath(database)


def copied(con: duckdb.DuckDBPyConnection, model: str, found: dict[str, Any], database: Path) -> Neurons:
    """Copies what the database ``original`` has of an MLP, and no other, into a new one."""
    database.unlink(missing_ok=True)
    con.execute(f"ATTACH {_model.literal(os.fspath(database))} AS copied (STORAGE_VERSION 'v1.0.0')")
    given = {"model": model, "layer": found["layer"], "matrix": found["matrix"]}
    ((number,),) = con.execute("SELECT model_id FROM original.stored_models WHERE model = $model", {"model": model}).fetchall()
    where = f"model_id = {int(number)}"
    for table, condition in (
        ("stored_models", where),
        ("stored_loads", f"load_id = {int(number)}"),
        ("stored_mlps", f"{where} AND layer = {int(found['layer'])}"),
        ("stored_mlp_weights", f"{where} AND layer = {int(found['layer'])} AND matrix = {_model.literal(found['matrix'])} ORDER BY neuron"),
    ):
        con.execute(f"CREATE TABLE copied.{table} AS FROM original.{table} WHERE {condition}")
    described = con.execute("SELECT $model AS model, * EXCLUDE (model_id) FROM copied.stored_mlps", {"model": model}).to_arrow_table()
    ((sha256, processing),) = con.execute("SELECT sha256, norm_folded || ' ' || centered FROM copied.stored_mlps").fetchall()
    ((model_sha256, conventions),) = con.execute("SELECT sha256, conventions FROM copied.stored_loads").fetchall()
    con.execute("DETACH copied")
    return Neurons(
        **given, neurons=found["neurons"], d_model=found["d_model"], hook=found["hook"], sha256=sha256, processing=processing,
        model_sha256=model_sha256, model_conventions=conventions, described=described, database=database,
    )  # fmt: skip
