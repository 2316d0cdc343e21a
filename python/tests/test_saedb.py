"""The package in stock DuckDB: what is in memory goes in, and comes out right."""

import json
import os
import tempfile
import types
import unittest
from pathlib import Path

import duckdb
import numpy as np

import saedb

D_MODEL, D_VOCAB, D_SAE = 16, 60, 40
TOKENS = [f"word{i}" for i in range(D_VOCAB)]


def arrays(seed: int = 0):
    random = np.random.default_rng(seed)
    return random.normal(size=(D_MODEL, D_VOCAB)).astype("f4"), random.normal(size=(D_SAE, D_MODEL)).astype("f4")


def hooked(w_u, **changes):
    """What add_model looks at in a HookedTransformer."""
    cfg = types.SimpleNamespace(**{"model_name": "tiny", "original_architecture": "GPT2LMHeadModel", "normalization_type": "LNPre", **changes})
    return types.SimpleNamespace(W_U=w_u, cfg=cfg, tokenizer=None)


class Config:
    def __init__(self, **settings):
        self.settings = settings

    def to_dict(self):
        return self.settings


def expected(w_dec, w_u):
    weights = w_dec.astype("f8") @ w_u.astype("f8")
    mean, std = weights.mean(1), weights.std(1)
    z = (weights - mean[:, None]) / std[:, None]
    return mean, std, (z**3).mean(1), (z**4).mean(1), weights


class InMemory(unittest.TestCase):
    def setUp(self):
        self.con = saedb.connect()
        self.addCleanup(self.con.close)
        self.w_u, self.w_dec = arrays()

    def test_arrays(self):
        model = saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS, special=[0])
        self.assertEqual((model.name, model.rows, model.unchanged), ("m", D_VOCAB, False))
        sae = saedb.add_sae(self.con, self.w_dec, hook="blocks.3.hook_resid_pre", log_sparsity=np.full(D_SAE, -2, "f4"))
        self.assertEqual((sae.name, sae.rows), ("blocks.3.hook_resid_pre", D_SAE))
        self.assertEqual([(c.sae, c.computed, c.features) for c in saedb.compute(self.con)], [(sae.name, "statistics", D_SAE)])
        self.assertEqual(saedb.compute(self.con), [])
        mean, std, skewness, kurtosis, weights = expected(self.w_dec, self.w_u)
        found = self.con.execute("SELECT * FROM layer_3 ORDER BY feature").fetchnumpy()
        np.testing.assert_allclose(found["mean"], mean, atol=1e-6)
        np.testing.assert_allclose(found["std"], std, rtol=1e-6)
        np.testing.assert_allclose(found["skewness"], skewness, atol=1e-5)
        np.testing.assert_allclose(found["kurtosis"], kurtosis, rtol=1e-5)
        self.assertTrue(all(value == -2 for value in found["log_sparsity"]))
        for tokens, row in zip(found["top_tokens"], weights):
            self.assertEqual(list(tokens), [TOKENS[i] for i in np.argsort(-row)[:10]])
        self.assertEqual(self.con.execute("SELECT token FROM tokens WHERE is_special").fetchall(), [("word0",)])
        self.assertEqual(
            self.con.execute("SELECT kind, name, source, format FROM loads").fetchall(),
            [("model", "m", "numpy.ndarray", "memory"), ("sae", sae.name, "numpy.ndarray", "memory")],
        )

    def test_a_second_time(self):
        for unchanged in (False, True):
            self.assertIs(saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS).unchanged, unchanged)
            self.assertIs(saedb.add_sae(self.con, self.w_dec, name="s").unchanged, unchanged)
        other_u, other_dec = arrays(1)
        with self.assertRaisesRegex(duckdb.Error, "already loaded, with other content"):
            saedb.add_sae(self.con, other_dec, name="s")
        saedb.add_sae(self.con, other_dec, name="s", replace=True)
        saedb.add_model(self.con, other_u, name="m", tokens=TOKENS, replace=True)
        std = self.con.execute("SELECT (logit_stats(w_dec, model)).std FROM decoder_directions ORDER BY feature").fetchnumpy()
        np.testing.assert_allclose(next(iter(std.values())), expected(other_dec, other_u)[1], rtol=1e-6)

    def test_hooked_transformer(self):
        centred = self.w_u - self.w_u.mean(0)
        centred -= centred.mean(1, keepdims=True)
        for norm, w_u, found in [
            ("LNPre", centred, ("LayerNorm", True, True, True)),
            ("RMSPre", self.w_u, ("RMSNorm", True, False, False)),
            ("LN", self.w_u, ("LayerNorm", False, False, False)),
        ]:
            with self.subTest(norm):
                saedb.add_model(self.con, hooked(w_u, normalization_type=norm), name=norm, tokens=TOKENS)
                row = self.con.execute(
                    "SELECT norm, norm_folded, centered_over_d_model, centered_over_vocabulary FROM models WHERE model = ?", [norm]
                ).fetchone()
                self.assertEqual(row, found)

    def test_saelens(self):
        """An object with the cfg of SAELens 6, and the tuple of its older loaders."""
        cfg = Config(architecture="topk", d_in=D_MODEL, d_sae=D_SAE, dtype="float32", metadata={"hook_name": "blocks.1.hook_resid_post", "model_name": "m"})
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        saedb.add_model(self.con, arrays(2)[0], name="other", tokens=TOKENS)
        sae = types.SimpleNamespace(W_dec=self.w_dec, cfg=cfg)
        saedb.add_sae(self.con, (sae, {}, np.linspace(-10, -1, D_SAE, dtype="f4")), release="r")
        self.assertEqual(
            self.con.execute("SELECT sae, release, model, architecture, layer FROM saes").fetchall(),
            [("r/blocks.1.hook_resid_post", "r", "m", "topk", 1)],
        )
        low, high = self.con.execute("SELECT min(log_sparsity), max(log_sparsity) FROM features").fetchone()
        self.assertEqual((low, high), (-10, -1))

    def test_types(self):
        saedb.add_model(self.con, self.w_u.astype("f8"), name="m", tokens=TOKENS)
        self.assertEqual(self.con.execute("SELECT dtype FROM models").fetchone(), ("F64",))
        for name, given in [
            ("float16", self.w_dec.astype("f2")),
            ("big-endian", self.w_dec.astype(">f4")),
            ("not contiguous", np.asfortranarray(self.w_dec)),
            ("sliced", np.repeat(self.w_dec, 2, axis=0)[::2]),
        ]:
            with self.subTest(name):
                saedb.add_sae(self.con, given, name=name)
                rows = self.con.execute("SELECT w_dec FROM decoder_directions WHERE sae = ? ORDER BY feature", [name]).fetchall()
                np.testing.assert_array_equal(np.array([row[0] for row in rows], "f4"), given.astype("f4"))
                saedb.unload(self.con, "sae", name)  # the same under a second name is refused
        with self.assertRaisesRegex(TypeError, "W_dec: expected one of float32, .*, found int64"):
            saedb.add_sae(self.con, np.ones((3, D_MODEL), "i8"), name="integers")

    def test_arrow(self):
        pyarrow = importlib_or_skip("pyarrow")
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        rows = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(self.w_dec.ravel()), D_MODEL)
        saedb.add_sae(self.con, pyarrow.chunked_array([rows[:7], rows[7:]]), name="arrow")
        rows = self.con.execute("SELECT w_dec FROM decoder_directions WHERE sae = 'arrow' ORDER BY feature").fetchall()
        np.testing.assert_array_equal(np.array([row[0] for row in rows], "f4"), self.w_dec)
        table = self.con.sql("SELECT feature, skewness FROM features").to_arrow_table()
        self.assertEqual(table.num_rows, D_SAE)

    def test_frames(self):
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        saedb.add_sae(self.con, self.w_dec, name="s")
        saedb.compute(self.con)
        for module, method in [("pandas", "df"), ("polars", "pl")]:
            with self.subTest(module):
                importlib_or_skip(module)
                frame = getattr(self.con.sql("SELECT feature, std, top_tokens FROM features"), method)()
                self.assertEqual(frame.shape, (D_SAE, 3))

    def test_tokenizer(self):
        text = json.dumps({"model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(TOKENS[:50])}, "unk_token": "word0"}})
        backend = types.SimpleNamespace(to_str=lambda: text)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(text)
            file.flush()
            for name, tokenizer in [("fast", types.SimpleNamespace(backend_tokenizer=backend)), ("tokenizers", backend), ("path", Path(file.name))]:
                with self.subTest(name):
                    saedb.add_model(self.con, self.w_u, name=name, tokenizer=tokenizer)
                    found = self.con.execute("SELECT count(token), count(*) FILTER (is_padding) FROM tokens WHERE model = ?", [name]).fetchone()
                    self.assertEqual(found, (50, 10))

    def test_token_sets(self):
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        saedb.add_sae(self.con, self.w_dec, name="s")
        self.assertEqual(saedb.load_sets(self.con, name="tens", regex="word.0"), [("m", 1, 0, 0, None)])
        self.assertEqual(saedb.load_sets(self.con, name="low", sql="SELECT token_id FROM tokens WHERE token_id < 9"), [("m", 1, 0, 0, None)])
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "odd.gmt")
            path.write_bytes(b"\r".join([b"odd\t\t" + TOKENS[3].encode() + b",1.0\tnothere", b"empty\tna"]))
            ((_, added, _, _, note),) = saedb.load_sets(self.con, file=path)
            self.assertEqual(added, 1)
            self.assertEqual(note.count(f"{path}: "), 3)
            for said in ("1 of 2 members is no token of m: \"nothere\"", "without the weight", '"empty" (line 2: no members, found 1 tab)'):
                self.assertIn(said, note)
        self.con.execute("DELETE FROM stored_token_sets WHERE token_set = 'odd'")
        self.assertEqual([(c.computed, c.features, c.token_sets) for c in saedb.compute(self.con)], [("statistics", D_SAE, 2)])
        weights = expected(self.w_dec, self.w_u)[4]
        member = np.arange(D_VOCAB) < 9
        for feature, es in self.con.execute("SELECT feature, es FROM enrichment WHERE token_set = 'low'").fetchall():
            hits = member[np.argsort(-weights[feature])]
            walk = np.cumsum(np.where(hits, 1 / 9, -1 / (D_VOCAB - 9)))
            self.assertAlmostEqual(es, np.abs(walk).max(), places=5)

    def test_baseline(self):
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        saedb.add_sae(self.con, self.w_dec, name="s")
        saedb.load_sets(self.con, name="low", sql="SELECT token_id FROM tokens WHERE token_id < 9")
        against = (
            "SELECT count(*), count(p_value), count(q_value), count(q_all), count(es_z), count(ks_p_value), "
            "(SELECT count(skewness_p) + count(kurtosis_q) FROM features), (SELECT any_value(directions) FROM baseline_statistics) FROM enrichment"
        )
        saedb.compute(self.con, baseline=0)
        self.assertEqual(self.con.execute(against).fetchone(), (D_SAE, 0, 0, 0, 0, D_SAE, 0, None))
        saedb.compute(self.con, baseline=300)
        self.assertEqual(self.con.execute(against).fetchone(), (*[D_SAE] * 6, 2 * D_SAE, 300))
        saedb.compute(self.con)  # keeps it
        self.assertEqual(self.con.execute("CALL saedb_baseline('m', database := current_database())").fetchall()[0][1:], (1, 300, None))
        # The baseline's random directions are those that random_direction gives.
        (least,) = self.con.execute(
            "SELECT min(s.skewness) FROM (SELECT logit_stats(random_direction(1, range, $width), 'm') AS s FROM range(300))", {"width": self.w_u.shape[0]}
        ).fetchone()
        self.assertEqual(self.con.execute("SELECT sorted_values[1] FROM stored_baseline_statistics WHERE statistic = 'skewness'").fetchone(), (least,))
        self.con.execute("CALL saedb_compute(baseline := '512', database := current_database())").fetchall()
        self.assertEqual(self.con.execute(against).fetchone(), (*[D_SAE] * 6, 2 * D_SAE, 512))
        kinds = "SELECT kind, like_sae, count(*) FROM baseline_enrichment GROUP BY ALL ORDER BY ALL"
        saedb.compute(self.con, baseline=300, baseline_like="sae")
        self.assertEqual(self.con.execute(kinds).fetchall(), [("isotropic", None, 1), ("sae", "s", 1)])
        (least,) = self.con.execute("SELECT min(s.skewness) FROM (SELECT logit_stats(random_direction_like(1, range, 's'), 'm') AS s FROM range(300))").fetchone()
        (stored,) = self.con.execute(
            "SELECT sorted_values[1] FROM stored_baseline_statistics JOIN stored_baselines USING (baseline_id) WHERE statistic = 'skewness' AND sae_id IS NOT NULL"
        ).fetchone()
        self.assertEqual(least, stored)
        numbers = dict(self.con.execute("SELECT coalesce(sae_id, 0), baseline_id FROM stored_baselines WHERE directions = 300").fetchall())
        (like,) = self.con.execute("CALL saedb_baseline('m', like := 's', database := current_database())").fetchall()
        self.assertEqual(like, (numbers[max(numbers)], 1, 300, None))
        with self.assertRaisesRegex(duckdb.Error, "baseline-like: expected isotropic or sae, found model"):
            saedb.compute(self.con, baseline_like="model")
        saedb.compute(self.con, baseline=512, baseline_like="isotropic")
        for wrong in (199, -1, True):
            with self.assertRaisesRegex(duckdb.Error, f'baseline: expected 0, for none, or a number of random directions from 200, found "{int(wrong)}"'):
                saedb.compute(self.con, baseline=wrong)
        with self.assertRaisesRegex(TypeError, "integer"):
            saedb.compute(self.con, baseline="many")
        for arguments, said in (("'n'", "n: no model of that name"), ("'m', like := 't'", "t: no SAE of that name is in this database"), ("'m', tokens := 'some'", 'tokens: expected all or real, found "some"'),
                                ("'m', lens := 'l', hook := 'blocks.0.hook_resid_post'", 'lens "l": no such lens in this database'), ("'m', lens := 'l', side := 'input'", "lens: a lens is of what features write")):  # fmt: skip
            with self.assertRaisesRegex(duckdb.Error, said):
                self.con.execute(f"CALL saedb_baseline({arguments}, database := current_database())").fetchall()
        ((query,),) = self.con.execute("FROM saedb_enrichment_query()").fetchall()
        logarithms = "SELECT count(*), count(log10_ks_p), count(log10_q), count(log10_q_all)"
        self.assertEqual(self.con.execute(f"{logarithms} FROM ({query})").fetchone(), (D_SAE,) * 4)
        ((macros,),) = self.con.execute("FROM saedb_view_macros()").fetchall()
        with duckdb.connect() as other:
            other.execute(macros)
            self.assertEqual(other.execute("SELECT feature_role(11, -1, 0), feature_role(3, 1, 0.1)").fetchone(), ("suppression", "partition"))
        view = f"SELECT * EXCLUDE (log10_ks_p, log10_q, log10_q_all) FROM ({query})"
        self.assertEqual(self.con.execute(f"{view} EXCEPT ALL FROM enrichment").fetchall(), [])

    def test_lens(self):
        """Through a lens every feature is that of J · w_dec, and the rank correlation is that of both rankings."""
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        sae = saedb.add_sae(self.con, self.w_dec, name="s", hook="blocks.1.hook_resid_post")
        j = np.random.default_rng(3).normal(size=(2, D_MODEL, D_MODEL)).astype("f4")
        with tempfile.TemporaryDirectory() as directory:
            np.savez(f"{directory}/lens.npz", layer_0=j[0], layer_1=j[1])
            lens = saedb.load_lens(self.con, f"{directory}/lens.npz", name="j")
        self.assertEqual((lens.name, lens.rows), ("j", 2))
        with self.assertRaisesRegex(duckdb.Error, "none is named"):
            saedb.compute(self.con, rank_correlation=True)
        computed = saedb.compute(self.con, baseline=0, lens="j", rank_correlation=True)
        self.assertEqual([(c.sae, c.computed, c.features) for c in computed], [
            (sae.name, "statistics through j", D_SAE), (sae.name, "rank correlation through j", D_SAE),
        ])  # fmt: skip
        self.assertEqual(saedb.compute(self.con, baseline=0, lens="j", rank_correlation=True), [])
        mean, std, skewness, kurtosis, weights = expected(self.w_dec.astype("f8") @ j[1].T.astype("f8"), self.w_u)
        found = self.con.execute("SELECT * FROM features_through('j') ORDER BY feature").fetchnumpy()
        np.testing.assert_allclose(found["std"], std, rtol=1e-5)
        np.testing.assert_allclose(found["kurtosis"], kurtosis, rtol=1e-5)
        ranks = [np.argsort(np.argsort(w, axis=1), axis=1) for w in (weights, expected(self.w_dec, self.w_u)[4])]
        squares = ((ranks[0] - ranks[1]) ** 2).sum(1)
        # What those ask who compute elsewhere: the layer of a hook point, and the baseline through it, as a computation has it.
        hook = "'blocks.1.hook_resid_post'"
        layer = f"CALL saedb_lens_layer('j', 'm', {hook}, database := current_database())"
        self.assertEqual(self.con.execute(layer).fetchall(), [(1,)])
        for wrong, said in ((layer.replace("'j'", "'k'"), 'lens "k": no such lens'), (layer.replace("'m'", "'n'"), "lens j: expected a lens of model n, found one of model m"), (layer.replace("1.hook_resid_post", "1.hook_attn_out"), "hook_attn_out")):
            with self.assertRaisesRegex(duckdb.Error, said):
                self.con.execute(wrong).fetchall()
        baseline = f"CALL saedb_baseline('m', baseline := '200', lens := 'j', hook := {hook}, database := current_database())"
        ((number, seed, directions, behind),) = self.con.execute(baseline).fetchall()
        self.assertEqual((seed, directions, behind), (1, 200, 1))
        saedb.compute(self.con, baseline=200, lens="j")
        self.assertEqual(self.con.execute("SELECT baseline_id, directions FROM stored_computations JOIN stored_baselines USING (baseline_id) WHERE lens_layer = 1").fetchall(), [(number, 200)])
        np.testing.assert_allclose(found["rank_correlation"], 1 - 6 * squares / (D_VOCAB * (D_VOCAB**2 - 1)), atol=1e-12)
        self.assertTrue(saedb.check(self.con, all=True))

    def test_another_database(self):
        with tempfile.TemporaryDirectory() as directory:
            self.con.execute(f"ATTACH '{directory}/other.db' AS other")
            saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS, database="other")
            self.con.execute("USE other")
            saedb.add_sae(self.con, self.w_dec, name="s")
            saedb.compute(self.con)
            self.assertEqual(self.con.execute("SELECT count(*) FROM features").fetchone(), (D_SAE,))
            self.con.execute("USE memory")
            self.assertEqual(self.con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory'").fetchone(), (0,))
            # Functions find the model where it is; an equal one elsewhere is no matter, a different one is.
            query = "SELECT count((logit_stats(w_dec, 'm')).std) FROM other.stored_decoders"
            self.assertEqual(self.con.execute(query).fetchone(), (D_SAE,))
            saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
            self.assertEqual(self.con.execute(query).fetchone(), (D_SAE,))
            saedb.add_model(self.con, arrays(5)[0], name="m", tokens=TOKENS, replace=True)
            with self.assertRaisesRegex(duckdb.Error, "memory, other .say which: 'memory.m' or 'other.m'"):
                self.con.execute(query)
            self.assertEqual(self.con.execute(query.replace("'m'", "'other.m'")).fetchone(), (D_SAE,))

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "no name"):
            saedb.add_model(self.con, self.w_u, tokens=TOKENS)
        with self.assertRaisesRegex(ValueError, "without tokens"):
            saedb.add_model(self.con, self.w_u, name="m")
        with self.assertRaisesRegex(TypeError, "found builtins.int"):
            saedb.add_model(self.con, 5, name="m")
        with self.assertRaisesRegex(TypeError, "found builtins.int"):
            saedb.add_sae(self.con, 5)
        with self.assertRaisesRegex(duckdb.Error, "nothing is loaded"):
            saedb.compute(self.con)
        with self.assertRaisesRegex(duckdb.Error, r"is W_U \[d_model, d_vocab\]"):
            saedb.add_model(self.con, self.w_u.T, name="m", tokens=TOKENS)
        saedb.add_model(self.con, self.w_u, name="m", tokens=TOKENS)
        with self.assertRaisesRegex(ValueError, "no name"):
            saedb.add_sae(self.con, self.w_dec)
        with self.assertRaisesRegex(duckdb.Error, f"expected d_model {D_MODEL}, that of model m"):
            saedb.add_sae(self.con, self.w_dec[:, :5], name="narrow")
        with self.assertRaisesRegex(duckdb.Error, "attention heads"):
            saedb.add_sae(self.con, self.w_dec, hook="blocks.0.attn.hook_z")
        with self.assertRaisesRegex(duckdb.Error, "a finite float32"):
            saedb.add_sae(self.con, np.full((3, D_MODEL), np.nan, "f4"), name="nan")
        with self.assertRaisesRegex(duckdb.Error, "decoder: expected one of as-stored"):
            saedb.add_sae(self.con, self.w_dec, name="s", decoder="other")
        self.assertEqual(self.con.execute("SELECT count(*) FROM loads").fetchone(), (1,))


EXAMPLE = Path(__file__).parents[2] / "examples/smollm2-135m"


class OnDisk(unittest.TestCase):
    def test_hook_point_by_hand(self):
        con = saedb.connect()
        self.addCleanup(con.close)
        saedb.load_model(con, EXAMPLE / "SmolLM2-135M-Instruct.unembedding.gguf", name="m")
        one = EXAMPLE / "saes" / "blocks.4.hook_resid_pre"
        with self.assertRaisesRegex(duckdb.Error, "found queries of attention"):
            saedb.load_sae(con, one, hook="blocks.4.attn.hook_q")
        with self.assertRaisesRegex(duckdb.Error, "hook is of one SAE"):
            saedb.load_sae(con, EXAMPLE / "saes", hook="layers.7")
        saedb.load_sae(con, one, hook="layers.7")
        self.assertEqual(con.execute("SELECT hook, layer FROM saes").fetchall(), [("layers.7", 7)])

    def test_input_side(self):
        """What excites features, in the views and in what Spark's workers ask of the extension."""
        con = saedb.connect()
        self.addCleanup(con.close)
        one = EXAMPLE / "saes" / "blocks.4.hook_resid_pre"
        saedb.load_model(con, EXAMPLE / "SmolLM2-135M-Instruct.unembedding.gguf", name="m", embedding=True)
        saedb.load_sae(con, one, encoder=True)
        saedb.load_sets(con, families=["letters"])
        done = saedb.compute(con, side="input", baseline=200)
        self.assertEqual((sum(c.features for c in done), {(c.computed, c.token_sets) for c in done}), (1536, {("input statistics", 26)}))
        self.assertEqual(con.execute("SELECT count(*), count(q_value), any_value(side) FROM input_enrichment").fetchone(), (26 * 1536, 26 * 1536, "input"))
        self.assertEqual(con.execute("SELECT count(*) FROM enrichment").fetchone(), (0,))
        ((query,),) = con.execute("FROM saedb_enrichment_query(side := 'input')").fetchall()
        view = f"SELECT * EXCLUDE (log10_ks_p, log10_q, log10_q_all) FROM ({query})"
        self.assertEqual(con.execute(f"{view} EXCEPT ALL FROM input_enrichment").fetchall(), [])
        ((query,),) = con.execute("FROM saedb_feature_p_values_query(side := 'input')").fetchall()
        con.execute("CREATE TEMP TABLE stored_input_statistics AS SELECT * REPLACE (0 AS sae_id) FROM main.stored_input_statistics")
        baseline = con.execute("CALL saedb_baseline('m', side := 'input', database := current_database())").fetchall()[0]
        self.assertEqual(baseline[2], 200)
        self.assertEqual(
            con.execute(f"SELECT feature, p FROM ({query}) WHERE statistic = 'kurtosis' ORDER BY feature", {"baseline": baseline[0]}).fetchall(),
            con.execute("SELECT feature, input_kurtosis_p FROM features ORDER BY feature").fetchall(),
        )
        for call in ("saedb_enrichment_query(side := 'inside')", "saedb_baseline('m', side := 'both', database := current_database())"):
            with self.assertRaisesRegex(duckdb.Error, "side: expected output or input, found"):
                con.execute(f"CALL {call}").fetchall()
        with self.assertRaisesRegex(duckdb.Error, "side: expected output, input or both, found inside"):
            saedb.compute(con, side="inside")

    def test_described_as_a_load_records_it(self):
        """What Spark's workers ask of the extension."""
        con = saedb.connect()
        self.addCleanup(con.close)
        (version, kernel), = con.execute("FROM saedb_about()").fetchall()
        found = [path for path, in con.execute("SELECT path FROM saedb_find_saes($1)", [str(EXAMPLE / "saes")]).fetchall()]
        self.assertEqual([Path(path).name for path in found], [f"blocks.{i}.hook_resid_pre" for i in (4, 9, 14, 19, 24, 29)])
        saedb.load_model(con, EXAMPLE / "SmolLM2-135M-Instruct.unembedding.gguf", name="m")
        saedb.load_sae(con, found[0])
        saedb.compute(con)
        self.assertEqual(con.execute("SELECT saedb_version, kernel FROM stored_computations").fetchall(), [(version, kernel)])
        columns = "name, s.format, architecture, d_model, d_sae, hook, block, dtype, scale, neuronpedia_id, l0, bytes, sha256"
        self.assertEqual(
            con.execute("FROM saedb_describe_sae($1)", [found[0]]).fetchall(),
            con.execute(f"SELECT {columns} FROM stored_saes s JOIN stored_loads ON load_id = sae_id").fetchall(),
        )
        (threads,), = con.execute("CALL saedb_threads(threads := 1)").fetchall()
        self.assertEqual(con.execute("CALL saedb_threads(threads := $1)", [threads]).fetchall(), [(1,)])
        with self.assertRaisesRegex(duckdb.Error, "threads: expected a number from 1 to 4096, found '0'"):
            con.execute("CALL saedb_threads(threads := 0)").fetchall()
        with self.assertRaisesRegex(duckdb.Error, "nowhere: does not exist"):
            con.execute("FROM saedb_describe_sae('nowhere')").fetchall()
        with tempfile.TemporaryDirectory() as directory:
            config = json.loads((Path(found[0]) / "cfg.json").read_text())
            (Path(directory) / "cfg.json").write_text(json.dumps(config).replace("blocks.4.hook_resid_pre", "blocks.4.attn.hook_z"))
            os.symlink(Path(found[0]) / "sae_weights.safetensors", Path(directory) / "sae_weights.safetensors")
            with self.assertRaisesRegex(duckdb.Error, r"attention heads \(hook_z\), at hook point blocks.4.attn.hook_z"):
                con.execute("FROM saedb_describe_sae($1)", [directory]).fetchall()


def importlib_or_skip(module: str):
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise unittest.SkipTest(f"{module} is not installed") from None


if __name__ == "__main__":
    unittest.main()
