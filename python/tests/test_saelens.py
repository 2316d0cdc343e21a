"""SAELens, TransformerLens and transformers themselves: make test-saelens.

Everything is made here, small and at random; nothing is downloaded.
"""

import os
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from sae_lens import SAE, StandardSAE, StandardSAEConfig, TopKSAE, TopKSAEConfig
from tokenizers import Tokenizer, models
from transformer_lens import HookedTransformer, HookedTransformerConfig

import saedb

D_MODEL, D_VOCAB, D_SAE = 32, 500, 96


def tokenizer(words: int = D_VOCAB) -> Tokenizer:
    return Tokenizer(models.WordLevel({f"word{i}": i for i in range(words)}, unk_token="word0"))


def unembedding(con, model: str) -> np.ndarray:
    """The processed unembedding [d_model, d_vocab] as it is stored."""
    rows = con.execute("SELECT w_u FROM unembeddings WHERE model = ? ORDER BY token_id", [model]).fetchall()
    return np.array([row[0] for row in rows], dtype=np.float32).T


def hooked(norm: str = "LN") -> HookedTransformer:
    torch.manual_seed(1)
    cfg = HookedTransformerConfig(
        n_layers=1, d_model=D_MODEL, n_ctx=16, d_head=8, d_vocab=D_VOCAB, act_fn="relu", normalization_type=norm,
        model_name="tiny", original_architecture="GPT2LMHeadModel", device="cpu",
    )  # fmt: skip
    model = HookedTransformer(cfg)
    with torch.no_grad():
        model.ln_final.w.uniform_(0.5, 1.5)
        if norm == "LN":
            model.ln_final.b.uniform_(-0.1, 0.1)
        model.unembed.W_U.normal_()
        model.unembed.W_U.add_(0.3)
    model.process_weights_(fold_ln=True, center_writing_weights=norm == "LN", center_unembed=True)
    return model


class TransformersModels(unittest.TestCase):
    """A model of transformers in memory gives what TransformerLens makes of the same weights."""

    def test_against_transformer_lens(self):
        torch.manual_seed(2)
        config = transformers.GPT2Config(n_layer=1, n_embd=D_MODEL, n_head=4, n_positions=16, vocab_size=D_VOCAB)
        model = transformers.GPT2LMHeadModel(config)
        with torch.no_grad():
            model.transformer.ln_f.weight.uniform_(0.5, 1.5)
        con = saedb.connect()
        loaded = saedb.add_model(con, model, name="gpt2", tokenizer=tokenizer())
        self.assertEqual((loaded.name, loaded.rows), ("gpt2", D_VOCAB))
        w = model.transformer.wte.weight.detach().double() * model.transformer.ln_f.weight.detach().double()
        w = w - w.mean(dim=1, keepdim=True)
        w = w - w.mean(dim=0, keepdim=True)
        np.testing.assert_allclose(unembedding(con, "gpt2"), w.T.float().numpy(), rtol=1e-6, atol=1e-8)
        self.assertEqual(
            con.execute("SELECT tied, norm, norm_folded, centered_over_d_model, centered_over_vocabulary FROM models").fetchall(),
            [(True, "LayerNorm", True, True, True)],
        )

    def test_families(self):
        small = {"hidden_size": D_MODEL, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": D_VOCAB}
        for make, centred in [
            (lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**small, num_key_value_heads=4)), True),
            (lambda: transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**small)), True),
            (lambda: transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**small, num_key_value_heads=4, head_dim=8)), False),
        ]:
            model = make().to(torch.bfloat16)
            with self.subTest(type(model).__name__):
                con = saedb.connect()
                saedb.add_model(con, model, name="m", tokenizer=tokenizer())
                found = con.execute("SELECT dtype, centered_over_vocabulary, d_model, d_vocab FROM models").fetchone()
                self.assertEqual(found, ("BF16", centred, D_MODEL, D_VOCAB))

    def test_meta_device(self):
        with torch.device("meta"):
            model = transformers.GPT2LMHeadModel(transformers.GPT2Config(n_layer=1, n_embd=D_MODEL, n_head=4, vocab_size=D_VOCAB))
        with self.assertRaisesRegex(TypeError, "meta"):
            saedb.add_model(saedb.connect(), model, name="m", tokenizer=tokenizer())


class HookedTransformers(unittest.TestCase):
    def test_taken_as_it_is(self):
        for norm, kind, over_d_model in [("LN", "LayerNorm", True), ("RMS", "RMSNorm", False)]:
            with self.subTest(norm):
                model, con = hooked(norm), saedb.connect()
                saedb.add_model(con, model, tokens=[f"word{i}" for i in range(D_VOCAB)])
                np.testing.assert_array_equal(unembedding(con, "tiny"), model.W_U.detach().numpy())
                found = con.execute("SELECT norm, norm_folded, centered_over_d_model, centered_over_vocabulary FROM models").fetchone()
                self.assertEqual(found, (kind, True, over_d_model, True))


class SAELensSAEs(unittest.TestCase):
    def setUp(self):
        self.con, self.model = saedb.connect(), hooked()
        saedb.add_model(self.con, self.model, tokens=[f"word{i}" for i in range(D_VOCAB)])

    def sae(self) -> SAE:
        torch.manual_seed(3)
        cfg = StandardSAEConfig(d_in=D_MODEL, d_sae=D_SAE)
        cfg.metadata.hook_name = "blocks.0.hook_resid_pre"
        cfg.metadata.model_name = "tiny"
        sae = StandardSAE(cfg)
        with torch.no_grad():
            sae.W_dec.normal_()
        return sae

    def test_statistics(self):
        """The figures of SAELens's tutorial: those of W_dec @ W_U."""
        sae = self.sae()
        loaded = saedb.add_sae(self.con, sae, log_sparsity=torch.linspace(-10, -1, D_SAE))
        self.assertEqual((loaded.name, loaded.rows), ("blocks.0.hook_resid_pre", D_SAE))
        self.assertEqual([c.features for c in saedb.compute(self.con)], [D_SAE])
        weights = sae.W_dec.detach().double() @ self.model.W_U.detach().double()
        mean, std = weights.mean(1), weights.std(1, unbiased=False)
        z = (weights - mean[:, None]) / std[:, None]
        found = self.con.execute("SELECT std, skewness, kurtosis, log_sparsity FROM layer_0 ORDER BY feature").fetchnumpy()
        np.testing.assert_allclose(found["std"], std, rtol=1e-5)
        np.testing.assert_allclose(found["skewness"], (z**3).mean(1), atol=1e-5)
        np.testing.assert_allclose(found["kurtosis"], (z**4).mean(1), rtol=1e-5)
        np.testing.assert_allclose(found["log_sparsity"], np.linspace(-10, -1, D_SAE), rtol=1e-6)
        top = self.con.execute("SELECT top_tokens FROM layer_0 ORDER BY feature").fetchall()
        for (tokens,), best in zip(top, weights.topk(10).indices):
            self.assertEqual(tokens, [f"word{i}" for i in best])

    def test_saved_and_added_are_the_same(self):
        """An SAE in memory and the directory that SAELens writes of it."""
        import tempfile

        sae = self.sae()
        with tempfile.TemporaryDirectory() as directory:
            sae.save_model(directory)
            saedb.load_sae(self.con, directory, name="saved")
        saedb.add_sae(self.con, sae, name="added")
        rows = self.con.execute("""SELECT count(*), count(*) FILTER (a.w_dec = b.w_dec)
            FROM decoder_directions a JOIN decoder_directions b USING (feature) WHERE a.sae = 'saved' AND b.sae = 'added'""").fetchone()
        self.assertEqual(rows, (D_SAE, D_SAE))
        self.assertEqual(
            self.con.execute("SELECT architecture, hook, layer, d_sae, scale FROM saes WHERE sae = 'saved'").fetchone(),
            self.con.execute("SELECT architecture, hook, layer, d_sae, scale FROM saes WHERE sae = 'added'").fetchone(),
        )

    def test_topk(self):
        cfg = TopKSAEConfig(d_in=D_MODEL, d_sae=D_SAE, k=4)
        cfg.metadata.hook_name = "blocks.0.hook_mlp_out"
        saedb.add_sae(self.con, TopKSAE(cfg), name="k", release="r")
        self.assertEqual(self.con.execute("SELECT architecture, release FROM saes").fetchone(), ("topk", "r"))

    def test_another_space(self):
        cfg = StandardSAEConfig(d_in=D_MODEL, d_sae=D_SAE)
        cfg.metadata.hook_name = "blocks.0.attn.hook_z"
        with self.assertRaisesRegex(Exception, "attention heads"):
            saedb.add_sae(self.con, StandardSAE(cfg))


if __name__ == "__main__":
    unittest.main()
