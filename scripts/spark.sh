#!/usr/bin/env bash
# Installs into build/spark what the package saedb_spark is tested with: PySpark, in an
# environment of its own, and DuckDB's extensions for a DuckLake whose catalogue is in
# PostgreSQL. Asks for Java 17 and PostgreSQL, of which Debian's openjdk-17-jre-headless and
# postgresql will do.
# Usage: scripts/spark.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
command -v java >/dev/null || { echo "scripts/spark.sh: Spark needs Java 17, and there is no java here (apt install openjdk-17-jre-headless)" >&2; exit 1; }
if [ ! -e build/spark/.complete ]; then
	echo "installing PySpark 4.3.0 into build/spark"
	rm -rf build/spark
	"$python" -m venv build/spark
	build/spark/bin/python -m pip install --quiet --disable-pip-version-check \
		pyspark==4.3.0 duckdb==1.5.6 pyarrow==26.0.1 "pandas>=2.2,<3" numpy fsspec aiohttp
	touch build/spark/.complete
fi
# The extensions are of one version of DuckDB, and beside it in a directory of their own.
if [ ! -e build/spark/ducklake/.complete ]; then
	echo "installing DuckDB's extensions ducklake and postgres 1.5.5 into build/spark/ducklake"
	rm -rf build/spark/ducklake
	build/spark/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/spark/ducklake \
		duckdb==1.5.5 duckdb-extension-ducklake==1.5.5 duckdb-extension-postgres-scanner==1.5.5
	touch build/spark/ducklake/.complete
fi
