"""The matching of two SAEs whose results are there: one task, which loads both and calls the program's own function."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Optional, Union

import saedb

from . import _fetch, _inputs
from ._errors import SparkJobError
from ._jobs import to_stderr, working
from ._model import literal
from ._pairs import Pairs
from ._worker import Answer, bare_connection, cache, reported, scratch

__all__ = ["match"]

#: How a task calls the database that it loads two SAEs into.
DATABASE = "matched"


@dataclass(frozen=True)
class Given:
    """An SAE of the two, as its results say."""

    sae: str
    release: str
    model: str
    d_model: int
    source: str


@dataclass(frozen=True)
class Matching:
    """What the function is asked for."""

    a: Given
    b: Given
    cosine: Optional[float]
    folded: bool
    cache_bytes: int
    memory: str


def match(
    spark: object, out: Union[str, "os.PathLike[str]"], a: str, b: str, *, cosine: Optional[float] = None, folded: bool = False,
    to: Union[None, str, "os.PathLike[str]"] = None, cache_bytes: int = 64 << 30, memory: str = "1GB",
) -> saedb.Matched:  # fmt: skip
    """Matches the features of two SAEs one to one by their decoder directions, as :func:`saedb.match` does.

    ``out`` has the results of :func:`compute`, and ``a`` and ``b`` are words for one SAE each in it. Their files are read where they were, by one task, on
    whose machine both decoders must fit into the memory and on the disk. ``cosine``, ``folded`` and ``to`` are those of :func:`saedb.match`, which writes
    the same file; ``to`` is on the driver's machine. ``cache_bytes`` and ``memory`` are those of :func:`compute`.
    """
    with working(spark, os.fspath(out)) as (output, local):
        run = Pairs(spark, output, local, 1, cache_bytes, memory, to_stderr, links=False, top=1, model=None)
        with saedb.connect() as run.con:
            both = [run.named(words) for words in (a, b)]
            run.look((both, []))
        one, other = (Given(s.sae, s.release, s.model, s.d_model, s.source) for s in both)
        job = Matching(one, other, cosine, folded, cache_bytes, memory)
        name = f"{job.a.sae} and {job.b.sae}"
        run.describe(f"match {name}")
        row, text = _inputs.run(run.spark.sparkContext, partial(matched, job), [name])[name]
    if to is not None:
        written(Path(to), text)
    return saedb.Matched(*row)


def written(to: Path, text: str) -> None:
    """Writes a file that is there as a whole or not at all."""
    try:
        with tempfile.TemporaryDirectory(prefix=".saedb-", dir=to.absolute().parent) as directory:
            file = Path(directory, to.name)
            file.write_text(text, encoding="utf-8")
            os.replace(file, to)
    except OSError as error:
        raise SparkJobError(f"to: expected a file that can be written, found {to}: {error}") from error


def matched(job: Matching, name: str) -> Answer:
    """What comes of a matching: the row of saedb_match, and the text of its file."""
    try:
        with reported(f"match {name}"), tempfile.TemporaryDirectory(dir=scratch()) as directory, bare_connection(job.memory) as con:
            con.execute(f"SET temp_directory = {literal(os.path.join(directory, 'spilled'))}")
            con.execute(f"ATTACH {literal(os.path.join(directory, 'matched.duckdb'))} AS {DATABASE}")
            for s in {s.model: s for s in (job.a, job.b)}.values():
                # SAEs are of a model. Matching reads nothing of it, so one token stands for the vocabulary.
                saedb.add_model(con, no_unembedding(s.d_model), name=s.model, tokens=["none"], database=DATABASE)
            for s in {s.sae: s for s in (job.a, job.b)}.values():
                own = s.sae.removeprefix(f"{s.release}/")
                release = None if s.release == _inputs.DEFAULT_RELEASE else s.release
                with _fetch.local(s.source, cache(), job.cache_bytes) as path:
                    saedb.load_sae(con, path, release=release, name=own, model=s.model, encoder=job.folded, copy=True, database=DATABASE)
                con.execute(f"UPDATE {DATABASE}.stored_loads SET source = $source WHERE name = $sae", {"source": s.source, "sae": s.sae})
            file = Path(directory, "matched.json")
            row = saedb.match(con, job.a.sae, job.b.sae, cosine=job.cosine, folded=job.folded, to=file, database=DATABASE)
            return name, (tuple(row), file.read_text(encoding="utf-8")), None
    except RuntimeError as error:
        return name, None, str(error)


def no_unembedding(d_model: int) -> object:
    import numpy as np

    return np.ones((d_model, 1), dtype=np.float32)
