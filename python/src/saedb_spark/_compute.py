"""The computation: which SAEs lack results, and a few Spark jobs for each that does."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional, Union

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from . import _inputs, _model, _q_values, _sql, _worker
from ._errors import SparkJobError, plain
from ._jobs import Jobs, content_of, stream_of, to_stderr, working
from ._output import escaped


class Computed(NamedTuple):
    """What was done for an SAE."""

    sae: str
    release: str
    features: int
    token_sets: int
    seconds: float
    unchanged: bool  #: its results were there


def compute(
    spark: Any,
    saes: _inputs.SAEs,
    model: Union[str, "os.PathLike[str]"],
    out: str,
    sets: _model.Sets = None,
    *,
    release: str = _inputs.DEFAULT_RELEASE,
    tokens: str = "all",
    model_name: Optional[str] = None,
    processing: Optional[str] = None,
    baseline: Optional[int] = None,
    side: str = "output",
    partition_bytes: int = 256 << 20,
    cache_bytes: int = 64 << 30,
    memory: str = "1GB",
    progress: Optional[Callable[[str], None]] = None,
) -> list[Computed]:
    """Computes the statistics of every feature, and its enrichment, as Parquet below ``out``.

    ``saes`` is the path of an SAE or of a directory above several, a list of paths, a mapping of releases' names
    to those; or a DataFrame: with a column ``path`` (and ``release`` and ``sae``, its name), a row an SAE,
    or with columns ``sae``, ``feature`` and ``w_dec`` (and ``release``, ``hook``, ``layer``, ``log_sparsity``,
    ``neuronpedia_id``), a row a direction. A path without a protocol must be the same on every machine; one with a protocol
    (``s3://bucket/sae``) is one SAE, copied by fsspec to the local disk of the executors that need it.

    ``model`` is a Hugging Face directory or a GGUF file, or a saedb database with the model (and its token
    sets) in it, on the driver's machine. ``sets`` are the token sets to score: None for none, True for all (of a
    database, or the built-in ones), or a list of families and names, of a model on disk also of files.

    ``baseline`` is how many random directions p-values are against, which the driver computes: by default those that the database of
    ``model`` has, or 4096; 0 is none, and then there are no p-values but ``ks_p_value``.

    ``side`` is ``output``, what features write, or ``both``, with what excites them: the products of the SAEs' encoders with the model's
    embedding, in the columns of ``features`` that begin with ``input_``, and in ``input_enrichment``. It needs SAEs in files that have their encoders, and
    of a database a model that was loaded with its embedding.

    What is there already for the same content, model, tokens, sets, baseline, side and version is left as it is. Nothing of an
    SAE appears before all of it is computed. Only one computation may write to ``out`` at a time.

    ``partition_bytes`` bounds the memory that a task's features take, ``cache_bytes`` the copies of remote files on an executor,
    ``memory`` DuckDB's buffers in a worker process, which the unembedding comes on top of.
    ``progress`` is told a line for each SAE; by default it is written to standard error.
    """
    if tokens not in ("all", "real"):
        raise SparkJobError(f"tokens: expected all or real, found {tokens}")
    if side not in ("output", "both"):
        raise SparkJobError(f"side: expected output or both, found {side}")
    if side == "both" and _inputs.is_table(saes) and "path" not in getattr(saes, "columns", ()):
        raise SparkJobError("side: both is of SAEs in files, which have their encoders; rows of directions have none")
    prepared = _model.prepared(spark.sparkContext.applicationId, os.fspath(model), sets, model_name, processing, tokens, baseline, side)
    with working(spark, os.fspath(out)) as (output, scratch):
        given = (spark, output, scratch, partition_bytes, cache_bytes, memory, progress or to_stderr)
        return _Run(*given, prepared, tokens, side).everything(saes, release)


#: Columns of the files of p-values, which an SAE may have none of.
PA_SCHEMAS = {
    "feature_p_values": pa.schema([(f"{name}_p", pa.float64()) for name in _sql.SIGNIFICANT]),
    "p_values": pa.schema([("family", pa.dictionary(pa.int32(), pa.string())), ("log10_p", pa.float32())]),
}
PA_SCHEMAS["input_p_values"] = PA_SCHEMAS["p_values"]

#: What tells rows of a model apart that results of several computations have.
KEYS = {
    "token_sets": "token_set",
    "baseline_statistics": "tokens, seed, directions, statistic",
    "baseline_enrichment": "tokens, seed, baseline_directions, token_set",
    "input_baseline_enrichment": "tokens, seed, baseline_directions, token_set",
}


@dataclass
class _Run(Jobs):
    """One call of compute."""

    model: _model.Model
    tokens: str
    side: str
    # Of how many SAEs the driver may have the p-values, on so many cores.
    adjusting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(max(1, (os.cpu_count() or 1) // 4)))

    def everything(self, saes: Any, release: str) -> list[Computed]:
        self.out.delete("_saedb")
        self.setup = self.offer_model()
        self.table = None
        if _inputs.is_table(saes) and "path" not in getattr(saes, "columns", ()):
            self.table, sources = _inputs.of_directions(self.spark, saes, release, self.setup)
        else:
            sources = _inputs.of_files(self.spark, saes, release, self.cache_bytes, self.side == "both")
        _inputs.check(sources, self.model.d_model, self.model.name)
        self.computed_at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        there = self.out.names("saes")
        missing = [s for s in sources if not self.out.done(s.release, s.sae, self.key(s), self.sets_key, there)]
        done = [Computed(s.sae, s.release, s.d_sae, len(self.model.set_ids), 0.0, True) for s in sources if s not in missing]
        if done:
            self.progress(f"{len(done)} of {len(sources)} SAEs were computed before")
        if missing:
            self.write_model()
        return done + self.all_of(missing)

    def offer_model(self) -> _worker.Setup:
        """Puts the model's database where every worker reads it: beside the results."""
        said = [self.model.name, self.model.sha256, self.model.conventions, self.model.sets_sha256, self.tokens, self.model.baseline, self.model.input_baseline, self.side]
        name = f"model-{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}.duckdb"
        self.out.put(self.model.database, "_saedb", name)
        return _worker.Setup(self.out.at("_saedb", name), self.memory, self.cache_bytes)

    @property
    def sets_key(self) -> str:
        return self.model.sets_sha256[:16]

    def key(self, s: _inputs.Source) -> str:
        """What statistics depend on."""
        from importlib.metadata import version

        said = [s.sha256, s.scale, s.layer, self.model.name, self.model.sha256, self.model.conventions, self.tokens, self.model.baseline and self.model.baseline[1:], version("saedb")]
        if self.side == "both":
            said += ["both", self.model.input_baseline and self.model.input_baseline[1:]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def write_model(self) -> None:
        """Writes the directories beside the results that describe the model."""
        con = _model.opened(self.model.database)
        try:
            for table, (query, parameters) in _model.tables(self.model).items():
                name = f"{escaped(self.model.name)}.parquet"
                rows = con.execute(query, parameters).to_arrow_table()
                if self.out.exists(table, name):
                    rows = self.merged(table, name, rows)
                self.out.put(self.file(rows, f"{table}-{name}"), table, name)
        finally:
            con.close()

    def merged(self, table: str, name: str, rows: pa.Table) -> pa.Table:
        """The rows that a directory has of the model, together with new ones, which must not contradict them."""
        self.describe(f"read which {table} are there")
        there = self.spark.read.parquet(self.out.at(table, name)).toArrow()
        if table == "models" and there.select(["sha256", "conventions"]).to_pylist() != rows.select(["sha256", "conventions"]).to_pylist():
            raise SparkJobError(f"{self.out.root}: has results of a model {self.model.name} with other weights; give this one another name or another directory")
        if table not in KEYS:
            return rows
        con = duckdb.connect()
        con.register("there", there)
        con.register("given", rows)
        other = []
        if table == "token_sets":
            other = con.execute("SELECT token_set FROM there JOIN given USING (token_set) WHERE there.tokens <> given.tokens ORDER BY 1").fetchall()
        if other:
            raise SparkJobError(f"{self.out.root}: has scores of other token sets named {', '.join(n for (n,) in other)}; give these other names, or another directory")
        return con.execute(f"FROM given UNION ALL BY NAME FROM there ANTI JOIN given USING ({KEYS[table]})").to_arrow_table()

    # SAEs.

    def all_of(self, missing: list[_inputs.Source]) -> list[Computed]:
        """Computes SAEs, several at once, so that the last tasks of one leave no core idle."""
        if not missing:
            return []
        from pyspark.util import inheritable_thread_target

        failed: list[str] = []

        def one(s: _inputs.Source) -> Optional[Computed]:
            try:
                return self.one(s)
            except Exception as error:
                failed.append(f"{s.sae}: {plain(error)}")
                return None

        tasks = sum(-(-s.d_sae // self.step(s)) for s in missing) / len(missing)
        at_once = max(2, min(len(missing), 32, int(2 * self.slots() / tasks) + 1))
        with ThreadPoolExecutor(at_once) as pool:
            done = list(pool.map(inheritable_thread_target(self.spark)(one), missing))
        if failed:
            raise SparkJobError("; ".join(failed))
        return [c for c in done if c is not None]

    def step(self, s: _inputs.Source) -> int:
        row = (4 * s.d_model + 24 * len(self.model.set_ids) + 2048) * (2 if self.side == "both" else 1)
        return self.features_of_task(s.d_sae, 2 * s.d_model * self.model.d_vocab, row)

    def one(self, s: _inputs.Source) -> Computed:
        begun = time.monotonic()
        work = hashlib.sha256(s.sae.encode()).hexdigest()[:16]
        job = _worker.Pass(
            setup=self.setup, sae=s.sae, release=s.release, model=self.model.name, hook=s.hook, neuronpedia_id=s.neuronpedia_id, sae_sha256=s.sha256,
            model_sha256=self.model.sha256, scale=s.scale, processing=self.model.conventions, tokens=self.tokens,
            computed_at=self.computed_at, sets=self.model.set_ids, baseline=self.model.baseline and self.model.baseline.id,
            path=s.path, d_sae=s.d_sae, step=self.step(s), side=self.side, input_baseline=self.model.input_baseline and self.model.input_baseline.id,
        )  # fmt: skip
        what = f"statistics and {len(self.model.set_ids)} token sets" if job.sets else "statistics"
        self.describe(f"{s.sae}: {what} of {s.d_sae} features")
        self.out.write(self.main_pass(job), "_saedb", work)
        if job.baseline is not None:
            tasks = -(-job.d_sae // _worker.ADJUSTED_FEATURES)
            self.adjust(job, work, "unadjusted", "feature_p_values", _q_values.of_features, _worker.adjusted_features, tasks)
        if job.sets:
            tasks = -(-job.d_sae * len(job.sets) // _worker.ADJUSTED)
            self.adjust(job, work, "scores", "p_values", _q_values.of_scores, _worker.adjusted_scores, tasks)
            if job.both:
                self.adjust(job, work, "input_scores", "input_p_values", _q_values.of_scores, _worker.adjusted_input_scores, tasks)
        name = self.out.done_name(s.release, s.sae, self.key(s), self.sets_key)
        self.out.publish(work, s.release, s.layer, s.sae, self.row(s, work), name, content_of(s.sha256, s.scale))
        seconds = time.monotonic() - begun
        self.progress(f"computed {s.sae}: {s.d_sae} features, {what}, {seconds:.1f} s ({s.d_sae / seconds:.0f} features/s)")
        return Computed(s.sae, s.release, s.d_sae, len(self.model.set_ids), seconds, False)

    def main_pass(self, job: _worker.Pass) -> Any:
        """Every feature through the functions, without a shuffle."""
        from pyspark.sql import functions as F

        if job.path:
            tasks = -(-job.d_sae // job.step)
            return self.spark.range(0, tasks, 1, tasks).mapInArrow(partial(_worker.over_file, job), _worker.FILES)
        assert self.table is not None
        rows = self.table.where(F.col("sae") == job.sae).select(*_sql.DIRECTIONS)
        return rows.mapInArrow(partial(_worker.over_directions, job), _worker.FILES)

    def adjust(
        self, job: _worker.Pass, work: str, table: str, p_values: str, adjusted: Callable[[pa.Table], pa.Table], rewritten: Callable[..., Any], tasks: int
    ) -> None:
        """Writes the rows of a table anew with their q-values, which all of an SAE's p-values decide: these are all that the driver reads."""
        self.describe(f"{job.sae}: q-values")
        with self.adjusting:
            q_values = self.spark.sparkContext.broadcast(stream_of(adjusted(self.read(PA_SCHEMAS[p_values], work, p_values))))
        try:
            self.describe(f"{job.sae}: write {'features' if table == 'unadjusted' else 'enrichment'}")
            files = self.spark.read.format("binaryFile").load(self.out.at("_saedb", work, f"table={table}")).select("content")
            self.out.write(files.coalesce(tasks).mapInArrow(partial(rewritten, job, uuid.uuid4().hex, q_values), _worker.FILES), "_saedb", work)
        finally:
            q_values.destroy()

    def kernel(self, work: str) -> str:
        """The kernels that computed an SAE's features, as its files say."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as directory:
            copy = Path(directory, "features")
            self.out.get(copy, "_saedb", work, "table=features")
            names = {name for file in copy.glob("part-*") for name in pq.read_table(file, columns=["kernel"]).column("kernel").unique().to_pylist()}
        return ", ".join(sorted(names))

    def row(self, s: _inputs.Source, work: str) -> Path:
        """The SAE's row of saes, as a file."""
        from importlib.metadata import version

        values = {
            "sae": s.sae, "release": s.release, "model": self.model.name, "hook": s.hook, "layer": s.layer, "architecture": s.architecture,
            "d_model": s.d_model, "d_sae": s.d_sae, "format": s.format, "dtype": s.dtype, "scale": s.scale, "neuronpedia_id": s.neuronpedia_id,
            "l0": s.l0, "tokens": self.tokens, "source": s.source, "sha256": s.sha256, "bytes": s.bytes,
            "conventions": f"decoder {s.scale}; model {self.model.name}", "saedb_version": version("saedb"), "computed_at": self.computed_at,
            "baseline_seed": self.model.baseline and self.model.baseline.seed, "baseline_directions": self.model.baseline and self.model.baseline.directions,
            "input_side_tokens": self.tokens if self.side == "both" else None, "kernel": self.kernel(work) if self.side == "both" else None,
            "input_side_seed": self.model.input_baseline and self.model.input_baseline.seed,
            "input_side_directions": self.model.input_baseline and self.model.input_baseline.directions,
        }  # fmt: skip
        con = duckdb.connect()
        rows = con.execute(_sql.SAES, values).to_arrow_table()
        con.close()
        return self.file(rows, f"{work}.parquet")
