"""One layer's logit weight statistics, the way SAELens's tutorial computes them.

    saelens_reference.py MODEL_DIRECTORY SAE_DIRECTORY RESULTS.csv

The SAE is loaded by SAELens itself. Its statistics are no function of the
package but a cell of its notebook "logits_lens_with_features"
(get_W_U_W_dec_stats_df and get_stats_df); they are written again here from their
formulas, operation for operation on whole [features, vocab] matrices, so that
time and memory are the notebook's. The projection stays alive through them, because
the notebook returns it and takes tokens and enrichment from it afterwards.

The phases up to "statistics" are what the notebook does for one layer. "tokens" and
"cosine" are what brings it to the figures that saedb stores: torch.topk of both ends,
and the notebook's function again with cosine_sim=True, after the first projection
is given up, as two would not fit.
"""

import sys
import time

BEGUN = time.perf_counter()

import torch  # noqa: E402
from sae_lens import SAE  # noqa: E402

from weights import Phases, report, unembedding, write_results  # noqa: E402


def statistics(projection):
    """Population moments of each row of projection [features, vocab]; kurtosis is
    Pearson's, 3 for a normal distribution."""
    mean = projection.mean(dim=1, keepdim=True)
    diffs = projection - mean
    var = torch.mean(torch.pow(diffs, 2.0), dim=1, keepdim=True)
    std = torch.pow(var, 0.5)
    zscores = diffs / std
    skews = torch.mean(torch.pow(zscores, 3.0), dim=1)
    kurtosis = torch.mean(torch.pow(zscores, 4.0), dim=1)
    return {"mean": mean.squeeze(1), "std": std.squeeze(1), "skewness": skews, "kurtosis": kurtosis}


def tokens(projection, count=10):
    columns = {}
    for name, largest in (("top", True), ("bottom", False)):
        values, ids = torch.topk(projection, count, dim=1, largest=largest)
        columns[f"{name}_logit_weight"], columns[f"{name}_token_id"] = values, ids
    return columns


@torch.no_grad()
def main(model_directory, sae_directory, results):
    phases = Phases(BEGUN)
    phases.end("import")
    w_u = unembedding(model_directory)
    phases.end("load model")
    w_dec = SAE.load_from_disk(sae_directory, device="cpu").W_dec.detach()
    phases.end("load sae")
    projection = w_dec @ w_u
    phases.end("projection")
    columns = statistics(projection)
    phases.end("statistics")
    columns |= tokens(projection)
    phases.end("tokens")
    del projection
    cosine = statistics(w_dec @ (w_u / w_u.norm(dim=0, keepdim=True)))
    columns |= {f"cos_{name}": values for name, values in cosine.items()}
    phases.end("cosine")
    write_results(results, columns)
    report(phases, columns)


if __name__ == "__main__":
    main(*sys.argv[1:])
