"""A computation through a lens, beside the results without it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import duckdb
import pyarrow as pa

import saedb
from saedb._call import call, target

from . import _inputs, _model, _sql, _worker
from ._errors import SparkJobError, message_of
from ._jobs import content_of
from ._output import END, escaped
from ._run import Run


@dataclass
class Through(Run):
    """One call of compute with a lens. The program's order is kept: an SAE has its results without it first."""

    lens: str = ""
    rank_correlation: bool = False
    lens_sha256: str = ""
    layers: dict[str, int] = field(default_factory=dict)  # behind which blocks SAEs begin in the lens
    baselines: dict[int, _model.Baseline] = field(default_factory=dict)  # of these
    direct: Optional[_model.Baseline] = None  # that of the last block, of which a lens has no matrix: the one without a lens

    def place(self, sources: list[_inputs.Source]) -> None:
        self.check_there(sources)
        con = saedb.connect(self.model.database)
        try:
            of = {"lens": self.lens, "model": self.model.name, "database": target(con, None)}
            for s in sources:
                try:
                    ((self.layers[s.sae],),) = (row.values() for row in call(con, "saedb_lens_layer", {**of, "hook": s.hook or ""}))
                except duckdb.Error as error:
                    raise SparkJobError(f"{s.sae}: {message_of(error)}") from error
                if self.like:
                    self.check_matrix(con, s)
                elif self.layers[s.sae] not in self.baselines:
                    asked = {"tokens": self.tokens, "baseline": None if self.directions is None else str(self.directions)}
                    found = _model.baseline_of(call(con, "saedb_baseline", {**of, **asked, "hook": s.hook}))
                    if found is not None:
                        self.baselines[self.layers[s.sae]] = found
            ((self.lens_sha256,),) = con.execute("SELECT sha256 FROM lenses JOIN loads USING (load_id) WHERE lens = $lens", {"lens": self.lens}).fetchall()
            direct = {number for (number,) in con.execute("SELECT baseline_id FROM stored_baselines WHERE lens_id IS NULL").fetchall()}
            self.direct = next((b for b in self.baselines.values() if b.id in direct), None)
            con.execute("CHECKPOINT")
        finally:
            con.close()

    def check_matrix(self, con: duckdb.DuckDBPyConnection, s: _inputs.Source) -> None:
        """Refuses an SAE behind the last block, of which a lens has no matrix, where baselines are like SAEs: its own without a lens has them already."""
        layer = self.layers[s.sae]
        if not con.execute("SELECT list_contains(layers, CAST($layer AS INTEGER)) FROM lenses WHERE lens = $lens", {"layer": layer, "lens": self.lens}).fetchall()[0][0]:
            raise SparkJobError(f"{s.sae}: writes behind the last block, {layer}, where the lens {self.lens} changes nothing: leave it out, or compute it with isotropic baselines")

    def check_there(self, sources: list[_inputs.Source]) -> None:
        """Refuses SAEs that have no results without the lens: readers, and an import, look for these first."""
        there = set()
        if self.out.names("saes"):
            self.describe("read which SAEs are there")
            there = {tuple(row) for row in self.spark.read.parquet(self.out.at("saes")).select("sae", "sha256", "scale", "layer", "model").collect()}
        for s in sources:
            if (s.sae, s.sha256, s.scale, s.layer, self.model.name) not in there:
                raise SparkJobError(f"{s.sae}: expected results of these files and model {self.model.name} without a lens in {self.out.root}, found none; compute it without a lens first")

    def said(self) -> list[Any]:
        return [*super().said(), self.lens, self.lens_sha256, sorted(self.baselines.items())]

    def lacking(self, sources: list[_inputs.Source]) -> list[_inputs.Source]:
        there = [mark.split(END) for mark in self.out.names("saes_through")]
        return [s for s in sources if not any(self.is_done(s, parts) for parts in there)]

    def is_done(self, s: _inputs.Source, there: list[str]) -> bool:
        """Whether an SAE is what the parts of a mark's name say. Where no sets or no correlations are asked for, it may have any."""
        asked = self.mark(s).split(END)
        correlated, sets = there[5] == asked[5] or not self.rank_correlation, there[6] == asked[6] or not self.sets_key
        return there[:5] == asked[:5] and correlated and sets

    def mark(self, s: _inputs.Source) -> str:
        """The name of the file that an SAE has in ``saes_through`` once it is done."""
        return END.join([
            escaped(s.release), escaped(s.sae), escaped(self.lens), content_of(s.sha256, s.scale), self.key(s),
            "ranks" if self.rank_correlation else "plain", f"{self.sets_key or 'none'}.parquet",
        ])  # fmt: skip

    def key(self, s: _inputs.Source) -> str:
        baseline = self.baselines.get(self.layers[s.sae])
        said = [super().key(s), self.lens_sha256, self.layers[s.sae], baseline and baseline[1:]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def tables(self) -> dict[str, tuple[str, dict[str, object]]]:
        ids: dict[str, object] = {"baselines": [b.id for b in self.baselines.values()]}
        return {
            **super().tables(),
            "lenses": (_sql.LENSES, {"lens": self.lens}),
            "baseline_statistics_through": (_sql.BASELINE_STATISTICS_THROUGH, ids),
            **({"baseline_enrichment_through": (_sql.BASELINE_ENRICHMENT_THROUGH, ids)} if self.model.set_ids else {}),
            **_model.baselines(self.model, {"output": self.direct}),
        }

    def job(self, s: _inputs.Source) -> _worker.Pass:
        return replace(super().job(s), lens=self.lens, lens_layer=self.layers[s.sae], lens_sha256=self.lens_sha256, rank_correlation=self.rank_correlation)

    def against(self, job: _worker.Pass) -> tuple[_worker.Pass, dict[str, _model.Baseline]]:
        found = {"output": self.baselines[job.lens_layer]} if job.lens_layer in self.baselines else {}
        if self.like:
            job, found = super().against(job)
        for b in found.values():
            job = replace(job, baseline=b.id, baseline_seed=b.seed, baseline_directions=b.directions)
        return job, found

    def publish(self, s: _inputs.Source, work: str, job: _worker.Pass, baselines: dict[str, _model.Baseline]) -> None:
        row = pa.Table.from_pylist([{"sae": s.sae, "release": s.release, "lens": self.lens, "lens_layer": job.lens_layer, "tokens": self.tokens, "computed_at": self.computed_at}])
        self.out.publish_through(work, s.release, s.layer, s.sae, self.file(row, f"{work}.parquet"), self.mark(s), self.model.name, job.chance)
