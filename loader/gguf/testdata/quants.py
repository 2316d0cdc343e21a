"""Writes quants.gguf.gz: blocks of every GGUF block type that is read, and what the Python package gguf makes of them.

A tensor of each type, named as its type, and beside it NAME.expected, its values as F32.

    pip install gguf==0.19.0 numpy==2.4.6
    python quants.py [quants.gguf.gz [RANDOM]]

RANDOM more blocks of random bytes, none by default, make a larger file for a thorough comparison.
"""

import gzip
import os
import sys
import tempfile

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize, quantize

# Where a block has its binary16, if any.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [], "TQ1_0": [52], "TQ2_0": [64],
}
QUANTIZED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "MXFP4", "TQ1_0", "TQ2_0"]  # what the package can quantise

# Bits of the binary16 of one block each: negative, subnormal, largest, zero, infinite and NaN.
SCALES = [(0xA8F1, 0x2E53), (0x0001, 0x83FF), (0xFBFF, 0x7BFF), (0x0000, 0x8000), (0x7C00, 0x3C00), (0x3C00, 0x7E00)]
# The exponents of MXFP4: subnormal, smallest normal, common, and the largest two.
EXPONENTS = [0, 1, 2, 121, 254, 255]


def blocks_of(name, rng, random):
    """Returns the blocks [n, bytes] of a tensor of that type."""
    values, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = rng.integers(0, 256, (len(SCALES) + random, size), dtype=np.uint8)
    for block, scales, exponent in zip(blocks, SCALES, EXPONENTS):
        for offset, bits in zip(HALVES[name], scales):
            block[offset : offset + 2] = np.frombuffer(np.uint16(bits).tobytes(), np.uint8)
        if name == "MXFP4":
            block[0] = exponent
    groups = [np.zeros((1, size), np.uint8), blocks]
    if name in QUANTIZED:
        weights = rng.normal(0, 0.02, (1, values)).astype(np.float32)
        groups.append(quantize(weights, GGMLQuantizationType[name]))
    return np.concatenate(groups)


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "quants.gguf.gz"
    random = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "quants.gguf")
        writer = GGUFWriter(path, "quants")
        for name in HALVES:
            kind = GGMLQuantizationType[name]
            blocks = blocks_of(name, rng, random).reshape(1, -1)
            with np.errstate(all="ignore"):
                expected = dequantize(blocks, kind)
            writer.add_tensor(name, blocks, raw_dtype=kind)
            writer.add_tensor(name + ".expected", expected)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(path, "rb") as file, open(out, "wb") as packed:
            packed.write(gzip.compress(file.read(), mtime=0))


if __name__ == "__main__":
    main()
