"""saedb's Python package, with polars.

usage: with_polars.py DATABASE
"""

import sys

import polars as pl
import saedb

con = saedb.connect(sys.argv[1], read_only=True)

# Views are tables like any others.
features = con.sql("SELECT layer, feature, skewness, top_tokens FROM features").pl()
print("most skewed features of layer 29:")
for row in features.filter(pl.col("layer") == 29).top_k(5, by="skewness").sort("skewness", descending=True).iter_rows(named=True):
    print(f"{row['feature']:>6} {row['skewness']:.2f} {' '.join(row['top_tokens'][:4])}")

# Any vector will do where a decoder direction does: here a steering vector, made in polars.
pair = con.sql("SELECT w_dec FROM decoder_directions WHERE layer = 29 AND feature IN (63, 1328)").pl()["w_dec"]
steering = (pair[0] + pair[1]).to_list()

[(skewness,)] = con.execute("SELECT (logit_stats(?, 'smollm2-135m')).skewness", [steering]).fetchall()
print(f"features 63 + 1328: skewness {skewness:.2f}")
tokens = con.sql("SELECT unnest(top_tokens(?, 'smollm2-135m', 5), recursive := true)", params=[steering]).pl()
for row in tokens.iter_rows(named=True):
    print(f"{row['logit_weight']:>6.2f} {row['text']}")

scores = con.sql(
    "SELECT unnest(enrich(?, 'smollm2-135m', ['all_digits', 'contains_close_bracket', 'boy_names']), recursive := true)",
    params=[steering],
).pl()
print("enriched in:")
for row in scores.iter_rows(named=True):
    print(f"{row['es']:>6.3f} {row['token_set']}, {row['direction']}")
