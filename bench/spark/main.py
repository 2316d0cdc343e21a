"""saedb_spark against the program on the same machine and cores, and against the model of its cost.

    make spark build    # once: installs Spark, builds the wheel and the program
    PYTHONPATH=$PWD/build/spark/site build/spark/bin/python bench/spark/main.py

A model and an SAE of GPT-2's shape, random weights. The program loads the SAE and computes; Spark has a
standalone cluster of one worker, and then two, of one core each, and computes the same into Parquet, twice: the second
time, into another directory, its processes are warm. The last line is spark_over_program=R, warm, two cores.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python/tests")]
import model  # noqa: E402
from spark_cluster import ROOT, Cluster  # noqa: E402

import saedb_spark  # noqa: E402

WIDTH, VOCABULARY = 768, 50_257


def timed(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def token_sets(count):
    """Random token sets, of 5 to 10,000 tokens."""
    random = np.random.default_rng(0)
    return {f"set {i}": random.choice(VOCABULARY, int(size), replace=False).tolist() for i, size in enumerate(np.geomspace(5, 10_000, count))}


def program(cores, *arguments):
    """The program on the first cores of the machine."""
    subprocess.run(["taskset", "--cpu-list", f"0-{cores - 1}", ROOT / "bin/saedb", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def program_seconds(files, scratch, cores, sets, rounds):
    seconds = []
    for _ in range(rounds):
        database = scratch / "program.saedb"
        database.unlink(missing_ok=True)
        program(cores, "--db", database, "load", "model", files / "model", "--name", "gpt2-shape")
        for file in sets:
            program(cores, "--db", database, "load", "sets", file)
        seconds.append(timed(lambda: (program(cores, "--db", database, "load", "sae", sae_of(files)), program(cores, "--db", database, "compute"))))
    return statistics.median(seconds)


def sae_of(files):
    return files / "blocks.8.hook_resid_pre"


def spark_seconds(files, scratch, workers, sets, rounds):
    """Seconds of the first computation of a cluster, and of later ones."""
    cluster = Cluster(workers)
    spark = (
        SparkSession.builder.master(cluster.url).config("spark.executor.memory", "600m").config("spark.executor.cores", "1")
        .config("spark.driver.host", "127.0.0.1").config("spark.ui.showConsoleProgress", "false")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"]).getOrCreate()
    )  # fmt: skip
    try:
        spark.sparkContext.setLogLevel("ERROR")
        while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < workers + 1:
            time.sleep(0.1)
        seconds = []
        for number in range(1 + rounds):
            out = scratch / f"out-{workers}-{number}"
            seconds.append(
                timed(lambda: saedb_spark.compute(spark, sae_of(files), files / "model", str(out), sets or None, model_name="gpt2-shape", progress=lambda _: None))
            )
            shutil.rmtree(out)
        return seconds[0], statistics.median(seconds[1:])
    finally:
        spark.stop()
        cluster.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=24_576)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2], help="sizes of the cluster, in workers of one core")
    parser.add_argument("--sets", type=int, default=0, help="how many token sets to score, too")
    parser.add_argument("--quick", action="store_true", help="a minute's run that shows that it works")
    given = parser.parse_args()
    features, rounds = (4096, 1) if given.quick else (given.features, given.rounds)
    scratch = ROOT / "build/bench/spark"
    shutil.rmtree(scratch, ignore_errors=True)
    files = scratch / f"shape-{features}"
    subprocess.run(
        ["go", "run", "./bench/shape", "-out", files, "-d-model", str(WIDTH), "-vocab", str(VOCABULARY), "-features", str(features)], check=True, cwd=ROOT
    )
    sets = []
    if given.sets:
        sets = [str(scratch / "sets.json")]
        Path(sets[0]).write_text(json.dumps(token_sets(given.sets)))
    work = model.Work("GPT-2's shape", WIDTH, VOCABULARY, features, 1, file_share=1.0, sets=given.sets)
    print(f"load average {os.getloadavg()[0]:.1f}; {features} features x {WIDTH} x {VOCABULARY}, {given.sets} token sets, median of {rounds}")
    ratio = 0.0
    print("cores  program  spark, first  spark, warm  ratio  model, first  model, warm  warm over model")
    for cores in given.cores:
        alone = program_seconds(files, scratch, cores, sets, rounds)
        first, warm = spark_seconds(files, scratch, cores, sets, rounds)
        expected = model.predict(work, model.Cluster(machines=cores, cores=1))
        expected_warm = expected.seconds - expected.start
        ratio = warm / alone
        print(f"{cores:5} {alone:7.2f} s {first:11.2f} s {warm:10.2f} s {ratio:6.2f} {expected.seconds:11.2f} s {expected_warm:10.2f} s {warm / expected_warm:13.2f}")
    print(f"spark_over_program={ratio:.3f}")


if __name__ == "__main__":
    main()
