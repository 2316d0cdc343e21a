"""saedb from stock DuckDB, with pandas.

usage: with_pandas.py DATABASE [EXTENSION]

Without the extension it reads what is in the database, in any DuckDB from 1.0 on.
"""

import sys

import duckdb
import numpy as np

con = duckdb.connect(sys.argv[1], read_only=True, config={"allow_unsigned_extensions": "true"})

# Views are tables like any others.
features = con.sql("SELECT layer, feature, skewness, top_tokens FROM features").df()
print("most skewed features of layer 29:")
for row in features[features.layer == 29].nlargest(5, "skewness").itertuples():
    print(f"{row.feature:>6} {row.skewness:.2f} {' '.join(row.top_tokens[:4])}")

if len(sys.argv) > 2:
    con.execute(f"LOAD '{sys.argv[2]}'")

    # Any vector will do where a decoder direction does: here a steering vector, made with NumPy.
    pair = con.sql("SELECT w_dec FROM decoder_directions WHERE layer = 29 AND feature IN (63, 1328)").df()
    steering = np.stack(pair.w_dec).sum(axis=0).tolist()

    [(skewness,)] = con.execute("SELECT (logit_stats(?, 'smollm2-135m')).skewness", [steering]).fetchall()
    print(f"features 63 + 1328: skewness {skewness:.2f}")
    tokens = con.sql("SELECT unnest(top_tokens(?, 'smollm2-135m', 5), recursive := true)", params=[steering]).df()
    for row in tokens.itertuples():
        print(f"{row.logit_weight:>6.2f} {row.text}")

    scores = con.sql(
        "SELECT unnest(enrich(?, 'smollm2-135m', ['all_digits', 'contains_close_bracket', 'boy_names']), recursive := true)",
        params=[steering],
    ).df()
    print("enriched in:")
    for row in scores.itertuples():
        print(f"{row.es:>6.3f} {row.token_set}, {row.direction}")
