"""The computation from the command line: ``python -m saedb_spark``, or this file under ``spark-submit``."""

from __future__ import annotations

import argparse
import sys
from typing import Optional, Sequence

# Absolute names: spark-submit runs this file by its path.
from saedb_spark import SparkJobError, compute


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="saedb_spark", description="Computes the statistics and the enrichment of every feature on Apache Spark, as Parquet."
    )
    parser.add_argument("saes", nargs="+", metavar="SAE", help="an SAE, or a directory above several; with --rows, Parquet of decoder directions")
    parser.add_argument("--model", required=True, help="a Hugging Face directory, a GGUF file, or a saedb database with the model in it")
    parser.add_argument("--out", required=True, help="directory of the results, on any file system that Spark writes to")
    parser.add_argument("--release", default="local", help="release of the SAEs (default: local)")
    parser.add_argument("--sets", nargs="*", metavar="SET", help="token sets: all, or these families, names and files")
    parser.add_argument("--tokens", choices=("all", "real"), default="all", help="real leaves out padding and special tokens")
    parser.add_argument("--model-name", help="what the model is called; its file's own name by default")
    parser.add_argument("--processing", choices=("transformerlens", "fold-only", "none"), help="of the unembedding of a model on disk")
    parser.add_argument("--baseline", type=int, metavar="N", help="random directions that p-values are against (default: those that the database has, or 4096; 0 for none)")
    parser.add_argument("--baseline-like", choices=("isotropic", "sae"), default="isotropic", help="sae: random directions with the covariance of each SAE's own unit decoder, which is stricter")
    parser.add_argument("--side", choices=("output", "input", "both"), default="output", help="input: which tokens excite features, of SAEs with their encoders; both: with what they write")
    parser.add_argument("--lens", metavar="NAME", help="what features come to write through the lens NAME, which the saedb database that is the model has, beside their results without it")
    parser.add_argument("--rank-correlation", action="store_true", help="with --lens: also how far it moves each feature over the whole vocabulary")
    parser.add_argument("--rows", action="store_true", help="SAE is Parquet with the columns sae, feature and w_dec")
    parser.add_argument("--master", help="Spark's master, where spark-submit does not say it (default: this machine)")
    given = parser.parse_args(arguments)

    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("saedb").config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    if given.master:
        builder = builder.master(given.master)
    spark = builder.getOrCreate()
    try:
        saes = spark.read.parquet(*given.saes) if given.rows else given.saes
        sets = given.sets if given.sets else given.sets is not None
        done = compute(
            spark, saes, given.model, given.out, sets, release=given.release, tokens=given.tokens, model_name=given.model_name, processing=given.processing, baseline=given.baseline,
            baseline_like=given.baseline_like, side=given.side, lens=given.lens, rank_correlation=given.rank_correlation
        )
    except SparkJobError as error:
        print(f"saedb_spark: {error}", file=sys.stderr)
        return 1
    finally:
        spark.stop()
    features = sum(c.features for c in done if not c.unchanged)
    print(f"{given.out}: {len(done)} SAEs, {features} features computed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
