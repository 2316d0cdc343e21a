"""What is to be computed: files of SAEs, or tables of decoder directions."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Iterable, Mapping, Optional, Union

from . import _worker
from ._errors import SparkJobError, plain

#: What ``saes`` may be: see :func:`saedb_spark.compute`.
SAEs = Union[str, "os.PathLike[str]", Iterable[Union[str, "os.PathLike[str]"]], Mapping[str, Any], Any]

DEFAULT_RELEASE = "local"


@dataclass
class Source:
    """One SAE."""

    sae: str
    release: str
    sha256: str
    d_model: int
    d_sae: int
    hook: Optional[str]
    block: Optional[int]  # index of the block in the hook point's name
    neuronpedia_id: Optional[str]
    source: str  # where it is from, as recorded
    format: str
    architecture: str
    dtype: str
    scale: str
    l0: Optional[float]
    bytes: Optional[int]
    path: str = ""  # of its files, empty for rows of a table
    layer: Optional[int] = None  # index of the block, unless a table of directions says otherwise


def is_table(saes: SAEs) -> bool:
    return hasattr(saes, "sparkSession") and hasattr(saes, "mapInArrow")


def is_rows(saes: SAEs) -> bool:
    """Whether SAEs are given as rows of decoder directions, and not as files."""
    return is_table(saes) and "path" not in getattr(saes, "columns", ())


def of_files(spark: Any, saes: SAEs, release: str, cache_bytes: int, encoder: bool = False) -> list[Source]:
    """The SAEs at paths: found, looked at and hashed on the cluster, before anything is computed."""
    named = list(paths(saes, release))
    if not named:
        raise SparkJobError("saes: expected at least one path, found none")
    sc = spark.sparkContext
    sc.setJobDescription(f"saedb: find SAEs at {len(named)} path(s)")
    roots = sorted({path for _, path, _ in named})
    found = run(sc, _worker.find, roots)
    wanted = [(group, path, name) for group, root, name in named for path in found[root]]
    for group, root, name in named:
        if name and len(found[root]) > 1:
            raise SparkJobError(f"{root}: the name {name} is given to {len(found[root])} SAEs")
    distinct = sorted({path for _, path, _ in wanted})
    sc.setJobDescription(f"saedb: read what {len(distinct)} SAE(s) are, and hash them")
    described = run(sc, partial(_worker.describe, cache_bytes, encoder), distinct)
    return [from_description(group, path, name, described[path]) for group, path, name in wanted]


def paths(saes: Any, release: str) -> Iterable[tuple[str, str, Optional[str]]]:
    """(release, path, name or None) of everything that is given."""
    if isinstance(saes, (str, os.PathLike)):
        yield release, absolute(saes), None
    elif isinstance(saes, Mapping):
        for group, several in saes.items():
            yield from paths(several, group)
    elif is_table(saes):
        for row in saes.collect():
            given = row.asDict()
            yield given.get("release") or release, absolute(given["path"]), given.get("sae")
    else:
        for path in saes:
            yield release, absolute(path), None


def absolute(path: Union[str, "os.PathLike[str]"]) -> str:
    text = os.fspath(path)
    return text if "://" in text else os.path.abspath(text)


def run(sc: Any, function: Callable[[str], _worker.Answer], items: list[str]) -> dict[str, Any]:
    """What a function says of each item, a task each, on the cluster."""
    try:
        answers = sc.parallelize(items, len(items)).map(function).collect()
    except Exception as error:
        raise SparkJobError(plain(error)) from error
    broken = [plain(RuntimeError(error)) for _, _, error in answers if error]
    if broken:
        raise SparkJobError("; ".join(broken))
    return {path: what for path, what, _ in answers}


def from_description(release: str, path: str, name: Optional[str], what: Mapping[str, Any]) -> Source:
    return Source(
        sae=sae_name(release, name or what["name"]), release=release, sha256=what["sha256"], d_model=what["d_model"], d_sae=what["d_sae"], hook=what["hook"],
        block=what["block"], neuronpedia_id=what["neuronpedia_id"], source=path, format=what["format"], architecture=what["architecture"],
        dtype=what["dtype"], scale=what["scale"], l0=what["l0"], bytes=what["bytes"], path=path, layer=what["block"],
    )  # fmt: skip


def sae_name(release: str, name: str) -> str:
    """The name of an SAE that is unique among all results. One that begins with its release is so already: in saedb's own views
    it does."""
    return name if release == DEFAULT_RELEASE or name.startswith(f"{release}/") else f"{release}/{name}"


def of_directions(spark: Any, table: Any, release: str, setup: _worker.Setup) -> tuple[Any, list[Source]]:
    """The SAEs in a table of directions, and the table with all columns that a pass reads."""
    from pyspark.sql import functions as F

    for needed in ("sae", "feature", "w_dec"):
        if needed not in table.columns:
            raise SparkJobError(f"saes: expected a table with a column path, or columns sae, feature and w_dec; found {', '.join(table.columns)}")
    group = F.col("release").cast("string") if "release" in table.columns else F.lit(release)
    name = F.col("sae").cast("string")
    whole = table.select(
        group.alias("release"),
        F.when((group == DEFAULT_RELEASE) | name.startswith(F.concat(group, F.lit("/"))), name).otherwise(F.concat_ws("/", group, name)).alias("sae"),  # as sae_name
        F.col("feature").cast("int").alias("feature"),
        F.col("w_dec").cast("array<float>").alias("w_dec"),
        *[optional(table, name, kind) for name, kind in (("log_sparsity", "float"), ("hook", "string"), ("layer", "int"), ("neuronpedia_id", "string"))],
    )  # fmt: skip
    sc = spark.sparkContext
    sc.setJobDescription("saedb: hash the directions of each SAE")
    parts = whole.select("release", "sae", "feature", "w_dec").mapInArrow(
        partial(_worker.hashes, setup), "release STRING, sae STRING, hash BIGINT, features BIGINT, lacking BIGINT, narrowest BIGINT, widest BIGINT"
    )
    merged = parts.groupBy("release", "sae").agg(
        F.expr("bit_xor(hash)").alias("hash"), F.sum("features").alias("features"), F.sum("lacking").alias("lacking"),
        F.min("narrowest").alias("narrowest"), F.max("widest").alias("widest"),
    )  # fmt: skip
    about = whole.groupBy("release", "sae").agg(
        F.countDistinct("feature").alias("distinct"), F.first("hook").alias("hook"), F.first("layer").alias("layer"),
        F.first("neuronpedia_id").alias("neuronpedia_id"),
    )  # fmt: skip
    try:
        rows = merged.join(about, ["release", "sae"]).orderBy("release", "sae").collect()
    except Exception as error:
        raise SparkJobError(plain(error)) from error
    return whole, [from_rows(row) for row in rows]


def optional(table: Any, name: str, kind: str) -> Any:
    from pyspark.sql import functions as F

    return (F.col(name) if name in table.columns else F.lit(None)).cast(kind).alias(name)


def from_rows(row: Any) -> Source:
    where = row.sae
    if row.lacking:
        raise SparkJobError(f"{where}: expected a feature and a w_dec in every row, found {row.lacking} rows without")
    if row.features != row.distinct:
        raise SparkJobError(f"{where}: expected each feature once, found {row.features} rows of {row.distinct} features")
    if row.narrowest != row.widest:
        raise SparkJobError(f"{where}: expected directions of one length, found {row.narrowest} to {row.widest} values")
    digest = hashlib.sha256(f"{row.features} rows {row.hash}".encode()).hexdigest()
    block = row.layer
    if block is None and row.hook is not None:
        match = re.search(r"\.(\d+)(?:\.|$)", row.hook)
        block = int(match[1]) if match else None
    return Source(
        sae=row.sae, release=row.release, sha256=digest, d_model=row.widest, d_sae=row.features, hook=row.hook, block=block,
        neuronpedia_id=row.neuronpedia_id, source="rows", format="rows", architecture="directions", dtype="F32", scale="as-stored",
        l0=None, bytes=None, layer=block,
    )  # fmt: skip


def check(sources: list[Source], d_model: int, model: str) -> None:
    """Refuses what would give wrong results later."""
    seen: dict[str, Source] = {}
    for s in sources:
        other = seen.setdefault(s.sae, s)
        if other is not s:
            raise SparkJobError(f"{s.source}: {s.sae} is also at {other.source}: give them to different releases")
        if s.d_model != d_model:
            raise SparkJobError(f"{s.source}: expected d_model {d_model}, that of model {model}, found {s.d_model}")
