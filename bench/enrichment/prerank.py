"""Weighted enrichment of one signature by GSEApy or blitzGSEA.

    prerank.py gseapy|blitzgsea WEIGHTS.csv SETS.json PERMUTATIONS RESULTS.csv

WEIGHTS.csv has the logit weight of each token. Only the analysis itself is timed.
blitzGSEA is told to keep the weights as they are (it would centre them); it draws
PERMUTATIONS for each of 40 set sizes and fits distributions between them.
"""

import contextlib
import json
import multiprocessing
import resource
import sys
import time

import pandas as pd


def gseapy_scores(weights, sets, permutations):
    import gseapy

    ranking = pd.Series(weights, index=[str(token) for token in range(len(weights))]).sort_values(ascending=False, kind="stable")
    begun = time.perf_counter()
    result = gseapy.prerank(
        rnk=ranking, gene_sets=sets, weight=1, min_size=1, max_size=len(weights), permutation_num=permutations,
        seed=1, threads=multiprocessing.cpu_count(), outdir=None, no_plot=True,
    )
    seconds = time.perf_counter() - begun
    return seconds, dict(zip(result.res2d["Term"], result.res2d["ES"]))


def blitzgsea_scores(weights, sets, permutations):
    import blitzgsea

    signature = pd.DataFrame({0: [str(token) for token in range(len(weights))], 1: weights})
    begun = time.perf_counter()
    result = blitzgsea.gsea(
        signature, sets, permutations=permutations, min_size=1, max_size=len(weights), center=False,
        processes=multiprocessing.cpu_count(), seed=1,
    )
    seconds = time.perf_counter() - begun
    return seconds, result["es"].to_dict()


def main(name, weights_file, sets_file, permutations, results):
    with open(weights_file) as file:
        weights = [float(line) for line in file]
    with open(sets_file) as file:
        sets = {name: [str(token) for token in tokens] for name, tokens in json.load(file).items()}
    score = {"gseapy": gseapy_scores, "blitzgsea": blitzgsea_scores}[name]
    with contextlib.redirect_stdout(sys.stderr):
        seconds, scores = score(weights, sets, int(permutations))
    with open(results, "w") as file:
        file.write("token_set,feature,es\n")
        file.writelines(f'"{name}",0,{float(es)!r}\n' for name, es in scores.items())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_bytes": peak * 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
