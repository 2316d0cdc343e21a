"""Writes ks_2samp.csv, p-values of scipy.stats.ks_2samp.

    pip install scipy==1.17.1 && python ks_2samp.py > ks_2samp.csv

Each row is a random set of m ranks among n, pushed to one end by shift. p_exact
counts lattice paths. p_asymptotic is the one-sample distribution at the rounded
effective size m(n-m)/n. ranks are written for the sets of at most 12 members.
"""

import csv
import sys

import numpy as np
from scipy.stats import ks_2samp

random = np.random.default_rng(20260101)
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["n", "m", "es", "p_exact", "p_asymptotic", "ranks"])
for n in (10, 64, 1009, 50257):
    for m in (1, 2, 3, 5, 8, 12, 16, 17, 24, 33, 50, 100, 400, 1000):
        if m >= n:
            continue
        for shift in (0, 0.4, 0.8, 1.6):
            keys = random.random(n) - shift * (np.arange(n) < m) * random.random(n)
            ranks = np.sort(np.argsort(np.argsort(keys))[:m])
            others = np.setdiff1d(np.arange(n), ranks)
            exact = ks_2samp(ranks, others, method="exact")
            asymptotic = ks_2samp(ranks, others, method="asymp")
            if exact.pvalue < 1e-300:
                continue  # beyond the range of its counts
            shown = " ".join(map(str, ranks)) if m <= 12 else ""
            out.writerow([n, m, repr(float(exact.statistic)), repr(float(exact.pvalue)),
                          repr(float(asymptotic.pvalue)), shown])
