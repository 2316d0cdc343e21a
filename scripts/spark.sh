#!/usr/bin/env bash
# Installs into build/spark what the package saedb_spark is tested with: PySpark, in an
# environment of its own, DuckDB's extensions for a DuckLake whose catalogue is in
# PostgreSQL, and what speaks S3: Hadoop's client, fsspec's, and a server. Asks for Java 17, PostgreSQL
# and Maven, of which Debian's openjdk-17-jre-headless, postgresql and maven will do.
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
		pyspark==4.3.0 duckdb==1.5.6 pyarrow==26.0.1 "pandas>=2.2,<3" numpy s3fs aiohttp
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
# An environment for --archives, without PySpark; the test adds the wheel and packs it.
if [ ! -e build/spark/sent/.complete ]; then
	echo "installing what executors need into build/spark/sent"
	rm -rf build/spark/sent
	"$python" -m venv build/spark/sent
	build/spark/sent/bin/python -m pip install --quiet --disable-pip-version-check \
		duckdb==1.5.6 pyarrow==26.0.1 "pandas>=2.2,<3" numpy s3fs venv-pack
	touch build/spark/sent/.complete
fi
# Hadoop's client has the version of Spark's own Hadoop, and its SDK that of the client's POM.
if [ ! -e build/spark/s3/.complete ]; then
	if ! command -v mvn >/dev/null; then
		echo "scripts/spark.sh: there is no mvn here (apt install maven): object storage is not tested" >&2
		exit 0
	fi
	echo "installing Hadoop's client for S3 3.5.0 and the server versitygw 1.8.0 into build/spark/s3"
	rm -rf build/spark/s3
	mkdir -p build/spark/s3
	for artifact in org.apache.hadoop:hadoop-aws:3.5.0 software.amazon.awssdk:bundle:2.35.4 \
		software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3:1.3.1; do
		(cd build/spark/s3 && mvn --quiet --batch-mode dependency:copy -Dartifact="$artifact" -DoutputDirectory=.)
	done
	GOBIN="$PWD/build/spark/s3" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
	touch build/spark/s3/.complete
fi
