#!/usr/bin/env bash
# What make demo runs: loads the example into demo.db, computes, and asks.
# The second time everything is there already, and only the questions are left.
set -eu
cd "$(dirname "$0")/../.."
here=examples/smollm2-135m
db=${1:-demo.db}
saedb() { bin/saedb --db "$db" "$@"; }
ask() { printf '\n%s\n' "$1"; saedb sql --read-only "$2"; }

saedb load model $here/SmolLM2-135M-Instruct.unembedding.gguf --name smollm2-135m
saedb load sae $here/saes --release smollm2-demo
saedb load sets
saedb compute

ask "The most telling features of the last two layers: skewed towards a few tokens" "
	SELECT layer, feature, label, role, round(skewness, 2) AS skewness, round(kurtosis, 1) AS kurtosis,
	       top_tokens[:5] AS promotes, bottom_tokens[:3] AS suppresses
	FROM features WHERE layer >= 24 AND skewness > 1 ORDER BY features.kurtosis DESC LIMIT 10"

ask "Layer by layer" "
	SELECT layer, count(*) AS features, round(median(std), 4) AS median_std, round(median(skewness), 3) AS median_skewness,
	       round(quantile_cont(kurtosis, 0.95), 2) AS kurtosis_95, count(*) FILTER (skewness > 1) AS skewed, count(*) FILTER (log_sparsity < -9) AS dead
	FROM features GROUP BY layer ORDER BY layer"

ask "By layer, how many features write some set of tokens beyond chance (q < 0.05), and at most how many of as many random directions would" "
	SELECT layer, features, beyond_chance, round(expected_by_chance, 1) AS expected_by_chance FROM layers"

ask "What they are about: the largest effects of the last layer beyond chance, over 146 token sets" "
	SELECT token_set, s.size, feature, round(effect, 3) AS effect, q_value, label
	FROM strongest_sets('smollm2-demo/layer_29', k := 10) s JOIN layer_29 USING (feature) ORDER BY effect DESC"

printf '\n'
saedb report --out "${db%.db}-report.html"

cat <<END

Look at it: open ${db%.db}-report.html in a browser; it needs no network.

Try next:
  bin/saedb --db $db plot skew-kurtosis
  bin/saedb --db $db sql
  bin/saedb --db $db sql "SELECT layer, feature, logit_weight FROM feature_tokens WHERE text = ' three' AND direction = 'promoted' ORDER BY logit_weight DESC LIMIT 5"
  bin/saedb --db $db sql --format csv "SELECT * FROM features WHERE layer = 29" > layer_29.csv
END
