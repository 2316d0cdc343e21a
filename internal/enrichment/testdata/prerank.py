"""Writes prerank_weights.csv and prerank.csv, scores of gseapy.prerank.

    pip install gseapy==1.3.1 && python prerank.py

Weights are float32, one a token. Each row of prerank.csv is a token set under an
exponent: its members, and among them the leading edge from the outermost inwards.
"""

import csv

import gseapy
import numpy as np
import pandas as pd

TOKENS, PERMUTATIONS = 1500, 10000
random = np.random.default_rng(20260102)
weights = (random.standard_normal(TOKENS) + 0.2).astype(np.float32)
assert len(np.unique(weights)) == TOKENS
with open("prerank_weights.csv", "w") as file:
    file.writelines(f"{w!r}\n" for w in map(float, weights))

sets = {}
for size in (1, 2, 5, 15, 40, 120, 400):
    for shift in (-1, -0.3, 0, 0.3, 1):
        keys = random.standard_normal(TOKENS) + shift * weights
        sets[f"{size}_{shift}"] = [str(i) for i in np.argsort(-keys)[:size]]

ranking = pd.Series(weights.astype(np.float64), index=[str(i) for i in range(TOKENS)])
with open("prerank.csv", "w") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["exponent", "members", "es", "nes", "p", "leading_edge"])
    for exponent in (0, 1, 1.5):
        result = gseapy.prerank(
            rnk=ranking.sort_values(ascending=False), gene_sets=sets, weight=exponent,
            min_size=1, max_size=TOKENS, permutation_num=PERMUTATIONS, seed=1, threads=2,
            outdir=None, no_plot=True,
        ).res2d.set_index("Term")
        for name, members in sets.items():
            row = result.loc[name]
            out.writerow([exponent, " ".join(members), repr(float(row["ES"])), repr(float(row["NES"])),
                          repr(float(row["NOM p-val"])), row["Lead_genes"].replace(";", " ")])
