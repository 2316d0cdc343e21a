#!/usr/bin/env bash
# Installs stock DuckDB clients for Python into build/clients, one directory a
# version: the one that saedb is built with, the oldest that reads its files, and the
# newest.
# Usage: scripts/python-clients.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
for version in 1.0.0 1.5.6 2.0.0; do
	target=build/clients/duckdb-$version
	[ -e "$target/.complete" ] && continue
	echo "installing duckdb $version for Python into $target"
	rm -rf "$target"
	"$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$target" "duckdb==$version"
	touch "$target/.complete"
done

# An environment with what DuckDB hands results to, and the wheels of DuckDB itself,
# which the Python package is installed with in tests.
environment=build/clients/environment
if [ ! -e "$environment/.complete" ]; then
	echo "installing numpy, pandas, polars and pyarrow for Python into $environment"
	rm -rf "$environment" build/clients/wheels
	"$python" -m venv "$environment"
	"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
		duckdb==1.5.6 numpy pandas polars pyarrow
	"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest build/clients/wheels duckdb==1.5.6
	touch "$environment/.complete"
fi
