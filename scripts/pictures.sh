#!/usr/bin/env bash
# Draws every figure of the example into docs/figures/, as the documentation shows
# them. Needs demo.db, which make demo makes, or the database given.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
db=${1:-demo.db}
mkdir -p docs/figures
draw() { # FILE FIGURE [ARGUMENTS]
	local file=$1
	shift
	bin/saedb --db "$db" plot "$@" --out "docs/figures/$file.png"
}
draw nouns sets nltk_pos_NN nltk_pos_NNS --sae '*.29.*' # that of README.md
draw skewness skewness --sae '*.29.*'
draw kurtosis kurtosis --sae '*.29.*'
draw skew-kurtosis skew-kurtosis --sae '*.29.*'
draw manhattan manhattan --sae '*.29.*'
draw sets sets boy_names girl_names --sae '*.24.*'
draw feature feature 879 --set letter_g --sae '*.29.*'
draw layers layers
draw layer-box layer-box
draw layer-scatter layer-scatter
draw running-sum running-sum 63 boy_names --sae '*.29.*'
