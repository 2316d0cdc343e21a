#!/usr/bin/env bash
# Installs into build/clients, one directory a version, what the tests run beside
# saedb: stock DuckDB clients for Python, the one that saedb is built with, the
# oldest that reads its files, the oldest that load the extension (1.2 in a build of its
# own), and the newest; GSEApy, which weighted enrichment is compared with;
# huggingface_hub, which shares the Hub's cache; and mypy.
# Usage: scripts/python-clients.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
for version in 1.0.0 1.2.0 1.3.0 1.4.5 1.5.6 2.0.0 2.0.1; do
	target=build/clients/duckdb-$version
	[ -e "$target/.complete" ] && continue
	echo "installing duckdb $version for Python into $target"
	rm -rf "$target"
	"$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$target" "duckdb==$version"
	touch "$target/.complete"
done
target=build/clients/gseapy-1.3.1
if [ ! -e "$target/.complete" ]; then
	echo "installing gseapy 1.3.1 for Python into $target"
	rm -rf "$target"
	"$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$target" gseapy==1.3.1
	touch "$target/.complete"
fi
hub=build/clients/huggingface_hub-2.4.0
if [ ! -e "$hub/.complete" ]; then
	echo "installing huggingface_hub 2.4.0 into $hub"
	rm -rf "$hub"
	"$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$hub" "huggingface_hub==2.4.0"
	touch "$hub/.complete"
fi

mypy=build/clients/mypy-2.4.1
if [ ! -e "$mypy/.complete" ]; then
	echo "installing mypy 2.4.1 into $mypy"
	rm -rf "$mypy"
	"$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$mypy" "mypy==2.4.1"
	touch "$mypy/.complete"
fi

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
