#!/usr/bin/env bash
# Installs into build/bi what the tests of docs/bi.md and of the notebook connect with: an
# environment with duckdb-engine (SQLAlchemy 2.0, and 1.4, which Superset has), pandas, polars,
# matplotlib and Jupyter's nbclient, and DuckDB's JDBC driver where there is a Java. Tests skip what is not there, and say so.
# Usage: scripts/bi-clients.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
environment=build/bi/environment
if [ ! -e "$environment/.complete" ]; then
	echo "installing duckdb-engine, pandas, polars, matplotlib and nbclient for Python into $environment"
	rm -rf "$environment"
	"$python" -m venv "$environment"
	"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
		duckdb==1.5.6 duckdb-engine==0.17.0 'sqlalchemy<2.1' numpy pandas polars pyarrow matplotlib nbclient ipykernel
	rm -rf build/bi/sqlalchemy-1.4
	"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target build/bi/sqlalchemy-1.4 sqlalchemy==1.4.54
	touch "$environment/.complete"
fi

jdbc=build/bi/jdbc
version=1.5.6.0
if [ ! -e "$jdbc/.complete-$version" ] && ! compgen -G "build/clients/java/duckdb_jdbc-*.jar" >/dev/null; then
	if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then
		echo "bi-clients: no JDK or no Maven on PATH: the test of JDBC will be skipped" >&2
		exit 0
	fi
	echo "installing duckdb_jdbc $version into $jdbc"
	rm -rf "$jdbc"
	mkdir -p "$jdbc"
	mvn --quiet --batch-mode dependency:copy -Dartifact="org.duckdb:duckdb_jdbc:$version" -DoutputDirectory="$PWD/$jdbc"
	touch "$jdbc/.complete-$version"
fi
