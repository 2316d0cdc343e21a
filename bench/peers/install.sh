#!/usr/bin/env bash
# Installs what saedb is measured against, SAELens with its PyTorch and
# TransformerLens, into the virtual environment build/peers. About 8 GB and a few
# minutes; a second run finds the stamp and does nothing.
# Usage: bench/peers/install.sh [PYTHON]
set -euo pipefail

packages=(
	sae-lens==6.54.12
	transformer-lens==3.9.0
	torch
	duckdb==1.5.6
	pyarrow
)

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${1:-python3}
environment=build/peers
stamp=$environment/installed
wanted="${packages[*]} $("$python" --version)"
if [ -f "$stamp" ] && [ "$(<"$stamp")" = "$wanted" ]; then
	exit 0
fi

echo "installing ${packages[*]} into $environment; this takes a few minutes"
rm -rf "$environment"
"$python" -m venv "$environment"
# The one dependency that is published as source alone is pure Python.
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
	--only-binary :all: --no-binary transformers-stream-generator "${packages[@]}"
# Only after everything is there: an interrupted installation starts again.
"$environment/bin/python" -c 'import duckdb, pyarrow, sae_lens, torch, transformer_lens'
printf '%s\n' "$wanted" >"$stamp"
