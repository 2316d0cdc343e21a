"""Runs gseapy.prerank on one feature and prints its figures as JSON.

    prerank.py GSEAPY_DIRECTORY SETS.json WEIGHTS.csv PERMUTATIONS

SETS.json maps names to token ids, WEIGHTS.csv has a logit weight for each token. The
output has a row for each weight and set: es, nes, p and the leading edge, from the
outermost token inwards.
"""

import contextlib
import json
import sys

sys.path.insert(0, sys.argv[1])
import gseapy  # noqa: E402
import pandas as pd  # noqa: E402

with open(sys.argv[2]) as file:
    sets = {name: [str(token) for token in tokens] for name, tokens in json.load(file).items()}
with open(sys.argv[3]) as file:
    weights = pd.Series([float(line) for line in file])
weights.index = weights.index.astype(str)
# Equal weights in the order of their ids, as saedb has them.
ranking = weights.sort_values(ascending=False, kind="stable")
rows = []
for weight in (0, 1):
    with contextlib.redirect_stdout(sys.stderr):
        result = gseapy.prerank(
            rnk=ranking, gene_sets=sets, weight=weight, min_size=1, max_size=len(ranking),
            permutation_num=int(sys.argv[4]), seed=1, threads=2, outdir=None, no_plot=True,
        ).res2d.set_index("Term")
    for name in sets:
        row = result.loc[name]
        rows.append({
            "weight": weight, "set": name, "es": float(row["ES"]), "nes": float(row["NES"]), "p": float(row["NOM p-val"]),
            "edge": [int(token) for token in row["Lead_genes"].split(";")],
        })
json.dump(rows, sys.stdout)
