"""Links and neighbours of SAEs whose results are there: which pairs have products, and two Spark jobs for each that does."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, NamedTuple, Optional, Union

import duckdb
import pyarrow as pa

import saedb

from . import _inputs, _neurons, _pair_worker, _worker
from ._errors import SparkJobError, message_of, plain
from ._jobs import Jobs, content_of, to_stderr, working
from ._output import Pair, escaped


class ComputedPair(NamedTuple):
    """What was done for the features of an SAE and those of another. Of links to an MLP one of the two is the reader, whose features are neurons."""

    sae: str
    other: str  #: the SAE whose features are in the lists
    computed: Optional[str]  #: ``outgoing`` and ``incoming`` links, or ``neighbours``; None where the pair was skipped
    features: Optional[int]
    top: Optional[int]  #: how many are kept of each end
    seconds: Optional[float]
    unchanged: bool  #: it was there
    skipped: Optional[str]  #: why the two have no product that stands for anything


Progress = Optional[Callable[[str], None]]


def compute_links(
    spark: Any, out: str, source: str, target: str, *, top: int = 32, model: Union[None, str, "os.PathLike[str]"] = None,
    partition_bytes: int = 256 << 20, cache_bytes: int = 64 << 30, memory: str = "1GB", progress: Progress = None,
) -> list[ComputedPair]:  # fmt: skip
    """Computes direct weights from the features of some SAEs to those of others, as ``links`` below ``out``.

    ``out`` has the results of :func:`compute`, and ``source`` and ``target`` are words for SAEs in it, as of ``saedb compute --links``:
    a name, ``layer_N``, a glob pattern. Their files are read where they were, with the encoders of ``target``. The ``top`` strongest of
    either sign are kept, of the targets of every source, and of the sources of every target. Pairs whose target reads before the source
    writes are skipped, and are in the list with the reason. The other arguments are those of :func:`compute`.

    ``target`` may also be ``"MODEL#mlp_in.LAYER"``, or of gated MLPs ``"MODEL#mlp_gate.LAYER"``, the neurons of an MLP: what they have with the
    features is in ``mlp_links``, and the MLP in ``mlps``. ``model`` is then what has their weights, on the driver's machine: a saedb database with that MLP
    in it (``saedb load model … --mlp LAYER``), or the model on disk, with the usual processing. It must be the one that the results are of.
    """
    return computed(spark, out, source, target, top, True, partition_bytes, cache_bytes, memory, progress, model)


def compute_neighbours(
    spark: Any, out: str, source: Optional[str] = None, target: Optional[str] = None, *, top: int = 32,
    partition_bytes: int = 256 << 20, cache_bytes: int = 64 << 30, memory: str = "1GB", progress: Progress = None,
) -> list[ComputedPair]:  # fmt: skip
    """Computes which decoder directions are nearest to each other, as ``neighbours`` below ``out``.

    Without ``target``, within each SAE of ``source``, by default all; with it, between those of ``source`` and those of
    ``target``, both ways. See :func:`compute_links`.
    """
    return computed(spark, out, source, target, top, False, partition_bytes, cache_bytes, memory, progress)


def computed(
    spark: Any, out: str, source: Optional[str], target: Optional[str], top: int, links: bool,
    partition_bytes: int, cache_bytes: int, memory: str, progress: Progress, model: Union[None, str, "os.PathLike[str]"] = None,
) -> list[ComputedPair]:  # fmt: skip
    of_neurons = links and target is not None and _neurons.is_reader(target)
    if of_neurons and model is None:
        raise SparkJobError(f"{target}: the weights of neurons are read from model, a saedb database with that MLP in it or the model on disk; model= names none")
    if model is not None and not of_neurons:
        raise SparkJobError(f"model: it is of links to the neurons of an MLP, and target names SAEs: {target}")
    with working(spark, out) as (output, scratch):
        run = Pairs(spark, output, scratch, partition_bytes, cache_bytes, memory, progress or to_stderr, links, top, None if model is None else os.fspath(model))
        return run.everything(source, target)


@dataclass
class SAE:
    """An SAE among the results, or an MLP whose neurons have the place of its features."""

    sae: str
    model: str
    architecture: str  # of the model
    hook: Optional[str]
    d_model: int
    d_sae: int
    scale: str
    format: str
    source: str
    sha256: str
    release: str = ""
    encoder_hook: Optional[str] = None
    without_encoder: Optional[str] = None  # why it has none
    neurons: Optional[_neurons.Neurons] = None  # what stands in the place of an SAE

    @property
    def content(self) -> str:
        return content_of(self.sha256, self.scale)

    @property
    def rows(self) -> str:
        """What they are that have a row each."""
        return f"{self.d_sae} {'neurons' if self.neurons else 'features'}"


#: What stands in results for an SAE: its row, with the model's architecture.
SAES = """
    CREATE TABLE saes AS SELECT s.*, m.architecture AS model_architecture, CASE WHEN starts_with(sae, release || '/') THEN sae[len(release) + 2:] ELSE sae END AS short_name
    FROM given s JOIN models m USING (model)"""

TOTAL = "CREATE TABLE moments AS FROM given ORDER BY feature"


@dataclass
class Pairs(Jobs):
    """One call of compute_links or compute_neighbours."""

    links: bool
    top: int
    model: Optional[str]  # that has the weights of neurons

    def everything(self, source: Optional[str], target: Optional[str]) -> list[ComputedPair]:
        self.out.delete("_saedb")
        self.computed_at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        with saedb.connect() as con:
            self.con = con
            given = self.saes_of(source), self.targets(target if target is not None else source)
            self.look(given)
            return self.all_pairs(given, within=not self.links and target is None)

    # Which SAEs.

    def saes_of(self, words: Optional[str]) -> list[SAE]:
        """Those of the results that words mean."""
        return self.choose("sae IN (SELECT sae FROM saes_matching($words))", words or "*")

    def named(self, words: str) -> SAE:
        """The one that words mean; for none and several it is an error."""
        return self.choose("sae = sae_named($words)", words)[0]

    def choose(self, condition: str, words: str) -> list[SAE]:
        """Those of the results that a condition on words holds for."""
        if not self.con.execute("FROM duckdb_tables() WHERE table_name = 'saes'").fetchall():
            if not self.out.names("saes"):
                raise SparkJobError(f"{self.out.root}: expected results of SAEs, which saedb_spark.compute makes, found none")
            self.describe("read which SAEs there are")
            for name, table in (("given", "saes"), ("models", "models")):
                self.con.register(name, self.spark.read.parquet(self.out.at(table)).toArrow())
            self.con.execute(SAES)
            self.con.execute(self.con.execute("FROM saedb_sae_macros()").fetchall()[0][0])
        try:
            rows = self.con.execute(
                f"SELECT sae, model, model_architecture, hook, d_model, d_sae, scale, format, source, sha256, release FROM saes WHERE {condition} ORDER BY release, layer, sae",
                {"words": words},
            ).fetchall()
        except duckdb.Error as error:
            raise SparkJobError(message_of(error)) from error
        return [SAE(*row) for row in rows]

    def targets(self, words: Optional[str]) -> list[SAE]:
        """Those that words mean, or the neurons of an MLP."""
        if self.model is None or words is None:
            return self.saes_of(words)
        n = _neurons.read(self.model, words, self.scratch)
        there = self.con.execute("SELECT sha256, conventions, architecture FROM models WHERE model = $model", {"model": n.model}).fetchall()
        if not there:
            raise SparkJobError(f"{words}: expected results of the model {n.model} in {self.out.root}, found none")
        ((sha256, conventions, architecture),) = there
        if (sha256, conventions) != (n.model_sha256, n.model_conventions):
            raise SparkJobError(f"{self.model}: is not the model {n.model}, or not with the processing, that the results in {self.out.root} are of")
        return [SAE(words, n.model, architecture, None, n.d_model, n.neurons, n.processing, "", "", n.sha256, encoder_hook=n.hook, neurons=n)]

    def look(self, given: tuple[list[SAE], list[SAE]]) -> None:
        """Reads what the files of SAEs are, and that they are what results are of."""
        sources, targets = given[0], [s for s in given[1] if s.neurons is None]
        for encoder, several in ((False, sources), (self.links, targets)):
            for s in several:
                if s.format == "rows":
                    raise SparkJobError(f"{s.sae}: its decoder directions were rows of a table; links, neighbours and matching are of SAEs in files")
            if not several:
                continue
            self.spark.sparkContext.setJobDescription(f"saedb: read what {len(several)} SAE(s) are, and hash them")
            paths = sorted({s.source for s in several})
            what = _inputs.run(self.spark.sparkContext, partial(_pair_worker.describe_linked, self.cache_bytes, encoder), paths)
            for s in several:
                found = what[s.source]
                if (found["sha256"], found["scale"]) != (s.sha256, s.scale):
                    raise SparkJobError(f"{s.source}: is not what the results of {s.sae} are of; compute them anew")
                s.encoder_hook, s.without_encoder = found.get("encoder_hook"), found.get("without_encoder")

    def problem(self, source: SAE, target: SAE) -> Optional[str]:
        """Why the features of two SAEs have no product that stands for anything."""
        if source.model != target.model:
            return f"they are of the models {source.model} and {target.model}"
        if not self.links:
            return None
        if target.without_encoder is not None:
            return plain(RuntimeError(target.without_encoder))
        named = {"written": source.hook or "", "read": target.encoder_hook or "", "architecture": source.architecture or ""}
        problem: Optional[str] = self.con.execute("SELECT problem FROM saedb_check_link($written, $read, $architecture)", named).fetchall()[0][0]
        return problem

    # Pairs.

    def all_pairs(self, given: tuple[list[SAE], list[SAE]], within: bool) -> list[ComputedPair]:
        wanted: dict[tuple[str, str, str], tuple[SAE, SAE]] = {}
        skipped = []
        for source in given[0]:
            for target in given[1]:
                if within and source.sae != target.sae:
                    continue
                problem = self.problem(source, target)
                if problem is not None:
                    skipped.append(ComputedPair(source.sae, target.sae, None, None, None, None, False, problem))
                    self.progress(f"skipped {source.sae} to {target.sae}: {problem}")
                    continue
                kinds = ("outgoing", "incoming") if self.links else ("neighbours", "neighbours")
                for kind, (one, other) in zip(kinds, ((source, target), (target, source))):
                    wanted[kind, one.sae, other.sae] = one, other
        if skipped and not wanted:
            raise SparkJobError(f"no pair of these SAEs has products that stand for anything: {skipped[0].sae} to {skipped[0].other}: {skipped[0].skipped}")
        # One matrix after the other, since a worker holds one.
        there = [Pair.of_name(name) for name in self.out.names("pairs")]
        order = sorted(wanted, key=lambda key: (key[2], key[0], key[1]))
        return skipped + [self.pair(kind, *wanted[kind, sae, other], there) for kind, sae, other in order]

    def pair(self, kind: str, s: SAE, other: SAE, there: list[Pair]) -> ComputedPair:
        top = min(self.top, other.d_sae)
        asked = Pair(kind, escaped(s.sae), escaped(other.sae), s.content, other.content, top)
        stored = [p.top for p in there if p[:-1] == asked[:-1] and p.top >= top]
        if stored:
            return ComputedPair(s.sae, other.sae, kind, s.d_sae, stored[0], 0.0, True, None)
        begun = time.monotonic()
        try:
            self.compute(asked, s, other)
        except Exception as error:
            raise SparkJobError(f"{s.sae}, {kind} {other.sae}: {plain(error)}") from error
        seconds = time.monotonic() - begun
        self.progress(f"computed {s.sae}: {kind}, {top} of {other.sae} for each of {s.rows}, {seconds:.1f} s")
        return ComputedPair(s.sae, other.sae, kind, s.d_sae, top, seconds, False, None)

    def compute(self, asked: Pair, s: SAE, other: SAE) -> None:
        queries = self.con.execute(
            "FROM saedb_pair_queries($kind, $top, within := $within)",
            {"kind": asked.kind, "top": str(asked.top), "within": "true" if s.sae == other.sae else ""},
        ).fetchall()  # fmt: skip
        directions, reader, selected, rows, total = queries[0]
        mlp = s if s.neurons else other
        named = None
        if mlp.neurons is not None:
            named = _pair_worker.NamedMLP((other if mlp is s else s).sae, mlp.neurons.model, mlp.neurons.layer, mlp.neurons.matrix)
        job = _pair_worker.PairPass(
            setup=_worker.Setup(self.offer(mlp), self.memory, self.cache_bytes), kind=asked.kind, mlp=named,
            table="mlp_links" if named else "links" if self.links else "neighbours", sae=s.sae, path=s.source,
            d_sae=s.d_sae, other=other.sae, other_path=other.source, other_content=other.content, other_d_sae=other.d_sae, d_model=s.d_model,
            step=self.features_of_task(s.d_sae, 2 * s.d_model * other.d_sae, 4 * s.d_model + 48 * asked.top + 512), directions=directions, reader=reader, selected=selected, rows=rows,
        )  # fmt: skip
        work = hashlib.sha256(asked.begin.encode()).hexdigest()[:16]
        self.describe(f"{s.sae}: {asked.kind} {other.sae}, {s.rows}")
        tasks = -(-s.d_sae // job.step)
        self.out.write(self.spark.range(0, tasks, 1, tasks).mapInArrow(partial(_pair_worker.over_pair, job), _pair_worker.FILES), "_saedb", work)
        of_all = self.total(work, total, s, asked.top)
        self.describe(f"{s.sae}: write {job.table}")
        files = self.spark.read.format("binaryFile").load(self.out.at("_saedb", work, "table=unfinished")).select("content")
        self.out.write(files.mapInArrow(partial(_pair_worker.completed, job, of_all), _pair_worker.FILES), "_saedb", work)
        if mlp.neurons is not None:
            self.out.publish_mlp(self.file(mlp.neurons.described, "mlp.parquet"), mlp.neurons.model, mlp.neurons.layer, mlp.content)
        row = {"kind": asked.kind, "sae": s.sae, "other_sae": other.sae, **of_all.__dict__}
        self.out.publish_pair(work, job.table, asked, self.file(pa.Table.from_pylist([row]), f"{work}.parquet"))

    def offer(self, mlp: SAE) -> str:
        """Where every worker reads the weights of neurons, beside the results; nowhere where an SAE is meant."""
        if mlp.neurons is None:
            return ""
        name = f"mlp-{hashlib.sha256(json.dumps([mlp.sae, mlp.content, mlp.neurons.model_sha256, mlp.neurons.model_conventions]).encode()).hexdigest()[:16]}.duckdb"
        if not self.out.exists("_saedb", name):
            self.out.put(mlp.neurons.database, "_saedb", name)
        return self.out.at("_saedb", name)

    def total(self, work: str, total: str, s: SAE, top: int) -> _pair_worker.Total:
        """What all features decide, in the order in which the program sums them up."""
        from importlib.metadata import version

        schema = pa.schema([("feature", pa.int32()), ("mean", pa.float64()), ("std", pa.float64()), ("kernel", pa.string())])
        with duckdb.connect(config={"threads": "1"}) as con:
            con.register("given", self.read(schema, work, "moments"))
            con.execute(TOTAL)
            ((features, kernels),) = con.execute("SELECT count(DISTINCT feature), string_agg(DISTINCT kernel, ', ' ORDER BY kernel) FROM moments").fetchall()
            if features != s.d_sae:
                raise SparkJobError(f"expected lists of {s.d_sae} features, found {features}")
            mean, std = con.execute(f"{total} FROM moments").fetchall()[0] if total else (None, None)
        return _pair_worker.Total(top, features, mean, std, kernels, version("saedb"), self.computed_at)
