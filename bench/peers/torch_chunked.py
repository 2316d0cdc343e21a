"""The same statistics in careful PyTorch: blocks of features, nothing kept.

    torch_chunked.py MODEL_DIRECTORY SAE_DIRECTORY RESULTS.csv [--block N] [--threads N]

A block's projection [block, vocab] lives in one buffer that every step overwrites
or only reads, so that no step allocates; reductions are dot products, which
need no temporary. Plain and cosine moments, and the ten highest and lowest tokens.
"""

import argparse
import time

BEGUN = time.perf_counter()

import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402

from weights import Phases, report, unembedding, write_results  # noqa: E402

TOKENS = 10  # at either end


def central_moments(values, squares, out):
    """Writes mean, std, skewness and kurtosis of each row of values to out [rows, 4].
    Leaves values centred; squares is a buffer of the same shape."""
    count = values.shape[1]
    mean = values.mean(dim=1)
    values -= mean[:, None]
    torch.mul(values, values, out=squares)
    second = torch.linalg.vecdot(values, values).double() / count
    third = torch.linalg.vecdot(values, squares).double() / count
    fourth = torch.linalg.vecdot(squares, squares).double() / count
    out[:, 0] = mean
    out[:, 1] = second.sqrt()
    out[:, 2] = third / second**1.5
    out[:, 3] = fourth / second**2


def decoder(sae_directory):
    """W_dec [features, d_model], and nothing else of the file."""
    with safe_open(f"{sae_directory}/sae_weights.safetensors", "pt") as file:
        return file.get_tensor("W_dec")


def project(w_dec, w_u, rows):
    features, vocab = w_dec.shape[0], w_u.shape[1]
    inverse_norms = 1 / w_u.norm(dim=0)
    plain, cosine = (torch.empty(features, 4, dtype=torch.float64) for _ in range(2))
    ends = {
        name: (torch.empty(features, TOKENS), torch.empty(features, TOKENS, dtype=torch.int64))
        for name in ("top", "bottom")
    }
    buffers = [torch.empty(rows, vocab) for _ in range(3)]
    for begin in range(0, features, rows):
        block = slice(begin, min(begin + rows, features))
        products, cosines, squares = (b[: block.stop - begin] for b in buffers)
        torch.matmul(w_dec[block], w_u, out=products)
        for name, (values, ids) in ends.items():
            values[block], ids[block] = torch.topk(products, TOKENS, dim=1, largest=name == "top")
        torch.mul(products, inverse_norms, out=cosines)
        central_moments(products, squares, plain[block])
        central_moments(cosines, squares, cosine[block])
    columns = {}
    for prefix, moments in (("", plain), ("cos_", cosine)):
        for i, name in enumerate(("mean", "std", "skewness", "kurtosis")):
            columns[prefix + name] = moments[:, i]
    for name, (values, ids) in ends.items():
        columns[name + "_logit_weight"], columns[name + "_token_id"] = values, ids
    return columns


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("sae")
    parser.add_argument("results")
    parser.add_argument("--block", type=int, default=128, help="features at once")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    phases = Phases(BEGUN)
    phases.end("import")
    w_u = unembedding(arguments.model)
    phases.end("load model")
    w_dec = decoder(arguments.sae)
    phases.end("load sae")
    columns = project(w_dec, w_u, arguments.block)
    phases.end("compute")
    write_results(arguments.results, columns)
    report(phases, columns)


if __name__ == "__main__":
    main()
