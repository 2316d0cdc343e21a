"""A computation: which SAEs lack results, and a few Spark jobs for each that does."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import duckdb
import pyarrow as pa

from . import _inputs, _like, _model, _q_values, _sql, _worker
from ._errors import SparkJobError, plain
from ._jobs import Jobs, content_of, stream_of
from ._output import escaped


class Computed(NamedTuple):
    """What was done for an SAE."""

    sae: str
    release: str
    features: int
    token_sets: int
    seconds: float
    unchanged: bool  #: its results were there


#: Columns of the files of p-values, which an SAE may have none of.
PA_SCHEMAS = {
    "feature_p_values": pa.schema([(f"{name}_p", pa.float64()) for name in _sql.SIGNIFICANT]),
    "p_values": pa.schema([("family", pa.dictionary(pa.int32(), pa.string())), ("log10_p", pa.float32())]),
}
PA_SCHEMAS["input_p_values"] = PA_SCHEMAS["p_values"]

#: Those of the file of an SAE's own baselines that the driver asks.
BASELINES = pa.schema([("baseline_id", pa.int32()), ("side", pa.string()), ("seed", pa.int64()), ("directions", pa.int32())])
KERNELS = pa.schema([("kernel", pa.string())])

#: What tells rows of a model apart that results of several computations have.
KEYS = {
    "token_sets": "token_set",
    "baseline_statistics": "tokens, seed, directions, statistic",
    "baseline_enrichment": "tokens, seed, baseline_directions, token_set",
    "input_baseline_enrichment": "tokens, seed, baseline_directions, token_set",
    "lenses": "lens",
    "baseline_statistics_through": "lens, lens_layer, tokens, seed, directions, statistic",
    "baseline_enrichment_through": "lens, lens_layer, tokens, seed, baseline_directions, token_set",
}


@dataclass
class Run(Jobs):
    """One call of compute."""

    model: _model.Model
    tokens: str
    side: str
    like: bool  # whether p-values are against random directions like each SAE, and how many of these were asked for
    directions: Optional[int]
    # Of how many SAEs the driver may have the p-values, on so many cores.
    adjusting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(max(1, (os.cpu_count() or 1) // 4)))

    def everything(self, saes: Any, release: str) -> list[Computed]:
        self.out.delete("_saedb")
        self.table = None
        if _inputs.is_rows(saes):
            self.setup = self.offer_model()
            self.table, sources = _inputs.of_directions(self.spark, saes, release, self.setup)
        else:
            sources = _inputs.of_files(self.spark, saes, release, self.cache_bytes, self.side != "output")
        _inputs.check(sources, self.model.d_model, self.model.name)
        self.computed_at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        self.place(sources)
        if self.table is None:
            self.setup = self.offer_model()
        missing = self.lacking(sources)
        done = [Computed(s.sae, s.release, s.d_sae, len(self.model.set_ids), 0.0, True) for s in sources if s not in missing]
        if done:
            self.progress(f"{len(done)} of {len(sources)} SAEs were computed before")
        if missing:
            self.write_model()
        return done + self.all_of(missing)

    def place(self, sources: list[_inputs.Source]) -> None:
        """Finds out what must be known of all SAEs, before the model is sent to the workers."""

    def lacking(self, sources: list[_inputs.Source]) -> list[_inputs.Source]:
        """Those without results."""
        there = self.out.names("saes")
        return [s for s in sources if not self.out.done(s.release, s.sae, self.key(s), self.sets_key, there)]

    def offer_model(self) -> _worker.Setup:
        """Puts the model's database where every worker reads it: beside the results."""
        name = f"model-{hashlib.sha256(json.dumps(self.said()).encode()).hexdigest()[:16]}.duckdb"
        self.out.put(self.model.database, "_saedb", name)
        return _worker.Setup(self.out.at("_saedb", name), self.memory, self.cache_bytes)

    def said(self) -> list[Any]:
        """What tells the model's database from others."""
        return [self.model.name, self.model.sha256, self.model.conventions, self.model.sets_sha256, self.tokens, self.model.baseline, self.model.input_baseline, self.side]

    @property
    def sets_key(self) -> str:
        return self.model.sets_sha256[:16]

    def key(self, s: _inputs.Source) -> str:
        """What statistics depend on."""
        from importlib.metadata import version

        said = [s.sha256, s.scale, s.layer, self.model.name, self.model.sha256, self.model.conventions, self.tokens, self.model.baseline and self.model.baseline[1:], version("saedb")]
        if self.like:
            said += ["like", self.directions]
        if self.side != "output":
            said += [self.side, self.model.input_baseline and self.model.input_baseline[1:]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def write_model(self) -> None:
        """Writes the directories beside the results that describe the model."""
        con = _model.opened(self.model.database)
        try:
            for table, (query, parameters) in self.tables().items():
                name = f"{escaped(self.model.name)}.parquet"
                rows = con.execute(query, parameters).to_arrow_table()
                if not rows.num_rows:
                    continue
                if self.out.exists(table, name):
                    rows = self.merged(table, name, rows)
                self.out.put(self.file(rows, f"{table}-{name}"), table, name)
        finally:
            con.close()

    def tables(self) -> dict[str, tuple[str, dict[str, object]]]:
        """The queries that give them."""
        return _model.tables(self.model)

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
        if table == "lenses":
            if con.execute("SELECT lens FROM there JOIN given USING (lens) WHERE (there.sha256, there.conventions) <> (given.sha256, given.conventions)").fetchall():
                raise SparkJobError(f"{self.out.root}: has results through another lens of that name; load this one under another name, or give another directory")
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
        row = (4 * s.d_model + 24 * len(self.model.set_ids) + 2048) * len(_model.SIDES[self.side])
        return self.features_of_task(s.d_sae, 2 * s.d_model * self.model.d_vocab, row)

    def one(self, s: _inputs.Source) -> Computed:
        begun = time.monotonic()
        work = hashlib.sha256(s.sae.encode()).hexdigest()[:16]
        job, baselines = self.against(self.job(s))
        what = f"statistics and {len(self.model.set_ids)} token sets" if job.sets else "statistics"
        what += f" through {job.lens}" if job.lens else ""
        self.describe(f"{s.sae}: {what} of {s.d_sae} features")
        self.out.write(self.main_pass(job), "_saedb", work)
        if baselines:
            tasks = -(-job.d_sae // _worker.ADJUSTED_FEATURES)
            self.adjust(job, work, "unadjusted", "feature_p_values", _q_values.of_features, _worker.adjusted_features, tasks)
        if job.sets:
            tasks = -(-job.d_sae * len(job.sets) // _worker.ADJUSTED)
            if job.has_output:
                self.adjust(job, work, "scores", "p_values", _q_values.of_scores, _worker.adjusted_scores, tasks)
            if job.has_input:
                self.adjust(job, work, "input_scores", "input_p_values", _q_values.of_scores, _worker.adjusted_input_scores, tasks)
        self.publish(s, work, job, baselines)
        seconds = time.monotonic() - begun
        self.progress(f"computed {s.sae}: {s.d_sae} features, {what}, {seconds:.1f} s ({s.d_sae / seconds:.0f} features/s)")
        return Computed(s.sae, s.release, s.d_sae, len(self.model.set_ids), seconds, False)

    def job(self, s: _inputs.Source) -> _worker.Pass:
        return _worker.Pass(
            setup=self.setup, sae=s.sae, release=s.release, model=self.model.name, hook=s.hook, neuronpedia_id=s.neuronpedia_id, sae_sha256=s.sha256,
            model_sha256=self.model.sha256, scale=s.scale, processing=self.model.conventions, tokens=self.tokens,
            computed_at=self.computed_at, sets=self.model.set_ids, path=s.path, d_sae=s.d_sae, step=self.step(s), side=self.side,
        )  # fmt: skip

    def publish(self, s: _inputs.Source, work: str, job: _worker.Pass, baselines: dict[str, _model.Baseline]) -> None:
        """Makes what is computed of an SAE part of the results."""
        name = self.out.done_name(s.release, s.sae, self.key(s), self.sets_key)
        self.out.publish(work, s.release, s.layer, s.sae, self.row(s, work, baselines), name, content_of(s.sha256, s.scale), self.model.name, job.chance)

    def against(self, job: _worker.Pass) -> tuple[_worker.Pass, dict[str, _model.Baseline]]:
        """The pass of an SAE with the baselines that it is to be held against, by sides: the model's, or those like it, which are computed here."""
        of_model = {"output": self.model.baseline, "input": self.model.input_baseline}
        found = {side: b for side, b in of_model.items() if b is not None}
        if self.like:
            work = uuid.uuid4().hex  # since workers keep what they find at a place
            job = replace(job, chance=self.out.at("_saedb", work), directions=None if self.directions is None else str(self.directions))
            self.describe(f"{job.sae}: baseline like it")
            self.out.write(self.spark.range(0, 1, 1, 1).mapInArrow(partial(_like.over_baseline, job), _like.FILES), "_saedb", work)
            rows = self.read(BASELINES, work, "stored_baselines").to_pylist()
            found = {row["side"]: _model.Baseline(row["baseline_id"], row["seed"], row["directions"]) for row in rows}
        ids = {side: b.id for side, b in found.items()}
        return replace(job, baseline=ids.get("output"), input_baseline=ids.get("input")), found

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

    def row(self, s: _inputs.Source, work: str, baselines: dict[str, _model.Baseline]) -> Path:
        """The SAE's row of saes, as a file."""
        from importlib.metadata import version

        kernels = self.read(KERNELS, work, "kernels").column("kernel").unique().to_pylist()
        output, of_input = baselines.get("output"), baselines.get("input")
        values = {
            "sae": s.sae, "release": s.release, "model": self.model.name, "hook": s.hook, "layer": s.layer, "architecture": s.architecture,
            "d_model": s.d_model, "d_sae": s.d_sae, "format": s.format, "dtype": s.dtype, "scale": s.scale, "neuronpedia_id": s.neuronpedia_id,
            "l0": s.l0, "tokens": self.tokens if self.side != "input" else None, "source": s.source, "sha256": s.sha256, "bytes": s.bytes,
            "conventions": f"decoder {s.scale}; model {self.model.name}", "saedb_version": version("saedb"), "computed_at": self.computed_at,
            "baseline_seed": output and output.seed, "baseline_directions": output and output.directions, "baseline_kind": "sae" if self.like else "isotropic",
            "input_side_tokens": self.tokens if self.side != "output" else None, "kernel": ", ".join(sorted(kernels)) or None,
            "input_side_seed": of_input and of_input.seed, "input_side_directions": of_input and of_input.directions,
        }  # fmt: skip
        con = duckdb.connect()
        rows = con.execute(_sql.SAES, values).to_arrow_table()
        con.close()
        return self.file(rows, f"{work}.parquet")
