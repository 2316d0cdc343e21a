"""What a task does, in a Python process of Spark's on some machine.

A process lives for many tasks (Spark reuses workers), and keeps one DuckDB with the extension
and one unembedding for all of them. The functions here are found by name on the workers, which
must have the package installed; their arguments travel.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional, Tuple

import duckdb
import pyarrow as pa

from . import _fetch, _sql
from ._errors import marked


@dataclass(frozen=True)
class Setup:
    """What every task of a computation needs."""

    model: str  # the model's database; its name stands for its content
    memory: str  # limit of DuckDB's buffers in each worker process
    cache_bytes: int  # limit of the copies of remote files on each executor


@dataclass(frozen=True)
class Pass:
    """One SAE on its way through the functions: the parameters of the SQL."""

    setup: Setup
    sae: str
    release: str
    model: str
    hook: Optional[str]
    neuronpedia_id: Optional[str]
    sae_sha256: str
    model_sha256: str
    scale: str
    processing: str
    tokens: str
    computed_at: str
    sets: tuple[int, ...]
    path: str = ""  # of its files, where the directions are not in a table
    d_sae: int = 0
    step: int = 0  # features of a task

    def parameters(self) -> dict[str, Any]:
        named = ("sae", "model", "hook", "neuronpedia_id", "sae_sha256", "model_sha256", "scale", "processing", "tokens", "computed_at")
        given: dict[str, Any] = {name: getattr(self, name) for name in named}
        if self.sets:
            given["sets"] = list(self.sets)
        return given


class _Open(NamedTuple):
    """This process's DuckDB."""

    content: tuple[str, str]  # name of the model's database, and limit of the buffers
    con: duckdb.DuckDBPyConnection
    copy: contextlib.ExitStack  # keeps the model's database here


_open: Optional[_Open] = None


def connection(setup: Setup) -> duckdb.DuckDBPyConnection:
    """This process's DuckDB, with the model attached, and its unembedding from one task to the next."""
    global _open
    content = setup.model.rsplit("/", 1)[-1], setup.memory
    if _open is not None and _open.content != content:
        _open.con.close()
        _open.copy.close()
        _open = None
    if _open is None:
        stack = contextlib.ExitStack()
        path = stack.enter_context(_fetch.local(setup.model, cache(), setup.cache_bytes))
        con = bare_connection(setup.memory)
        con.execute(f"ATTACH '{path}' AS model (READ_ONLY)")
        _open = _Open(content, con, stack)
    return _open.con


def bare_connection(memory: str = "1GB") -> duckdb.DuckDBPyConnection:
    """A DuckDB whose functions compute with as many threads as a task has cores. DuckDB itself has one,
    since a second one would spin while a function works."""
    import saedb

    con = saedb.connect(config={"threads": "1", "memory_limit": memory})
    con.execute("CALL saedb_threads(threads := $cores)", {"cores": cores()}).fetchall()
    return con


def cores() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.cpus() if context is not None else 1


def cache() -> Path:
    """Where copies of remote files go: beside what Spark itself sends to this executor, and removed with it."""
    from pyspark import SparkFiles

    return Path(SparkFiles.getRootDirectory()) / "saedb-copies"


#: Rows of a batch on its way back to Spark.
BATCH = 2048


def over_file(job: Pass, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The figures of ranges of an SAE's features; ``parts`` has their numbers."""
    for batch in parts:
        for number in batch.column(0).to_pylist():
            first = number * job.step
            count = min(job.step, job.d_sae - first)
            with reported(f"{job.path}: features {first} to {first + count - 1}"), _fetch.local(job.path, cache(), job.setup.cache_bytes) as path:
                yield from run(
                    connection(job.setup), _sql.features(_sql.PART_OF_FILE, bool(job.sets)),
                    {**job.parameters(), "path": path, "first": str(first), "count": str(count)},
                )  # fmt: skip


def over_directions(job: Pass, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The figures of directions that come as rows of a table."""
    for batch in batches:
        with reported(f"{job.release}/{job.sae}"):
            con = connection(job.setup)
            con.register("directions", pa.Table.from_batches([batch]))
            try:
                yield from run(con, _sql.features("directions", bool(job.sets)), job.parameters())
            finally:
                con.unregister("directions")


def run(con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    yield from con.execute(query, parameters).to_arrow_table().to_batches(max_chunksize=BATCH)


_q_values: Optional[str] = None  #: of which SAE, by its key, q_values holds the table


def scored(setup: Setup, key: str, q_values: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of ``enrichment``. ``q_values`` is a broadcast variable with an Arrow stream of the SAE's q-values."""
    global _q_values
    con = connection(setup)
    if _q_values != key:
        with pa.ipc.open_stream(q_values.value) as stream:
            con.register("received", stream.read_all())
        con.execute("CREATE OR REPLACE TEMP TABLE q_values AS FROM received")
        con.unregister("received")
        _q_values = key
    con.execute(f"SET threads = {cores()}")
    try:
        for batch in batches:
            con.register("scored", pa.Table.from_batches([batch]))
            yield from run(con, _sql.RELEASE_SCORES, {})
            con.unregister("scored")
    finally:
        con.execute("SET threads = 1")


def hashes(setup: Setup, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Parts of the hashes of SAEs whose directions come as rows of a table."""
    con = connection(setup)
    for batch in batches:
        con.register("directions", pa.Table.from_batches([batch]))
        try:
            with reported("directions"):
                yield from run(con, _sql.HASHES, {})
        finally:
            con.unregister("directions")


#: What is known of a path, or else what is wrong with it.
Answer = Tuple[str, Any, Optional[str]]


def find(path: str) -> Answer:
    """The SAEs at or below a path that is not remote; a remote one is one SAE."""
    if _fetch.is_remote(path):
        return path, [path], None
    try:
        with reported(path), bare_connection() as con:
            found = con.execute("SELECT path FROM saedb_find_saes($path)", {"path": _fetch.without_protocol(path)}).fetchall()
        return path, [str(name) for (name,) in found], None
    except RuntimeError as error:
        return path, None, str(error)


def describe(cache_bytes: int, path: str) -> Answer:
    """What an SAE on disk is, with the hash of its files."""
    try:
        with reported(path), _fetch.local(path, cache(), cache_bytes) as copy, bare_connection() as con:
            result = con.execute("FROM saedb_describe_sae($path)", {"path": copy})
            names = [column[0] for column in result.description]
            return path, dict(zip(names, result.fetchall()[0])), None
    except RuntimeError as error:
        return path, None, str(error)


class reported:
    """Makes an error of its block one that says where it happened, for the driver to show."""

    def __init__(self, subject: str) -> None:
        self.subject = subject

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if isinstance(error, Exception):
            # DuckDB puts its own words before, and a picture of the query behind, what a function said.
            said = re.sub(r"^(Invalid Input|Binder|IO) Error: ", "", str(error).split("\n\nLINE ")[0])
            raise marked(f"{self.subject}: {said}") from error
