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
