"""What every computation on a cluster has: Spark, the directory of results, and files on their way to it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from . import _model
from ._errors import SparkJobError, plain
from ._output import Output


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def content_of(sha256: str, scale: str) -> str:
    """What stands for an SAE's weights, and the version that computes with them, in the names of files."""
    from importlib.metadata import version

    return hashlib.sha256(json.dumps([sha256, scale, version("saedb")]).encode()).hexdigest()[:16]


@contextlib.contextmanager
def working(spark: Any, out: str) -> Iterator[tuple[Output, Path]]:
    """The directory of results and a local one for files, as long as a computation runs; what it left unfinished goes with it."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import IllegalArgumentException

    description = spark.sparkContext.getLocalProperty("spark.job.description")
    try:
        output = Output(spark, out)
        with tempfile.TemporaryDirectory(prefix="saedb-") as scratch:
            try:
                yield output, Path(scratch)
            finally:
                output.delete("_saedb")
    except (Py4JJavaError, IllegalArgumentException) as error:  # of the file system that out is on
        raise SparkJobError(f"{out}: expected a directory that Spark can write to, found {plain(error)}") from error
    finally:
        spark.sparkContext.setLocalProperty("spark.job.description", description)


@dataclass
class Jobs:
    """One call of a computation."""

    spark: Any
    out: Output
    scratch: Path
    partition_bytes: int
    cache_bytes: int
    memory: str
    progress: Callable[[str], None]

    def describe(self, what: str) -> None:
        self.spark.sparkContext.setJobDescription(f"saedb: {what}")

    def slots(self) -> int:
        """How many tasks run at the same time."""
        cores = int(self.spark.conf.get("spark.task.cpus", "1"))
        return max(1, int(self.spark.sparkContext.defaultParallelism) // cores)

    def features_of_task(self, features: int, flop: int, row: int) -> int:
        """Of so many features, each of which takes ``flop`` operations and ``row`` bytes: seconds of work, in memory that is bounded,
        in whole vectors of DuckDB's; and no fewer tasks than run at the same time."""
        vector, seconds = 2048, 2e12 * int(self.spark.conf.get("spark.task.cpus", "1"))
        return max(1, round(min(seconds / flop, self.partition_bytes / row, features / self.slots()) / vector)) * vector

    def file(self, rows: pa.Table, name: str) -> Path:
        """Rows as a local file of Parquet."""
        path = self.scratch / name
        con = duckdb.connect()
        con.register("rows", rows)
        con.execute(f"COPY rows TO {_model.literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        con.close()
        return path

    def read(self, schema: pa.Schema, work: str, table: str) -> pa.Table:
        """The rows of files that workers wrote."""
        if not self.out.exists("_saedb", work, f"table={table}"):
            return schema.empty_table()
        with tempfile.TemporaryDirectory(dir=self.scratch) as directory:
            copy = Path(directory, table)
            self.out.get(copy, "_saedb", work, f"table={table}")
            return pa.concat_tables(pq.read_table(file).select(schema.names).cast(schema) for file in sorted(copy.glob("part-*")))


def stream_of(rows: pa.Table) -> bytes:
    """Rows as an Arrow stream."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(stream.getvalue())
