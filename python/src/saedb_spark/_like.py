"""Baselines like an SAE: what a task does to compute the random directions with the covariance of an SAE's unit decoder, or encoder.

The program's own computation of a baseline runs in a database on the executor's disk that has the SAE, and all that is of
the model as views of the model's database, in which functions find its matrices."""

from __future__ import annotations

import os
from typing import Any, Iterator

import duckdb
import pyarrow as pa

from saedb._call import call

from . import _fetch, _sql
from ._worker import FILES, Pass, cache, execute, files, opened, reported, scratch

__all__ = ["FILES", "over_baseline"]

#: Tables that the computation asks, and that are empty before it.
EMPTY = ("stored_saes", "stored_lens_saes", "stored_contents", "stored_computations", "stored_input_computations", *_sql.BASELINE_TABLES)
#: Those that are the model's.
OF_MODEL = ("stored_models", "stored_tokens", "stored_token_sets", "stored_lenses")

DATABASE = "likeness"


def over_baseline(job: Pass, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The baselines like an SAE of the sides that are computed, as files of the program's tables, and of the rows of results."""
    for _ in parts:
        con, file = opened(job.setup).con, scratch() / f"{os.getpid()}-like.duckdb"
        file.unlink(missing_ok=True)
        con.execute(f"ATTACH '{file}' AS {DATABASE}")
        try:
            with reported(job.path), _fetch.local(job.path, cache(), job.setup.cache_bytes) as path:
                fill(con, job, path)
            with reported(f"{job.sae}: baseline like it"):
                sides = [side for side, wanted in (("output", job.has_output), ("input", job.has_input)) if wanted]
                for side in sides:
                    given = {"model": job.model, "tokens": job.tokens, "baseline": job.directions, "side": side, "like": job.sae, "database": DATABASE}
                    if job.lens:
                        given |= {"lens": job.lens, "hook": job.hook}
                    call(con, "saedb_baseline", given)
                yield from results(con, job, sides)
        finally:
            con.execute(f"DETACH {DATABASE}")
            file.unlink(missing_ok=True)


def fill(con: duckdb.DuckDBPyConnection, job: Pass, path: str) -> None:
    """The tables that a computation of a baseline reads and writes."""
    con.execute(f"CREATE TABLE {DATABASE}.stored_schema AS FROM model.stored_schema")
    for table in EMPTY:
        con.execute(f"CREATE TABLE {DATABASE}.{table} AS FROM model.{table} WITH NO DATA")
    for table in OF_MODEL:
        con.execute(f"CREATE VIEW {DATABASE}.{table} AS FROM model.main.{table}")
    con.execute(f"CREATE TABLE {DATABASE}.stored_loads AS FROM model.stored_loads")
    con.execute(f"CREATE SEQUENCE {DATABASE}.baseline_ids")
    ((number,),) = con.execute("SELECT max(load_id) + 1 FROM model.stored_loads").fetchall()
    named: dict[str, Any] = {"number": number, "sae": job.sae, "model": job.model, "path": path, "sha256": job.sae_sha256, "d_sae": job.d_sae, "lens": job.lens, "layer": job.lens_layer}
    execute(con, f"""
        INSERT INTO {DATABASE}.stored_loads BY NAME
        SELECT CAST($number AS INTEGER) AS load_id, 'sae' AS kind, $sae AS name, $sha256 AS sha256, '' AS conventions""", named)  # fmt: skip
    execute(con, f"""
        INSERT INTO {DATABASE}.stored_saes BY NAME
        SELECT CAST($number AS INTEGER) AS sae_id, $sae AS sae, '' AS release, $sae AS short_name, model_id, d_model, CAST($d_sae AS INTEGER) AS d_sae, '' AS encoder_hook
        FROM model.stored_models WHERE model = $model""", named)  # fmt: skip
    if job.lens:
        execute(con, f"INSERT INTO {DATABASE}.stored_lens_saes SELECT -1, CAST($number AS INTEGER), lens_id, CAST($layer AS INTEGER) FROM model.stored_lenses WHERE lens = $lens", named)
    execute(con, f"CREATE TABLE {DATABASE}.stored_decoders AS SELECT CAST($number AS INTEGER) AS sae_id, feature, w_dec FROM read_sae($path)", named)
    if job.has_input:
        execute(con, f"CREATE TABLE {DATABASE}.stored_encoders AS SELECT CAST($number AS INTEGER) AS sae_id, feature, w_enc FROM read_encoder($path)", named)


def results(con: duckdb.DuckDBPyConnection, job: Pass, sides: list[str]) -> Iterator[pa.RecordBatch]:
    """What was computed, as files: the tables, and the same as ``saedb export`` writes it."""
    ((home,),) = con.execute("SELECT current_database()").fetchall()
    con.execute(f"USE {DATABASE}")
    try:
        for table in _sql.BASELINE_TABLES:
            yield from files(con, table, f"FROM {table}", {})
        baselines = dict(con.execute("SELECT side, baseline_id FROM stored_baselines").fetchall())
        if job.lens:
            yield from files(con, "baseline_statistics_through", _sql.BASELINE_STATISTICS_THROUGH, {"baselines": list(baselines.values())})
            if job.sets:
                yield from files(con, "baseline_enrichment_through", _sql.BASELINE_ENRICHMENT_THROUGH, {"baselines": list(baselines.values())})
            return
        ((view,),) = con.execute("SELECT sql FROM duckdb_views() WHERE database_name = 'model' AND schema_name = 'main' AND view_name = 'baseline_statistics'").fetchall()
        con.execute(view)
        yield from files(con, "baseline_statistics", _sql.BASELINE_STATISTICS, {"baselines": list(baselines.values())})
        for side in sides if job.sets else ():
            yield from files(con, _sql.NULLS[side], _sql.BASELINE_ENRICHMENT, {"baseline": baselines[side]})
    finally:
        con.execute(f"USE {home}")
