"""What a task does with the features of two SAEs, in a Python process of Spark's on some machine: see :mod:`saedb_spark._worker`.

A process keeps the matrix of one SAE that others are multiplied with, in a database of its own on the executor's disk."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

import duckdb
import pyarrow as pa

from . import _fetch
from ._worker import FILES, Answer, Setup, _Open, bare_connection, cache, describe, execute, files, opened, reported, scratch

__all__ = ["FILES", "PairPass", "completed", "describe_linked", "over_pair"]

#: Where a part of the directions is read from, and the matrices of SAEs: of an SAE by their columns, and neurons.
PART = {"w_dec": "read_sae($path, first := $first, features := $count)", "w_enc": "read_encoder($path, first := $first, features := $count)"}
PART_OF_NEURONS = """(SELECT neuron AS feature, w_in AS w_enc FROM model.stored_mlp_weights
    WHERE neuron >= CAST($first AS INTEGER) AND neuron < CAST($first AS INTEGER) + CAST($count AS INTEGER) ORDER BY neuron)"""
READERS = {"decoder": ("stored_decoders", "w_dec", "read_sae($path)"), "encoder": ("stored_encoders", "w_enc", "read_encoder($path)")}


@dataclass(frozen=True)
class NamedMLP:
    """What the rows of ``mlp_links`` say of theirs, with the SAE."""

    of_sae: str
    model: str
    layer: int
    matrix: str


@dataclass(frozen=True)
class PairPass:
    """Two SAEs on their way through the functions: each feature of ``sae`` with all of ``other``. One of them may be an MLP, whose features
    are neurons, which ``model`` of the setup has the weights of. The queries are the program's."""

    setup: Setup
    kind: str
    table: str  # links, neighbours or mlp_links
    sae: str
    path: str  # of its files, empty for an MLP
    d_sae: int
    other: str
    other_path: str  # likewise
    other_content: str  # stands for its weights
    other_d_sae: int
    d_model: int
    step: int  # features of a task
    directions: str  # the column of what is multiplied
    reader: str  # encoder or decoder, of the other
    selected: str
    rows: str
    mlp: Optional[NamedMLP] = None

    @property
    def reader_name(self) -> str:
        """How functions take what is multiplied with."""
        return f"{self.other}#{self.reader}" if self.other_path else self.other

    @property
    def part(self) -> str:
        """Where a part of the directions is read from."""
        return PART[self.directions] if self.path else PART_OF_NEURONS


@dataclass(frozen=True)
class Total:
    """What is the same in all rows of two SAEs, once all are there."""

    top: int
    features: int
    mean: Optional[float]
    std: Optional[float]
    kernel: str
    version: str
    computed_at: str


def over_pair(job: PairPass, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The lists of ranges of features, as files ``unfinished``, and what their pair's mean and deviation are made of, ``moments``."""
    for batch in parts:
        for number in batch.column(0).to_pylist():
            first = number * job.step
            count = min(job.step, job.d_sae - first)
            here = opened(job.setup)
            if job.other_path:
                hold_reader(job, here)
            rows = f"{job.path}: features" if job.path else f"{job.sae}: neurons"
            with reported(f"{rows} {first} to {first + count - 1}"), _fetch.local(job.path, cache(), job.setup.cache_bytes) as path:
                given = {"path": path, "first": str(first), "count": str(count), "reader": job.reader_name}
                execute(here.con, f"CREATE OR REPLACE TEMP TABLE computed_block AS {job.selected} FROM {job.part}", given)
                yield from files(here.con, "unfinished", job.rows, {})
                moments = "s.mean, s.std" if job.table != "neighbours" else "CAST(NULL AS DOUBLE) AS mean, CAST(NULL AS DOUBLE) AS std"
                yield from files(here.con, "moments", f"SELECT feature, {moments}, about.kernel FROM computed_block, saedb_about() AS about ORDER BY feature", {})
                here.con.execute("DROP TABLE computed_block")


def hold_reader(job: PairPass, here: _Open) -> None:
    """Has the matrix that a pass multiplies with in the database ``reader``, in place of another, as a load would store it."""
    key = f"{job.other} {job.other_content} {job.reader}"
    if here.reader == key:
        return
    con, file = here.con, scratch() / f"{os.getpid()}-reader.duckdb"
    if here.reader:
        con.execute("DETACH reader")
        here.reader = ""
    file.unlink(missing_ok=True)
    with reported(job.other_path), _fetch.local(job.other_path, cache(), job.setup.cache_bytes) as path:
        con.execute(f"ATTACH '{file}' AS reader")
        try:
            fill(con, job, path)
        except duckdb.Error:
            con.execute("DETACH reader")
            raise
    here.reader = key


def fill(con: duckdb.DuckDBPyConnection, job: PairPass, path: str) -> None:
    """The tables that functions find a matrix of an SAE in."""
    table, column, rows = READERS[job.reader]
    named = {"sae": job.other, "content": job.other_content, "d_model": job.d_model, "d_sae": job.other_d_sae, "path": path}
    execute(con, """CREATE TABLE reader.stored_saes (sae_id INTEGER, sae VARCHAR, release VARCHAR, short_name VARCHAR, layer INTEGER,
        d_model INTEGER, d_sae INTEGER, encoder_hook VARCHAR )""", named)  # fmt: skip
    execute(con, "INSERT INTO reader.stored_saes SELECT 1, $sae, '', $sae, NULL, $d_model, $d_sae, ''", named)
    execute(con, "CREATE TABLE reader.stored_loads AS SELECT 1 AS load_id, CAST($content AS VARCHAR) AS sha256, '' AS conventions", named)
    execute(con, f"CREATE TABLE reader.stored_contents AS SELECT 1 AS load_id, '{table}' AS stored_table, 0 AS row_hash", named)
    execute(con, f"CREATE TABLE reader.{table} AS SELECT CAST(1 AS INTEGER) AS sae_id, feature, {column} FROM {rows}", named)


def completed(job: PairPass, total: Total, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Files as ``saedb export`` writes them from those without what all features decide, the column ``content``."""
    con = opened(job.setup).con
    given = {"kind": job.kind, "sae": job.sae, "other": job.other, **total.__dict__, **(job.mlp.__dict__ if job.mlp else {})}
    query = COMPLETED.format(columns=OF_MLP if job.mlp else OF_SAES, file="{file}")
    with reported(f"{job.sae}, {job.kind} {job.other}"):
        for batch in batches:
            for content in batch.column("content"):
                with tempfile.TemporaryDirectory(dir=scratch()) as directory:
                    file = Path(directory, "unfinished.parquet")
                    file.write_bytes(content.as_buffer())
                    yield from files(con, job.table, query.format(file=file), given)


OF_SAES = "CAST($sae AS VARCHAR) AS sae, CAST($other AS VARCHAR) AS other_sae, r.*"
OF_MLP = """CAST($of_sae AS VARCHAR) AS sae, CAST($model AS VARCHAR) AS model, CAST($layer AS INTEGER) AS layer, CAST($matrix AS VARCHAR) AS matrix,
           r.feature AS number, r.mean, r.std, r.top_features AS top_numbers, r.top_weights, r.bottom_features AS bottom_numbers, r.bottom_weights"""
COMPLETED = """
    SELECT CAST($kind AS VARCHAR) AS kind, {columns}, CAST($top AS INTEGER) AS top,
           CAST($features AS INTEGER) AS pair_features, CAST($mean AS DOUBLE) AS pair_mean, CAST($std AS DOUBLE) AS pair_std,
           CAST($kernel AS VARCHAR) AS kernel, CAST($version AS VARCHAR) AS saedb_version, CAST($computed_at AS TIMESTAMP) AS computed_at
    FROM read_parquet('{file}') r ORDER BY feature"""


def describe_linked(cache_bytes: int, encoder: bool, path: str) -> Answer:
    """What an SAE on disk is, and with ``encoder`` where its encoder reads, or why it has none to link with."""
    path, what, problem = describe(cache_bytes, False, path)
    if problem is not None or not encoder:
        return path, what, problem
    _, with_encoder, without = describe(cache_bytes, True, path)
    what["without_encoder"] = without
    if with_encoder is not None:
        try:
            with reported(path), _fetch.local(path, cache(), cache_bytes) as copy, bare_connection() as con:
                ((what["encoder_hook"],),) = con.execute("SELECT encoder_hook FROM sae_info($path)", {"path": copy}).fetchall()
        except RuntimeError as error:
            return path, None, str(error)
    return path, what, None
