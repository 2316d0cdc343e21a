"""What a computation on a cluster costs: time, bytes moved and memory, from the shape of the work.

docs/scale.md says where the constants come from; ``python bench/spark/model.py`` prints its tables.
"""

import argparse
import math
from dataclasses import dataclass

GB = 1e9


@dataclass(frozen=True)
class Constants:
    """Measured on one machine but for the network; the first four are of one core."""

    flops: float = 85e9  # FLOP/s of the statistics, SQL and both ends of the ranking included
    rank_seconds: float = 5.8e-9  # of ranking, a token and feature
    set_seconds: float = 4.6e-11  # of scoring, a token, set and feature
    score_seconds: float = 1.5e-6  # of writing a score, and of writing it again with its q-value
    q_seconds: float = 2e-7  # of the driver, a p-value; for as many SAEs at a time as it has four cores
    pack_bytes: float = 0.5e9  # bytes/s of unembedding, from a file to packed panels
    network: float = 1.25e9  # bytes/s into and out of a machine (10 Gbit/s)
    task_seconds: float = 0.05  # of Spark and of a query, a task
    sae_seconds: float = 1.0  # of Spark's planning and committing, an SAE
    start_seconds: float = 13.0  # an executor and its Python process


@dataclass(frozen=True)
class Work:
    name: str
    d_model: int
    d_vocab: int
    d_sae: int
    saes: int
    decoder_bytes: int = 4  # a weight in the files, encoder not counted
    file_share: float = 2.0  # bytes of an SAE's files over those of its decoder: encoder and decoder
    sets: int = 0
    members: int = 0

    @property
    def features(self):
        return self.d_sae * self.saes

    @property
    def flop(self):
        return 2.0 * self.d_model * self.d_vocab * self.features

    @property
    def unembedding(self):
        return 4.0 * self.d_model * self.d_vocab

    @property
    def sae_files(self):
        return float(self.decoder_bytes) * self.d_model * self.d_sae * self.file_share

    @property
    def scores(self):
        return self.features * self.sets

    @property
    def results(self):
        """Bytes of ``features`` and ``enrichment``."""
        return 350.0 * self.features + 19.0 * self.scores


@dataclass(frozen=True)
class Cluster:
    machines: int
    cores: int  # of a machine, all in one executor and one task; the driver has one more machine
    shared: bool = True  # files are read in place, and not copied whole


def core_seconds(w, c):
    """Of one core, all features."""
    ranks = w.d_vocab * (c.rank_seconds + w.sets * c.set_seconds) if w.sets else 0.0
    return w.flop / c.flops + w.features * ranks + w.scores * c.score_seconds


def adjusting_bytes(w, cluster, tasks):
    """Over the network for q-values: scores go to storage and back, p-values to the driver, and all q-values of an SAE to
    each machine with a task that completes scores (_worker.ADJUSTED)."""
    receivers = min(cluster.machines, math.ceil(w.d_sae * w.sets / (1 << 20)), tasks / w.saes)
    return w.scores * (2 * 10.7 + 2 * 3.6 + 8.0 * receivers)


def task_features(w, cluster, partition_bytes=256 << 20):
    """As Run.step of _run: seconds of work, in bounded memory, and a task for every machine."""
    row = 4 * w.d_model + 24 * w.sets + 2048
    features = min(2e12 * cluster.cores / (2.0 * w.d_model * w.d_vocab), partition_bytes / row, w.d_sae / cluster.machines)
    return max(1, round(features / 2048)) * 2048


@dataclass(frozen=True)
class Prediction:
    seconds: float
    compute: float
    driver: float  # seconds in which the driver makes q-values, beside the computing
    start: float  # until a worker computes
    spread: float  # what uneven ends and Spark itself take
    moved: float  # bytes over the network
    memory: float  # bytes of a worker process


def predict(w, cluster, c=Constants()):
    tasks = w.saes * math.ceil(w.d_sae / task_features(w, cluster))
    waves = math.ceil(tasks / cluster.machines)
    each = core_seconds(w, c) / tasks / cluster.cores
    compute = core_seconds(w, c) / (cluster.machines * cluster.cores)
    # Every machine reads the model at the same time, from storage that serves all at their own speed.
    start = c.start_seconds + w.unembedding / c.network + w.unembedding / c.pack_bytes
    read = 4.0 * w.d_model * w.features if cluster.shared else min(tasks, w.saes * cluster.machines) * w.sae_files
    spread = waves * each - compute + waves * c.task_seconds + w.saes * c.sae_seconds / min(w.saes, 4)
    reading = max(0.0, read / cluster.machines / c.network - compute)
    moved = w.unembedding * cluster.machines + read + w.results + adjusting_bytes(w, cluster, tasks)
    driver = w.scores * c.q_seconds / max(1, cluster.cores // 4)
    held = w.unembedding * (1 if w.unembedding > 256 << 20 else 2)
    memory = held + 1e9 + 4.0 * 2048 * w.d_model * cluster.cores + 20.0 * w.members + 0.3e9
    # The driver works beside the machines, but for the last SAE's q-values.
    last = driver / w.saes
    seconds = start + max(compute + spread + reading, driver - last) + last
    return Prediction(seconds, compute, driver, start, spread + reading, moved, memory)


WORKS = [
    Work("Gemma Scope 2 27B, residual stream, 262k, one L0", 5376, 262_208, 262_144, 62),
    Work("the same, with 100 token sets", 5376, 262_208, 262_144, 62, sets=100, members=1_500_000),
    Work("Gemma Scope 2 27B, residual stream, 1M, one L0", 5376, 262_208, 1_048_576, 4),
    Work("Llama Scope, residual stream, 128k", 4096, 128_256, 131_072, 32),
]


def clock(seconds):
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def table(cores):
    lines = ["| | features | PFLOP | machines | time | of it computing | moved | memory a worker |", "|---|---|---|---|---|---|---|---|"]
    for w in WORKS:
        for machines in (1, 16, 256):
            p = predict(w, Cluster(machines, cores))
            first = (w.name, f"{w.features / 1e6:.1f} M", f"{w.flop / 1e15:.1f}") if machines == 1 else ("", "", "")
            lines.append(
                f"| {' | '.join(first)} | {machines} | {clock(p.seconds)} | {100 * p.compute / p.seconds:.0f} % | {p.moved / GB:,.0f} GB | {p.memory / GB:.1f} GB |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=16, help="of a machine")
    print(table(parser.parse_args().cores))
