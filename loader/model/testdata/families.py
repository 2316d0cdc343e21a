"""Makes tiny random models of many families, and what TransformerLens makes of their unembeddings.

    python families.py OUT [--heads] [NAME...]

For each family OUT/NAME is a model as transformers saves it; beside it are, float32 and row-major,
NAME.expected_w_u.npy     [d_vocab, d_model]  W_U transposed, processed with TransformerLens's defaults
NAME.expected_fold_only.npy                   the same without centring over the vocabulary
NAME.expected_attention_out.npy, NAME.expected_mlp_out.npy
                          [d_in, d_model]     W_O of the last layer, heads flattened, and W_out, as stored
NAME.expected_ov.npy, NAME.expected_qk.npy
                          [n_heads, d_model, d_model]  OV and QK of the last layer, processed with the defaults
A NAME that is no family's is a model that is there already, of which only W_O and W_out are made. With --heads the last
two are made, of models that are there, and nothing else. Without NAME all families are made. What is printed says which class of TransformerLens was the oracle: HookedTransformer, with its
defaults, or TransformerBridge with process_weights for what that does not know.

Needs torch, transformers and transformer-lens==3.9.0; made with torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3.
"""
import gc
import logging
import os
import sys
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
warnings.filterwarnings("ignore")
import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
from tokenizers import Tokenizer, models

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
logging.disable(logging.WARNING)

LAYER = -1
V, D, H, L, M = 64, 16, 2, 2, 24  # vocabulary, d_model, heads, layers, d_mlp
llama = dict(vocab_size=V, hidden_size=D, num_attention_heads=H, num_key_value_heads=1, num_hidden_layers=L, intermediate_size=M,
             max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)
full = dict(llama, num_key_value_heads=H)
gpt = dict(vocab_size=V, n_embd=D, n_head=H, n_layer=L, n_positions=32, n_inner=M, bos_token_id=1, eos_token_id=2)
moe = dict(num_experts_per_tok=2, moe_intermediate_size=M)

FAMILIES = {
    "gpt2-prefixed": ("gpt2", dict(gpt, n_inner=4 * D)),
    "gpt-neo": ("gpt_neo", dict(vocab_size=V, hidden_size=D, num_layers=L, num_heads=H, attention_types=[[["global", "local"], 1]], max_position_embeddings=32, bos_token_id=1, eos_token_id=2)),
    "gpt-j": ("gptj", dict(gpt, n_inner=None, rotary_dim=4)),
    "gpt-neox-tiny": ("gpt_neox", full),
    "opt": ("opt", dict(vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, ffn_dim=M, max_position_embeddings=32, word_embed_proj_dim=D, pad_token_id=0, bos_token_id=1, eos_token_id=2)),
    "bloom": ("bloom", dict(vocab_size=V, hidden_size=D, n_layer=L, n_head=H, bos_token_id=1, eos_token_id=2)),
    "phi-tiny": ("phi", full),
    "phi3": ("phi3", llama),
    "phimoe": ("phimoe", dict(llama, num_local_experts=2)),
    "llama-tiny": ("llama", llama),
    "llama-grouped": ("llama", dict(llama, num_attention_heads=4, num_key_value_heads=2)),
    "gemma-grouped": ("gemma", dict(llama, head_dim=8, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True)),
    "falcon-grouped": ("falcon", dict(vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=4, new_decoder_architecture=True, num_kv_heads=2, bos_token_id=1, eos_token_id=2)),
    "phi3-grouped": ("phi3", dict(llama, num_attention_heads=4, num_key_value_heads=2)),
    "mistral": ("mistral", llama),
    "ministral": ("ministral", llama),
    "mixtral-tiny": ("mixtral", dict(llama, num_local_experts=2)),
    "qwen2-tiny": ("qwen2", llama),
    "qwen2-moe": ("qwen2_moe", dict(llama, **moe, num_experts=2, shared_expert_intermediate_size=M)),
    "qwen3": ("qwen3", dict(llama, head_dim=12)),
    "qwen3-moe": ("qwen3_moe", dict(llama, **moe, num_experts=2, head_dim=12)),
    "qwen3-next": ("qwen3_next", dict(llama, **moe, num_experts=2, head_dim=8, num_hidden_layers=4, shared_expert_intermediate_size=M, linear_num_key_heads=1, linear_num_value_heads=2, linear_key_head_dim=8, linear_value_head_dim=8)),
    "qwen3-5": ("qwen3_5_text", dict(llama, head_dim=8, num_hidden_layers=4, linear_num_key_heads=1, linear_num_value_heads=2, linear_key_head_dim=8, linear_value_head_dim=8)),
    "gemma-tiny": ("gemma", dict(llama, head_dim=8, tie_word_embeddings=True)),
    "gemma2-tiny": ("gemma2", dict(llama, head_dim=8, tie_word_embeddings=True)),
    "gemma3-text": ("gemma3_text", dict(llama, head_dim=8, tie_word_embeddings=True)),
    "gemma3": ("gemma3", dict(text_config=dict(llama, head_dim=8, tie_word_embeddings=True), tie_word_embeddings=True, mm_tokens_per_image=4, image_token_index=5,
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14))),
    "qwen2-vl": ("qwen2_vl", dict(text_config=dict(llama, rope_scaling={"type": "mrope", "mrope_section": [1, 1, 2], "rope_type": "default"}), vision_config=dict(depth=1, embed_dim=8, hidden_size=D, num_heads=1, mlp_ratio=1), tie_word_embeddings=False)),
    "qwen2-5-vl": ("qwen2_5_vl", dict(text_config=dict(llama, rope_scaling={"type": "mrope", "mrope_section": [1, 1, 2], "rope_type": "default"}), vision_config=dict(depth=1, hidden_size=8, intermediate_size=8, num_heads=1, out_hidden_size=D, fullatt_block_indexes=[0]), tie_word_embeddings=False)),
    "qwen3-vl": ("qwen3_vl", dict(text_config=dict(llama, head_dim=8, rope_scaling={"mrope_section": [1, 1, 2], "rope_type": "default"}), vision_config=dict(depth=1, hidden_size=8, intermediate_size=8, num_heads=1, out_hidden_size=D, deepstack_visual_indexes=[0], num_position_embeddings=4), tie_word_embeddings=False)),
    "mistral3": ("mistral3", dict(text_config=dict(llama, model_type="mistral", head_dim=8), vision_config=dict(model_type="pixtral", hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14), tie_word_embeddings=False)),
    "llama4-text": ("llama4_text", dict(llama, head_dim=8, num_local_experts=2, intermediate_size_mlp=M, interleave_moe_layer_step=2)),
    "olmo": ("olmo", full),
    "olmo2-tiny": ("olmo2", full),
    "olmo3": ("olmo3", dict(full, layer_types=["sliding_attention", "full_attention"])),
    "olmoe": ("olmoe", dict(full, num_experts=2, num_experts_per_tok=2)),
    "gpt-oss": ("gpt_oss", dict(llama, num_local_experts=2, head_dim=8)),
    "apertus": ("apertus", full),
    "stablelm": ("stablelm", full),
    "falcon": ("falcon", dict(vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, multi_query=True, bos_token_id=1, eos_token_id=2)),
    "falcon-40b": ("falcon", dict(vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, new_decoder_architecture=True, num_kv_heads=1, bos_token_id=1, eos_token_id=2)),
    "gpt-bigcode": ("gpt_bigcode", gpt),
    "starcoder2": ("starcoder2", llama),
    "mpt": ("mpt", dict(vocab_size=V, d_model=D, n_heads=H, n_layers=L, expansion_ratio=2, max_seq_len=32)),
    "codegen": ("codegen", dict(gpt, n_inner=None, rotary_dim=4, n_head=4)),
    "xglm": ("xglm", dict(vocab_size=V, d_model=D, ffn_dim=M, num_layers=L, attention_heads=H, max_position_embeddings=32)),
    "exaone4": ("exaone4", llama),
    "glm": ("glm", dict(llama, head_dim=8)),
    "glm4": ("glm4", dict(llama, head_dim=8)),
    "ernie4-5": ("ernie4_5", dict(llama, head_dim=8)),
    "arcee": ("arcee", llama),
    "seed-oss": ("seed_oss", dict(llama, head_dim=8)),
    "smollm3": ("smollm3", llama),
    "hunyuan": ("hunyuan_v1_dense", dict(llama, head_dim=8)),
    "granite": ("granite", dict(llama, logits_scaling=4.0)),
    "cohere": ("cohere", llama),
    "nemotron": ("nemotron", llama),
    "gemma3n": ("gemma3n_text", dict(llama, head_dim=8, tie_word_embeddings=True, vocab_size_per_layer_input=V, hidden_size_per_layer_input=8, laurel_rank=4, num_kv_shared_layers=0, intermediate_size=[M, M], activation_sparsity_pattern=[0.0, 0.0], layer_types=["sliding_attention", "full_attention"])),
    "gemma4": ("gemma4_text", dict(llama, head_dim=8, global_head_dim=8, tie_word_embeddings=True, vocab_size_per_layer_input=V, hidden_size_per_layer_input=8, num_kv_shared_layers=0, layer_types=["sliding_attention", "full_attention"])),
    "granite-moe": ("granitemoe", dict(llama, num_local_experts=2, num_experts_per_tok=2)),
    "ernie4-5-moe": ("ernie4_5_moe", dict(llama, moe_num_experts=2, moe_k=1, moe_intermediate_size=M)),
    "glm4-moe": ("glm4_moe", dict(llama, **moe, head_dim=8, n_routed_experts=2, n_shared_experts=1, first_k_dense_replace=1, n_group=1, topk_group=1)),
    "helium": ("helium", dict(llama, head_dim=8)),
    "deepseek-v3": ("deepseek_v3", dict(full, **moe, n_routed_experts=4, n_group=1, topk_group=1, first_k_dense_replace=1, q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=8)),
}


def make(out, name):
    model_type, settings = FAMILIES[name]
    torch.manual_seed(sum(name.encode()))
    config = AutoConfig.for_model(model_type, **settings)
    auto = AutoModelForImageTextToText if "vision_config" in settings else AutoModelForCausalLM
    model = auto.from_config(config).float().eval()
    with torch.no_grad():
        for p in model.parameters():  # norms begin as ones, biases as zeros, which would hide mistakes
            p.add_(torch.randn_like(p) * (0.3 if p.dim() == 1 else 0.1))
    model.tie_weights()
    model.save_pretrained(out / name)
    (out / name / "generation_config.json").unlink(missing_ok=True)
    save_tokenizer(out / name)
    return model


def save_tokenizer(path):
    vocab = {f"t{i}": i for i in range(V)}
    transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocab, "t0")), pad_token="t0", bos_token="t1", eos_token="t2", unk_token="t0").save_pretrained(path)


def hooked(model, path, **flags):
    import transformer_lens.loading_from_pretrained as loading
    from transformer_lens import HookedTransformer
    loading.get_official_model_name = lambda name: name  # which knows published names alone
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    return HookedTransformer.from_pretrained(str(path), hf_model=model, tokenizer=tokenizer, device="cpu", **flags)


def bridged(model, path, **flags):
    from transformer_lens.model_bridge import TransformerBridge
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    b = TransformerBridge.boot_transformers(str(path), hf_model=model, tokenizer=tokenizer, device="cpu")
    if flags.get("fold_ln", True) is not None:
        b.process_weights(**flags)
    return b


def converted(model, path, **flags):
    """HookedTransformer with a configuration of our own, for families that it knows by published names and sizes only."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig
    from transformer_lens.pretrained.weight_conversions.olmo import convert_olmo_weights
    c = model.config
    cfg = HookedTransformerConfig(d_model=D, d_head=D // H, n_heads=H, d_mlp=M, n_layers=L, n_ctx=32, d_vocab=V, act_fn="silu", eps=1e-5,
        normalization_type="LN", positional_embedding_type="rotary", rotary_dim=D // H, gated_mlp=True, original_architecture=c.architectures[0])
    hooked = HookedTransformer(cfg)
    hooked.load_and_process_state_dict(convert_olmo_weights(model, cfg), **flags)
    return hooked


def reload(path):
    config = AutoConfig.from_pretrained(path)
    auto = AutoModelForImageTextToText if hasattr(config, "vision_config") else AutoModelForCausalLM
    return auto.from_pretrained(path, dtype=torch.float32).eval()


def save(path, value):
    value = value.detach().float().cpu().numpy()
    np.save(path, np.ascontiguousarray(value, dtype=np.float32))


def expected(out, name):
    path = out / name
    try:
        load, oracle = (converted if FAMILIES[name][0] == "olmo" else hooked), "HookedTransformer"
        load(reload(path), path)
    except Exception as e:
        first = f"{type(e).__name__}: {str(e)[:100]}"
        load, oracle = bridged, "TransformerBridge"
    both = load(reload(path), path)
    save(out / f"{name}.expected_w_u.npy", both.W_U.T)
    save(out / f"{name}.expected_fold_only.npy", load(reload(path), path, center_unembed=False).W_U.T)
    try:
        blocks(out, name, load)
    except Exception as e:  # where not every block has a hook_z
        print(name, "without matrices of blocks:", type(e).__name__, str(e)[:100])
    return oracle, "" if load is not bridged else first


def blocks(out, name, load):
    path = out / name
    raw = load(reload(path), path, fold_ln=False, center_unembed=False, center_writing_weights=False, fold_value_biases=False)
    block = raw.blocks[LAYER]
    if hasattr(block, "attn") and getattr(block.attn, "W_O", None) is not None:
        save(out / f"{name}.expected_attention_out.npy", block.attn.W_O.flatten(end_dim=-2))
    if hasattr(block.mlp, "W_out") and getattr(block.mlp.W_out, "ndim", 0) == 2:
        save(out / f"{name}.expected_mlp_out.npy", block.mlp.W_out)


def heads(out, name):
    path = out / name
    if not (path / "tokenizer.json").exists():
        save_tokenizer(path)
    try:
        load, oracle = (converted if FAMILIES.get(name, [""])[0] == "olmo" else hooked), "HookedTransformer"
        model = load(reload(path), path)
    except Exception:
        model, oracle = bridged(reload(path), path), "TransformerBridge"
    save(out / f"{name}.expected_ov.npy", model.OV[LAYER].AB)
    save(out / f"{name}.expected_qk.npy", model.QK[LAYER].AB)
    return "heads by " + oracle


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    only_heads = "--heads" in sys.argv
    for name in [a for a in sys.argv[2:] if a != "--heads"] or FAMILIES:
        try:
            if only_heads:
                print(name, heads(out, name), flush=True)
                continue
            if name not in FAMILIES:
                blocks(out, name, bridged)
                continue
            make(out, name)
            print(name, *expected(out, name), flush=True)
        except Exception as e:
            print(name, "NOT MADE", type(e).__name__, str(e)[:300], flush=True)
        gc.collect()


main()
