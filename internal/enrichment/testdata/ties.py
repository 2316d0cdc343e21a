"""Writes ties.csv: scores by scipy of sets in rankings with ties, made as TestTiesAgreeWithSciPy makes them.
python -m pip install scipy==1.17.1; python ties.py"""

import csv

import numpy as np
from scipy.stats import ks_2samp, mannwhitneyu

N = 1009  # tokens

with open("ties.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["tied", "set", "es", "auc"])
    position = np.arange(N)
    distinct = position * 617 % N
    for tied, weights in {
        "1%": np.where(position % 100 == 3, 500, distinct),
        "20%": np.where(position % 5 == 3, 500, distinct),
        "all": distinct // 7 * 7,
    }.items():
        for number in range(24):
            inside = (position * position * 13 + number * position * 7) % 97 < 1 + 4 * number
            a, b = weights[inside], weights[~inside]
            es = ks_2samp(a, b, method="asymp").statistic
            auc = mannwhitneyu(a, b).statistic / (len(a) * len(b))
            out.writerow([tied, number, repr(float(es)), repr(float(auc))])
