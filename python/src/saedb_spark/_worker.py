"""What a task does, in a Python process of Spark's on some machine.

A process lives for many tasks (Spark reuses workers), and keeps one DuckDB with the extension
and one unembedding for all of them. The functions here are found by name on the workers, which
must have the package installed; their arguments travel.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple, Union

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from . import _fetch, _sql
from ._errors import marked


@dataclass(frozen=True)
class Setup:
    """What every task of a computation needs."""

    model: str  # the model's database, whose name stands for its content; empty where none is needed
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
    baseline: Optional[int] = None  # in the model's database, or that of its own
    path: str = ""  # of its files, where the directions are not in a table
    d_sae: int = 0
    step: int = 0  # features of a task
    side: str = "output"  # or input, what excites features, or both
    input_baseline: Optional[int] = None  # that of the input side
    lens: str = ""  # that the directions go through, with the block behind which they begin
    lens_layer: int = 0
    lens_sha256: str = ""
    rank_correlation: bool = False
    baseline_seed: Optional[int] = None  # of the baseline through the lens
    baseline_directions: Optional[int] = None
    directions: Optional[str] = None  # of baselines like the SAE, where they are not as many as by default
    chance: str = ""  # where the tables of baselines like the SAE are, where p-values are against these

    @property
    def suffix(self) -> str:
        """What the tables of results end with."""
        return "_through" if self.lens else ""

    @property
    def has_input(self) -> bool:
        return self.side != "output"

    @property
    def has_output(self) -> bool:
        return self.side != "input"

    def of_input(self) -> dict[str, Any]:
        """The parameters of the input side."""
        return {**self.parameters(), "baseline": self.input_baseline}

    def parameters(self) -> dict[str, Any]:
        named = ("sae", "model", "hook", "neuronpedia_id", "sae_sha256", "model_sha256", "scale", "processing", "tokens", "computed_at", "baseline", "side",
                 "lens", "lens_layer", "lens_sha256", "baseline_seed", "baseline_directions")  # fmt: skip
        given: dict[str, Any] = {name: getattr(self, name) for name in named}
        given["baseline_kind"] = "sae" if self.chance else "isotropic"
        given["against"] = f"{CHANCE}.{self.model}" if self.chance else self.model
        if self.sets:
            given["sets"] = list(self.sets)
        return given


#: The database that a worker has the tables of baselines like an SAE in; isotropic ones are in the model's.
CHANCE = "chance"


@dataclass
class _Open:
    """This process's DuckDB."""

    content: tuple[str, str]  # name of the model's database, and limit of the buffers
    con: duckdb.DuckDBPyConnection
    copy: contextlib.ExitStack  # keeps the model's database here
    q_values: str = ""  # the key of those that it has as a table
    reader: str = ""  # the key of the matrix of an SAE that it has, as the database reader
    chance: str = ""  # where the tables came from that it has as the database CHANCE


_open: Optional[_Open] = None


def connection(setup: Setup) -> duckdb.DuckDBPyConnection:
    """A connection to this process's DuckDB."""
    return opened(setup).con


def opened(setup: Setup) -> _Open:
    """This process's DuckDB, with the model attached, and its unembedding from one task to the next."""
    global _open
    content = setup.model.rsplit("/", 1)[-1], setup.memory
    if _open is not None and _open.content != content:
        _open.con.close()
        _open.copy.close()
        _open = None
    if _open is None:
        stack = contextlib.ExitStack()
        con = bare_connection(setup.memory)
        if setup.model:
            path = stack.enter_context(_fetch.local(setup.model, cache(), setup.cache_bytes))
            con.execute(f"ATTACH '{path}' AS model (READ_ONLY)")
        con.execute(f"SET temp_directory = '{scratch()}/{os.getpid()}'")
        _open = _Open(content, con, stack)
    return _open


def bare_connection(memory: str = "1GB") -> duckdb.DuckDBPyConnection:
    """A DuckDB whose functions compute with as many threads as a task has cores. DuckDB itself has one
    meanwhile, since a second one would spin while a function works."""
    import saedb

    con = saedb.connect(config={"threads": "1", "memory_limit": memory})
    con.execute("CALL saedb_threads(threads := $cores)", {"cores": cores()}).fetchall()
    ((macros,),) = con.execute("FROM saedb_view_macros()").fetchall()
    con.execute(macros)
    return con


def cores() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.cpus() if context is not None else 1


def cache() -> Path:
    """Where copies of remote files go: beside what Spark itself sends to this executor, and removed with it."""
    from pyspark import SparkFiles

    return Path(SparkFiles.getRootDirectory()) / "saedb-copies"


#: A row is a file of Parquet on its way to Spark, which writes it as it is (:meth:`saedb_spark._output.Output.write`): the
#: table that it belongs to, and its bytes. DuckDB writes rows many times as fast as Spark, and as ``saedb export`` does.
FILES = "table STRING, file BINARY"

#: About how many bytes a file of scores has, or of p-values: it passes through the executor's memory as a whole, several times.
FILE_BYTES = 8 << 20

#: Scores that a task completes with their q-values, a second or two of work: each executor with such a task
#: is sent all q-values of the SAE.
ADJUSTED = 1 << 20

#: Features that a task completes with their q-values, likewise.
ADJUSTED_FEATURES = 1 << 17


def over_file(job: Pass, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The results of ranges of an SAE's features; ``parts`` has their numbers."""
    for batch in parts:
        for number in batch.column(0).to_pylist():
            first = number * job.step
            count = min(job.step, job.d_sae - first)
            with reported(f"{job.path}: features {first} to {first + count - 1}"), _fetch.local(job.path, cache(), job.setup.cache_bytes) as path:
                con = connection(job.setup)
                part = {"path": path, "first": str(first), "count": str(count)}
                if job.lens:
                    output = ("computed", _sql.computed_through(bool(job.sets), job.rank_correlation))
                else:
                    output = ("computed", _sql.computed(_sql.PART_OF_FILE, bool(job.sets)) if job.has_output else _sql.NO_OUTPUT)
                inputs = ("computed_input", _sql.computed_input(bool(job.sets)) if job.has_input else _sql.NO_INPUT)
                for table, query in (output, inputs) if job.has_output else (inputs, output):
                    execute(con, f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", {**job.parameters(), **part})
                yield from results(con, job)


def over_directions(job: Pass, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The results of directions that come as rows of a table, in any order."""
    con = connection(job.setup)
    found = False
    with reported(job.sae):
        for batch in batches:
            into = "INSERT INTO computed " if found else "CREATE OR REPLACE TEMP TABLE computed AS "
            with registered(con, "directions", batch):
                execute(con, into + _sql.computed("directions", bool(job.sets)), job.parameters())
            found = True
        if found:
            con.execute("CREATE OR REPLACE TEMP TABLE computed_input AS " + _sql.NO_INPUT)
            yield from results(con, job)


def results(con: duckdb.DuckDBPyConnection, job: Pass) -> Iterator[pa.RecordBatch]:
    """What was computed, as files."""
    views(con, _sql.SIGNIFICANCE_VIEWS, chance_of(job))
    for side, table, parameters in (("output", "significance", job.parameters()), ("input", "input_significance", job.of_input())):
        ((query,),) = con.execute(f"FROM saedb_feature_p_values_query(side := '{side}')").fetchall()
        execute(con, f"CREATE OR REPLACE TEMP TABLE {table} AS " + _sql.SIGNIFICANCE.format(query=query), parameters)
    rows = _sql.FEATURES_THROUGH if job.lens else _sql.FEATURES
    if job.baseline is None and job.input_baseline is None:
        yield from files(con, f"features{job.suffix}", rows, job.parameters())
    else:
        yield from files(con, "unadjusted", rows, job.parameters())
        yield from files(con, "feature_p_values", _sql.FEATURE_P_VALUES, {}, FILE_BYTES)
    if job.has_input:
        yield from files(con, "kernels", "SELECT kernel FROM saedb_about()", {})
    if job.sets:
        sides = [("", "computed", job.parameters(), job.has_output), ("input_", "computed_input", job.of_input(), job.has_input)]
        for prefix, computed, parameters, wanted in sides:
            if not wanted:
                continue
            execute(con, "CREATE OR REPLACE TEMP TABLE scored AS " + _sql.SCORES.format(computed=computed), parameters)
            yield from files(con, f"{prefix}scores", "FROM scored", {}, FILE_BYTES)
            yield from files(con, f"{prefix}p_values", _sql.P_VALUES, {}, FILE_BYTES)
            con.execute("DROP TABLE scored")
    for table in ("significance", "input_significance", "computed_input", "computed"):
        con.execute(f"DROP TABLE {table}")


def received(job: Pass, table: str, key: str, q_values: Any) -> duckdb.DuckDBPyConnection:
    """A connection with an SAE's q-values as a table. ``q_values`` is a broadcast variable with them, as an Arrow stream, and
    ``key`` tells them from others."""
    here = opened(job.setup)
    if here.q_values != key:
        with pa.ipc.open_stream(q_values.value) as stream, registered(here.con, "received", stream.read_all()):
            here.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM received")
        here.q_values = key
    return here.con


def adjusted_features(job: Pass, key: str, q_values: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Files of ``features`` from those without q-values, the column ``content``."""
    with reported(f"{job.sae}: features"):
        con = received(job, "feature_q_values", key, q_values)
        for batch in batches:
            for content in batch.column("content"):
                with tempfile.TemporaryDirectory(dir=scratch()) as directory:
                    file = Path(directory, "unadjusted.parquet")
                    file.write_bytes(content.as_buffer())
                    con.execute(f"CREATE OR REPLACE TEMP VIEW unadjusted AS FROM read_parquet('{file}')")
                    yield from files(con, f"features{job.suffix}", _sql.adjusted_features(_sql.SIGNIFICANT[:2] if job.lens else _sql.SIGNIFICANT), {})


def adjusted_scores(job: Pass, key: str, q_values: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Files of ``enrichment`` from files of scores, the column ``content``."""
    return adjusted_scores_of(job, "output", f"enrichment{job.suffix}", job.parameters(), key, q_values, batches)


def adjusted_input_scores(job: Pass, key: str, q_values: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same of ``input_enrichment``."""
    return adjusted_scores_of(job, "input", "input_enrichment", job.of_input(), key, q_values, batches)


def adjusted_scores_of(
    job: Pass, side: str, name: str, parameters: dict[str, Any], key: str, q_values: Any, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with reported(f"{job.sae}: {name}"):
        con = received(job, "q_values", key, q_values)
        ((view,),) = con.execute(f"FROM saedb_enrichment_query(side := '{side}')").fetchall()
        for table, query in _sql.SAE_TABLES.items():
            execute(con, f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", parameters)
        for batch in batches:
            with tempfile.TemporaryDirectory(dir=scratch()) as directory:
                for number, content in enumerate(batch.column("content")):
                    Path(directory, f"{number}.parquet").write_bytes(content.as_buffer())
                con.execute(f"CREATE OR REPLACE TEMP VIEW scores AS FROM read_parquet('{directory}/*.parquet')")
                views(con, _sql.SAE_VIEWS, chance_of(job))
                yield from files(con, name, _sql.ENRICHMENT_THROUGH if job.lens else _sql.ENRICHMENT.format(view=view), parameters)


def views(con: duckdb.DuckDBPyConnection, queries: dict[str, str], chance: str) -> None:
    """Makes temporary views, by name, of baselines in the database ``chance``."""
    for name, query in queries.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query.format(chance=chance)}")


def chance_of(job: Pass) -> str:
    """The database with the baselines that an SAE is held against."""
    if not job.chance:
        return "model"
    here = opened(job.setup)
    if here.chance != job.chance:
        here.chance = ""
        here.con.execute(f"DETACH DATABASE IF EXISTS {CHANCE}")
        here.con.execute(f"ATTACH ':memory:' AS {CHANCE}")
        # By these, functions find a model.
        for table in ("stored_models", "stored_loads"):
            here.con.execute(f"CREATE TABLE {CHANCE}.{table} AS FROM model.{table}")
        for table in _sql.BASELINE_TABLES:
            with _fetch.local(f"{job.chance}/table={table}", cache(), job.setup.cache_bytes) as path:
                here.con.execute(f"CREATE TABLE {CHANCE}.{table} AS FROM read_parquet('{path}/part-*')")
        here.chance = job.chance
    return CHANCE


def files(con: duckdb.DuckDBPyConnection, table: str, query: str, parameters: dict[str, Any], size: int = 0) -> Iterator[pa.RecordBatch]:
    """The rows of a query as a file, or as several of about a size, which then are in no order; each is a row of FILES."""
    with tempfile.TemporaryDirectory(dir=scratch()) as directory:
        with every_core(con):
            several = f", FILE_SIZE_BYTES {size}" if size else ""
            execute(con, f"COPY ({query}) TO '{directory}/{table}' (FORMAT parquet, COMPRESSION zstd{several})", parameters)
        written = Path(directory, table)
        for file in sorted(written.iterdir()) if size else [written]:
            if pq.read_metadata(file).num_rows:
                yield pa.RecordBatch.from_arrays([pa.array([table]), pa.array([file.read_bytes()])], ["table", "file"])
            file.unlink()


@contextlib.contextmanager
def every_core(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """DuckDB itself works with all the cores that the task has, as long as the block runs."""
    con.execute(f"SET threads = {cores()}")
    try:
        yield
    finally:
        con.execute("SET threads = 1")


def scratch() -> Path:
    """A directory for files that a task makes, on the executor's local disk."""
    directory = cache().with_name("saedb-scratch")
    directory.mkdir(exist_ok=True)
    return directory


def execute(con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Runs a query with those of the parameters that it names."""
    return con.execute(query, {name: value for name, value in parameters.items() if re.search(rf"\${name}\b", query)})


@contextlib.contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, rows: Union[pa.RecordBatch, pa.Table]) -> Iterator[None]:
    """Rows as a view, as long as the block runs."""
    con.register(name, rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows]))
    try:
        yield
    finally:
        con.unregister(name)


def hashes(setup: Setup, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Parts of the hashes of SAEs whose directions come as rows of a table."""
    con = connection(setup)
    for batch in batches:
        with reported("directions"), registered(con, "directions", batch):
            yield from con.execute(_sql.HASHES).to_arrow_table().to_batches()


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


def describe(cache_bytes: int, encoder: bool, path: str) -> Answer:
    """What an SAE on disk is, with the hash of its files; with its encoder, one that cannot be read is an error."""
    try:
        with reported(path), _fetch.local(path, cache(), cache_bytes) as copy, bare_connection() as con:
            result = con.execute("FROM saedb_describe_sae($path, encoder := $encoder)", {"path": copy, "encoder": "true" if encoder else ""})
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
