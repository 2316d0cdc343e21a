"""Enrichment by SAELens's own get_enrichment_df.

    saelens.py MODEL_DIRECTORY SAE_DIRECTORY SETS.json FEATURES RESULTS.csv

Scores the first FEATURES features in all sets. Only that function is timed: the
projection that it takes is there before, as the tutorial has it.
"""

import json
import resource
import sys
import time

import torch
from sae_lens import SAE
from sae_lens.tutorial.tsea import get_enrichment_df
from weights import unembedding


@torch.no_grad()
def main(model_directory, sae_directory, sets_file, features, results):
    features = int(features)
    with open(sets_file) as file:
        sets = json.load(file)
    w_u = unembedding(model_directory)
    w_dec = SAE.load_from_disk(sae_directory, device="cpu").W_dec.detach()[:features]
    projection = w_dec @ w_u
    del w_u
    begun = time.perf_counter()
    scores = get_enrichment_df(projection, list(range(features)), sets)
    seconds = time.perf_counter() - begun
    with open(results, "w") as file:
        file.write("token_set,feature,es\n")
        for name, row in scores.iterrows():
            file.writelines(f'"{name}",{feature},{es}\n' for feature, es in row.items())
    print(json.dumps({"seconds": seconds, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
