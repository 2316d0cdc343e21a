"""Makes the models in quantised/: a head quantised by GPTQ, AWQ or as FP8, beside an embedding that is another matrix.

python quantised.py OUT (numpy 2.3, safetensors 0.8, ml_dtypes 0.6)

AutoGPTQ, GPTQModel and AutoAWQ have no wheels for a machine without CUDA. So their packing and dequantisation stand here
in numpy: QuantLinear.pack and forward of AutoGPTQ (nn_modules/qlinear/qlinear_cuda.py), of which gptq_v2 differs in zero
points that are stored as they are; WQLinear_GEMM.from_linear and dequantize_gemm of AutoAWQ; and FP8 as Fp8Dequantize of
transformers 5.24 has it, with last blocks that may be smaller, as in weight_dequant of DeepSeek V3. The float16 of the
first two is asserted; what is saved is the same product in float32, which holds it exactly.
"""
import json, os, sys
import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

V, D, SIZE = 48, 64, 16
rng = np.random.default_rng(17)
out = sys.argv[1]


def word(codes):
    """Words of 8 codes along the last axis, the lowest bits first."""
    codes = codes.reshape(*codes.shape[:-1], -1, 8).astype(np.uint32)
    return (codes << (4 * np.arange(8, dtype=np.uint32))).sum(-1, dtype=np.uint32).view(np.int32)


def unpack(words):
    return ((words.view(np.uint32)[..., None] >> (4 * np.arange(8, dtype=np.uint32))) & 15).reshape(*words.shape[:-1], -1).astype(int)


def save(name, head, expected, quantization, **more):
    os.makedirs(f"{out}/{name}", exist_ok=True)
    tensors = {"model.embed_tokens.weight": rng.standard_normal((V, D)).astype(np.float32), "model.norm.weight": np.ones(D, np.float32)}
    save_file({**tensors, **{"lm_head." + k: np.ascontiguousarray(v) for k, v in head.items()}}, f"{out}/{name}/model.safetensors")
    with open(f"{out}/{name}/config.json", "w") as f:
        json.dump({"model_type": "llama", "hidden_size": D, "vocab_size": V, "quantization_config": quantization, **more}, f)
    np.save(f"{out}/{name}.expected_w_u.npy", np.ascontiguousarray(expected, np.float32))


codes = rng.integers(0, 16, (D, V))                  # as the layer multiplies: [in, out]
scales = (rng.random((D // SIZE, V)) * 0.02 + 0.001).astype(np.float16)
zeros = rng.integers(1, 16, (D // SIZE, V))
natural = np.arange(D) // SIZE
shuffled = rng.permutation(natural)


def gptq(name, stored, group, quantization, with_index=True):
    head = {"qweight": word(codes.T).T, "qzeros": word(stored), "scales": scales}
    if with_index:
        head["g_idx"] = group.astype(np.int32)
    weight, zero = unpack(head["qweight"].T.copy()).T, unpack(head["qzeros"]) + (stored is not zeros)
    half = scales[group] * (weight - zero[group]).astype(np.float16)
    exact = scales[group].astype(np.float32) * (codes - zeros[group]).astype(np.float32)
    assert half.dtype == np.float16 and (half == exact.astype(np.float16)).all()
    save(name, head, exact.T, {"quant_method": "gptq", "bits": 4, "group_size": SIZE, "lm_head": True, **quantization})


gptq("gptq", zeros - 1, natural, {})
gptq("gptq-no-index", zeros - 1, natural, {"checkpoint_format": "gptq"}, with_index=False)
gptq("gptq-act-order", zeros - 1, shuffled, {"desc_act": True})
gptq("gptq-v2", zeros, shuffled, {"checkpoint_format": "gptq_v2"})

order = [0, 2, 4, 6, 1, 3, 5, 7]
reverse = [0, 4, 1, 5, 2, 6, 3, 7]
pack = lambda m: word(m.reshape(m.shape[0], -1, 8)[:, :, order].reshape(m.shape))
head = {"qweight": pack(codes), "qzeros": pack(zeros), "scales": scales}
back = lambda words: unpack(words).reshape(words.shape[0], -1, 8)[:, :, reverse].reshape(words.shape[0], -1)
half = (back(head["qweight"]) - back(head["qzeros"])[natural]).astype(np.float16) * scales[natural]
exact = scales[natural].astype(np.float32) * (codes - zeros[natural]).astype(np.float32)
assert (half == exact.astype(np.float16)).all()
save("awq", head, exact.T, {"quant_method": "awq", "bits": 4, "group_size": SIZE, "version": "gemm", "zero_point": True})

e4m3, e5m2 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2


def fp8(name, kind, rows, cols, scale_name, shape, quantization, scale_type=np.float32):
    grid = (rng.random((-(-V // rows), -(-D // cols))) * 0.1 + 0.01).astype(scale_type)
    weight = rng.standard_normal((V, D)).astype(kind)
    spread = np.repeat(np.repeat(grid, rows, 0)[:V], cols, 1)[:, :D]
    save(name, {"weight": weight, scale_name: grid.reshape(shape)}, weight.astype(np.float32) * spread.astype(np.float32), quantization)


tensors = {"quant_method": "compressed-tensors", "format": "float-quantized"}
fp8("fp8-row", e4m3, 1, D, "weight_scale", (V, 1), tensors, ml_dtypes.bfloat16)
fp8("fp8-tensor", e4m3, V, D, "weight_scale", (), {"quant_method": "modelopt"})
fp8("fp8-e5m2", e5m2, V, D, "weight_scale", (1,), {"quant_method": "fp8"})
fp8("fp8-block", e4m3, 32, 24, "weight_scale_inv", (2, 3), {"quant_method": "fp8", "weight_block_size": [32, 24]})
