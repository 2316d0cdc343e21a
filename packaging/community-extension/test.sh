#!/usr/bin/env bash
# Runs the hello world of description.yml with the built extension, in DuckDB's newest
# Python package or that of DUCKDB_TEST_VERSION.
# Usage: test.sh EXTENSION
set -eu
cd "$(dirname "$0")/../.."
environment=build/release/venv
[ -d "$environment" ] || "${PYTHON_BIN:-python3}" -m venv "$environment"
python=$environment/bin/python
[ -e "$python" ] || python=$environment/Scripts/python.exe
"$python" -m pip install --quiet --disable-pip-version-check "duckdb${DUCKDB_TEST_VERSION:+==$DUCKDB_TEST_VERSION}"
exec "$python" packaging/community-extension/test.py "$1"
