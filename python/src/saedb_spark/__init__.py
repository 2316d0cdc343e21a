"""The statistics and the enrichment of every feature, on a cluster of Apache Spark.

The same SQL functions as in the program and the package ``saedb``, on as many machines as there are::

    import saedb_spark

    saedb_spark.compute(spark, "/shared/saes", "models/gpt2", "s3a://bucket/results", release="gpt2-small-res-jb")

What comes out is Parquet in the layout of ``saedb export``: see docs/scale.md.
"""

from ._compute import Computed, compute
from ._ducklake import into_ducklake
from ._errors import SparkJobError
from ._match import match
from ._pairs import ComputedPair, compute_links, compute_neighbours

__all__ = ["Computed", "ComputedPair", "SparkJobError", "compute", "compute_links", "compute_neighbours", "into_ducklake", "match"]
