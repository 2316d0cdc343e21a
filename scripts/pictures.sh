#!/usr/bin/env bash
# Draws every figure of the example into docs/figures/, as the documentation shows
# them. Needs demo.db, which make demo makes, or the database given.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
db=${1:-demo.db}
mkdir -p docs/figures
draw() {
	local name=$1
	shift
	bin/saedb --db "$db" plot "$name" "$@" --out "docs/figures/$name.png"
}
draw skewness --sae '*.29.*'
draw kurtosis --sae '*.29.*'
draw skew-kurtosis --sae '*.29.*'
draw manhattan --sae '*.29.*'
draw sets boy_names girl_names --sae '*.24.*'
draw feature 879 --set letter_g --sae '*.29.*'
draw layers
draw layer-box
draw layer-scatter
draw running-sum 63 boy_names --sae '*.29.*'
