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
	py2store==0.1.24 # of sae_lens.tutorial.tsea, in a version that today's dol has what it needs for
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
# The dependencies that are published as source alone are pure Python.
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
	--only-binary :all: --no-binary transformers-stream-generator,py2store "${packages[@]}"
# Only after everything is there: an interrupted installation starts again.
"$environment/bin/python" -c 'import duckdb, pyarrow, sae_lens, torch, transformer_lens'
printf '%s\n' "$wanted" >"$stamp"
