"""saedb_spark on a real cluster, held against the program on one machine."""

import functools
import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

import duckdb
import numpy as np
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable

sys.path.insert(0, str(Path(__file__).parent))
from spark_cluster import ROOT, Cluster  # noqa: E402
from spark_results import EXAMPLE, MODEL, SAES, assert_same, assert_views, opened, program, reference_of_example  # noqa: E402

import saedb_spark  # noqa: E402

D_MODEL, D_VOCAB, D_SAE = 256, 20_000, 32_768

#: Of SAES, in their release.
NAMES = [f"smollm2-demo/{path.name}" for path in SAES]

#: Views that have the input side; results have no encoders.
INPUT_VIEWS = {
    "features": "* EXCLUDE (encoder_norm, encoder_decoder_cosine, encoder_bias, threshold)", "input_enrichment": "*", "input_baseline_enrichment": "*",
    "stored_input_computations": "tokens, kernel, counted_tokens, features, scores",
}  # fmt: skip


class OnACluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="saedb-spark-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.cluster = Cluster(workers=2)
        cls.addClassCleanup(cls.cluster.close)
        cls.spark = (
            SparkSession.builder.master(cls.cluster.url).appName("test")
            .config("spark.executor.memory", "600m").config("spark.executor.cores", "1").config("spark.driver.memory", "600m")
            .config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "2")
            .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"]).config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )  # fmt: skip
        cls.spark.sparkContext.setLogLevel("ERROR")
        cls.addClassCleanup(cls.spark.stop)
        cls.reference = reference_of_example(cls.directory)

    def setUp(self):
        self.out = self.directory / self.id().rsplit(".", 1)[-1]

    def compute(self, saes, model=MODEL, sets=None, **options):
        lines = []
        done = saedb_spark.compute(self.spark, saes, model, str(self.out), sets, progress=lines.append, **options)
        return done, lines

    def assert_same(self, reference, where="true"):
        assert_same(self, self.out, reference, where)

    def database(self, name, *options, saes=SAES[1:]):
        """A database of the program's with SAEs of the example, the model with its embedding, and letters' token sets."""
        database = self.directory / f"database-{name}.saedb"
        program("--db", database, "load", "model", MODEL, "--name", "smollm2-135m", "--embedding")
        for path in saes:
            program("--db", database, "load", "sae", path, "--release", "smollm2-demo", *options)
        program("--db", database, "load", "sets", "--family", "letters")
        return database

    def imported(self):
        """A new database that has the results."""
        database = self.directory / f"imported-{self.out.name}.saedb"
        program("--db", database, "import", "--parquet", self.out)
        return database

    def stages(self):
        """What Spark's UI says of its stages."""
        sc = self.spark.sparkContext
        address = f"{sc.uiWebUrl}/api/v1/applications/{sc.applicationId}/stages"
        with urllib.request.urlopen(address) as answer:
            return json.load(answer)

    def passes(self):
        return [s for s in self.stages() if ": statistics" in s.get("description", "")]

    def test_equal_to_the_program(self):
        done, lines = self.compute(SAES, self.reference, True, release="smollm2-demo")
        self.assertEqual([(c.sae, c.features, c.token_sets, c.unchanged) for c in done], [(name, 1536, 26, False) for name in NAMES])
        self.assertTrue(any(line.startswith("computed smollm2-demo/blocks.29.hook_resid_pre: 1536 features, statistics and 26 token sets") for line in lines), lines)
        self.assert_same(self.reference)
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), ["baseline_enrichment", "baseline_statistics", "enrichment", "features", "models", "saes", "token_sets", "tokens"])
        # Provenance leads back to the files, as the program's loads do.
        con = opened(self.out)
        con.execute(f"ATTACH '{self.reference}' AS reference (READ_ONLY)")
        self.assertEqual(
            con.execute("SELECT DISTINCT sae, sae_sha256, model_sha256, scale, processing, tokens, kernel, saedb_version FROM features ORDER BY sae").fetchall(),
            con.execute(
                "SELECT s.sae, l.sha256, m.sha256, s.scale, m.conventions, c.tokens, c.kernel, c.saedb_version "
                "FROM reference.stored_saes s JOIN reference.stored_loads l ON l.load_id = s.sae_id JOIN reference.stored_loads m ON m.load_id = s.model_id "
                "JOIN reference.stored_computations c USING (sae_id) ORDER BY s.sae"
            ).fetchall(),
        )
        # Back in SQL: a database that imports them has the program's views.
        imported = self.imported()
        con.close()
        assert_views(self, imported, self.reference, dict.fromkeys(("features", "enrichment", "baseline_statistics", "baseline_enrichment"), "*"))
        # A second time nothing is to be done, and without sets neither.
        before = len(self.passes())
        for sets in (True, None):
            done, lines = self.compute(SAES, self.reference, sets, release="smollm2-demo")
            self.assertEqual([c.unchanged for c in done], [True, True])
            self.assertEqual(lines, ["2 of 2 SAEs were computed before"])
        self.assertEqual(len(self.passes()), before)
        # One that is missing is computed alone, and other sets ask for scores anew.
        next((self.out / "saes").glob("*29*")).unlink()
        done, _ = self.compute(SAES, self.reference, True, release="smollm2-demo")
        self.assertEqual({c.sae: c.unchanged for c in done}, {NAMES[0]: True, NAMES[1]: False})
        self.assert_same(self.reference)

    def test_both_sides(self):
        """What excites features is the program's too, bit for bit, from files of a model and from its database, and is imported."""
        reference = reference_of_example(self.directory, "both")
        done, _ = self.compute(SAES, MODEL, ["letters"], release="smollm2-demo", model_name="smollm2-135m", side="both")
        self.assertEqual([(c.sae, c.features, c.token_sets, c.unchanged) for c in done], [(name, 1536, 26, False) for name in NAMES])
        self.assert_same(reference)
        self.assertTrue((self.out / "input_enrichment").exists())
        assert_views(self, self.imported(), reference, {**INPUT_VIEWS, "feature_input_tokens": "*", "baseline_statistics": "*"})
        # The output side alone asks for results anew, and has no other.
        done, _ = self.compute(SAES[:1], reference, True, release="smollm2-demo")
        self.assertEqual([c.unchanged for c in done], [False])
        self.assertEqual([path.name for path in (self.out / "input_enrichment").rglob("*29*.parquet")], [path.name for path in (self.out / "input_enrichment").rglob("*.parquet")])
        done, _ = self.compute(SAES[:1], reference, True, release="smollm2-demo", side="both")
        self.assert_same(reference)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "needs the embedding of model smollm2-135m, which was loaded without"):
            self.compute(SAES[:1], self.reference, True, side="both")
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "side: expected output, input or both, found inside"):
            self.compute(SAES[:1], reference, side="inside")

    def test_input_side_alone(self):
        """What excites features without what they write: the output side stays without figures, as in the program."""
        reference = self.database("input", "--encoder")
        program("--db", reference, "compute", "--side", "input", "--baseline", 512)
        done, _ = self.compute(SAES[1], MODEL, ["letters"], release="smollm2-demo", model_name="smollm2-135m", side="input", baseline=512)
        self.assertEqual([(c.sae, c.features, c.token_sets, c.unchanged) for c in done], [(NAMES[1], 1536, 26, False)])
        self.assertEqual([(self.out / name).exists() for name in ("input_enrichment", "enrichment", "baseline_enrichment")], [True, False, False])
        imported = self.imported()
        assert_views(self, imported, reference, {**INPUT_VIEWS, "baseline_statistics": "*", "saes": "* EXCLUDE (load_id, encoder_hook)"})
        self.assertEqual(program("--db", imported, "sql", "SELECT count(skewness) + count(tokens) AS n FROM features JOIN saes USING (sae)", "--format", "csv").split(), ["n", "0"])
        done, _ = self.compute(SAES[1], MODEL, ["letters"], release="smollm2-demo", model_name="smollm2-135m", side="input", baseline=512)
        self.assertEqual([c.unchanged for c in done], [True])

    def test_baselines_like_saes(self):
        """p- and q-values against random directions like each SAE's own decoder and encoder are the program's, bit for bit."""
        reference = self.database("like", "--encoder")
        program("--db", reference, "compute", "--side", "both", "--baseline", 512, "--baseline-like", "sae")
        like = functools.partial(self.compute, SAES[1], MODEL, ["letters"], release="smollm2-demo", model_name="smollm2-135m", side="both", baseline=512)
        done, _ = like(baseline_like="sae")
        self.assertEqual([(c.sae, c.token_sets, c.unchanged) for c in done], [(NAMES[1], 26, False)])
        self.assert_same(reference)
        baselines = (
            "(SELECT s.statistic, s.sorted_values, s.direction_rows, b.side, b.directions, b.seed, b.tokens, l.name FROM stored_baseline_statistics s "
            "JOIN stored_baselines b USING (baseline_id) LEFT JOIN stored_loads l ON l.load_id = b.sae_id)"
        )
        assert_views(self, self.imported(), reference, {**INPUT_VIEWS, "enrichment": "*", "baseline_statistics": "*", "baseline_enrichment": "*", baselines: "*"})
        kinds = "SELECT DISTINCT kind, like_sae FROM read_parquet('{0}/baseline_statistics/*.parquet', union_by_name = true)"
        self.assertEqual(duckdb.sql(kinds.format(self.out)).fetchall(), [("sae", NAMES[1])])
        done, _ = like(baseline_like="sae")
        self.assertEqual([c.unchanged for c in done], [True])
        # Isotropic ones ask for results anew, and the SAE's own go.
        done, _ = like()
        self.assertEqual([c.unchanged for c in done], [False])
        self.assertEqual(duckdb.sql(kinds.format(self.out)).fetchall(), [("isotropic", None)])
        for options, said in (
            ({"baseline_like": "model"}, "baseline_like: expected isotropic or sae, found model"),
            ({"baseline_like": "sae", "baseline": 0}, "baseline_like: a baseline of 0 random directions is like nothing"),
            ({"baseline_like": "sae", "baseline": 199}, 'baseline: expected 0, for none, or a number of random directions from 200, found "199"'),
        ):
            with self.assertRaisesRegex(saedb_spark.SparkJobError, said):
                like(**options)

    def assert_exported_through(self, reference, baselines="true"):
        """The files of what goes through lenses are those that the program exports, of baselines where a condition says so."""
        exported = self.directory / "lens-export"
        program("--db", reference, "export", "--to", exported, "--format", "parquet", "--replace")
        con = duckdb.connect()
        for table in ("features_through", "enrichment_through", "baseline_statistics_through", "baseline_enrichment_through", "lenses"):
            where = baselines if table.startswith("baseline") else "true"
            for name, directory in (("expected", exported), ("found", self.out)):
                con.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet('{directory}/{table}/**/*.parquet', hive_partitioning = true, union_by_name = true) WHERE {where}")
            columns = [name for name, *_ in con.execute("DESCRIBE expected").fetchall()]
            self.assertEqual(sorted(columns), sorted(name for name, *_ in con.execute("DESCRIBE found").fetchall()), table)
            self.assertGreater(con.execute("SELECT count(*) FROM expected").fetchall()[0][0], 0)
            compared = ", ".join(name for name in columns if name not in ("label", "computed_at", "loaded_at"))
            for more, less in (("expected", "found"), ("found", "expected")):
                self.assertEqual(con.execute(f"SELECT {compared} FROM {more} EXCEPT ALL SELECT {compared} FROM {less} LIMIT 1").fetchall(), [], table)
        con.close()

    def test_through_a_lens(self):
        """What features come to write is the program's, bit for bit, beside what they write."""
        reference, lens, model = self.database("lens", saes=SAES), self.directory / "lens.safetensors", self.directory / "lens-model.saedb"
        random = np.random.default_rng(0)
        write_safetensors(lens, {f"layer_{layer}": (np.eye(576) + 0.02 * random.normal(size=(576, 576))).astype("f4") for layer in (23, 28)})
        program("--db", reference, "load", "lens", lens, "--name", "walk")
        shutil.copyfile(reference, model)
        program("--db", reference, "compute", "--baseline", 512)
        program("--db", reference, "compute", "--baseline", 512, "--lens", "walk", "--rank-correlation")
        compute = functools.partial(self.compute, SAES, model, ["letters"], release="smollm2-demo", baseline=512)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "expected results of these files and model smollm2-135m without a lens .*, found none; compute it without a lens first"):
            compute(lens="walk")
        compute()
        done, lines = compute(lens="walk", rank_correlation=True)
        self.assertEqual([(c.sae, c.features, c.token_sets, c.unchanged) for c in done], [(name, 1536, 26, False) for name in NAMES])
        self.assertTrue(any(line.startswith(f"computed {NAMES[1]}: 1536 features, statistics and 26 token sets through walk") for line in lines), lines)
        for options in ({"rank_correlation": True}, {}):
            self.assertEqual([c.unchanged for c in compute(lens="walk", **options)[0]], [True, True])
        self.assert_same(reference)
        assert_views(self, self.imported(), reference, {"features_through('walk')": "*", "enrichment_through('walk')": "*", "feature_tokens_through('walk')": "*", "baseline_statistics": "*"})
        self.assert_exported_through(reference)
        # Against random directions like the SAE, which go through the lens too.
        program("--db", reference, "compute", "--sae", NAMES[1], "--baseline", 512, "--lens", "walk", "--baseline-like", "sae")
        done, _ = self.compute(SAES[1], model, ["letters"], release="smollm2-demo", baseline=512, baseline_like="sae", lens="walk", rank_correlation=True)
        self.assertEqual([c.unchanged for c in done], [False])
        self.assert_exported_through(reference, "like_sae IS NOT NULL OR lens_layer = 23")
        program("--db", self.directory / "like-imported.saedb", "import", "--parquet", self.out)
        # An SAE of other weights takes away what was computed through the lens of the old.
        other = self.directory / "other" / SAES[1].name
        shutil.copytree(SAES[1], other)
        poison(other / "sae_weights.safetensors", row=0, value=b"\x80\x3f")
        self.compute(other, model, release="smollm2-demo", baseline=512)
        self.assertEqual({path.parent.name for path in (self.out / "features_through").rglob("*.parquet")}, {"layer=24"})
        self.assertEqual(len(list((self.out / "saes_through").iterdir())), 1)
        rows = self.spark.createDataFrame([(NAMES[1], 0, [0.0] * 576)], "sae STRING, feature INT, w_dec ARRAY<FLOAT>")
        for saes, of, options, said in (
            (SAES[0], model, {"lens": "walc"}, f'{NAMES[0]}: .*lens "walc": no such lens in this database .loaded: walk.'),
            (SAES[0], MODEL, {"lens": "walk"}, "expected a saedb database with the lens walk in it"),
            (SAES[0], model, {"lens": "walk", "side": "both"}, "lens: a lens is of what features write"),
            (SAES[0], model, {"rank_correlation": True}, "rank_correlation: it is of logit weights with those through a lens, and lens names none"),
            (rows, model, {"lens": "walk"}, "lens: it is of SAEs in files"),
            (rows, model, {"baseline_like": "sae"}, "baseline_like: sae is of SAEs in files"),
            (rows, model, {"side": "input"}, "side: input is of SAEs in files"),
        ):
            with self.assertRaisesRegex(saedb_spark.SparkJobError, said):
                self.compute(saes, of, release="smollm2-demo", **options)

    def test_links_and_neighbours(self):
        """Lists of features are the program's, bit for bit, and are imported."""
        reference = reference_of_example(self.directory, "pairs")
        program("--db", reference, "compute", "--links", "--from", "*", "--to", "*", "--top", 20)
        program("--db", reference, "compute", "--neighbours", "--from", "*", "--to", "*")
        program("--db", reference, "compute", "--neighbours", "--from", "layer_24", "--top", 40)
        lines = []
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "expected results of SAEs, which saedb_spark.compute makes, found none"):
            saedb_spark.compute_links(self.spark, str(self.out), "*", "*")
        self.compute(SAES, MODEL, release="smollm2-demo", model_name="smollm2-135m", baseline=0)
        links = functools.partial(saedb_spark.compute_links, self.spark, str(self.out), progress=lines.append)
        neighbours = functools.partial(saedb_spark.compute_neighbours, self.spark, str(self.out), progress=lines.append)
        done = links("*", "*", top=20)
        ahead = [(NAMES[0], NAMES[0]), (NAMES[0], NAMES[1]), (NAMES[1], NAMES[1])]
        kinds = [("outgoing", a, b) for a, b in ahead] + [("incoming", b, a) for a, b in ahead]
        self.assertEqual(sorted((c.computed, c.sae, c.other, c.features, c.top, c.unchanged) for c in done if c.skipped is None), sorted((*kind, 1536, 20, False) for kind in kinds))
        self.assertEqual(
            [(c.sae, c.other, c.skipped) for c in done if c.skipped is not None],
            [(NAMES[1], NAMES[0], "blocks.24.hook_resid_pre is read before blocks.29.hook_resid_pre is written")],
        )
        self.assertEqual(len(neighbours("*", "*")), 4)
        self.assertEqual([(c.sae, c.other, c.top, c.unchanged) for c in neighbours("layer_24", top=40)], [(NAMES[0], NAMES[0], 40, False)])
        # What is there is left alone, also where fewer are asked for.
        self.assertTrue(all(c.unchanged for c in [*neighbours("*"), *links("layer_24", "*29*", top=5)]))
        pairs = (
            "(SELECT kind, s.sae, o.sae AS other, p.* EXCLUDE (pair_id, sae_id, other_id, kind, computed_at), l.* EXCLUDE (pair_id), n.* EXCLUDE (pair_id) FROM stored_sae_pairs p "
            "JOIN stored_saes s USING (sae_id) JOIN stored_saes o ON o.sae_id = other_id LEFT JOIN stored_links l USING (pair_id) LEFT JOIN stored_neighbours n USING (pair_id))"
        )
        assert_views(self, self.imported(), reference, dict.fromkeys(("feature_links", "feature_neighbours", pairs), "*"), least=10_000)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "no pair of these SAEs has products that stand for anything: .*is read before"):
            links("layer_29", "layer_24")
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "no SAE is at layer_7"):
            links("layer_7", "*")
        for model, said in (
            (None, "smollm2-135m#mlp_in.3: the weights of neurons are read from model, .*; model= names none"),
            (reference, "pairs.saedb: .*no such MLP is loaded"),
        ):
            with self.assertRaisesRegex(saedb_spark.SparkJobError, said):
                links("layer_24", "smollm2-135m#mlp_in.3", model=model)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "model: it is of links to the neurons of an MLP, and target names SAEs: layer_24"):
            links("layer_24", "layer_24", model=reference)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "top: expected 1 to 999, found 1000"):
            neighbours("layer_24", top=1000)

    def model_with_mlp(self, name, seed):
        """A model on disk with an MLP of 3,000 gated neurons, and SAEs that write before it and behind it."""
        directory, random = self.directory / name, np.random.default_rng(seed)
        shutil.copytree(ROOT / "loader/model/testdata/llama", directory / "model")
        config = json.loads((directory / "model/config.json").read_text())
        (directory / "model/config.json").write_text(json.dumps(config | {"hidden_size": 48, "intermediate_size": 3000, "vocab_size": 64}))
        (directory / "model/vocab.txt").write_text("".join(f"t{i}\n" for i in range(64)))
        write_safetensors(directory / "model/model.safetensors", {
            name: random.normal(size=size).astype("f4") for name, size in {
                "model.embed_tokens.weight": (64, 48), "lm_head.weight": (64, 48), "model.norm.weight": (48,),
                "model.layers.0.input_layernorm.weight": (48,), "model.layers.0.post_attention_layernorm.weight": (48,),
                "model.layers.0.mlp.gate_proj.weight": (3000, 48), "model.layers.0.mlp.up_proj.weight": (3000, 48), "model.layers.0.mlp.down_proj.weight": (48, 3000),
            }.items()
        })  # fmt: skip
        for sae, hook in (("before", "blocks.0.hook_resid_mid"), ("behind", "blocks.0.hook_mlp_out")):
            (directory / sae).mkdir()
            config = {"architecture": "standard", "d_in": 48, "d_sae": 2500, "dtype": "float32", "metadata": {"hook_name": hook, "model_name": "small"}}
            (directory / sae / "cfg.json").write_text(json.dumps(config))
            write_safetensors(directory / sae / "sae_weights.safetensors", {
                name: random.normal(size=size).astype("f4") for name, size in {"W_enc": (48, 2500), "b_enc": (2500,), "W_dec": (2500, 48), "b_dec": (48,)}.items()
            })  # fmt: skip
        return directory

    def test_links_to_neurons(self):
        """Links to the neurons of an MLP are the program's rows, bit for bit, as it exports them, from a database and from files; and are imported."""
        files, other = self.model_with_mlp("mlp", 0), self.model_with_mlp("other-mlp", 1)
        reference, exported = self.directory / "mlp.saedb", self.directory / "mlp-export"
        program("--db", reference, "load", "model", files / "model", "--name", "small", "--mlp", "0")
        for name in ("before", "behind"):
            program("--db", reference, "load", "sae", files / name, "--release", "r")
        self.compute([files / "before", files / "behind"], files / "model", release="r", model_name="small", baseline=0)
        lines = []
        links = functools.partial(saedb_spark.compute_links, self.spark, str(self.out), progress=lines.append)
        for matrix, top, model in (("in", 20, reference), ("gate", 32, files / "model")):
            reader = f"small#mlp_{matrix}.0"
            program("--db", reference, "compute", "--links", "--from", "*", "--to", reader, "--top", top)
            done = links("*", reader, top=top, model=model)
            why = "blocks.0.hook_mlp_in is read before blocks.0.hook_mlp_out is written"
            self.assertEqual([(c.sae, c.other, c.skipped) for c in done if c.skipped], [("r/behind", reader, why)])
            self.assertEqual(
                sorted((c.computed, c.sae, c.other, c.features, c.top, c.unchanged) for c in done if c.skipped is None),
                [("incoming", reader, "r/before", 3000, top, False), ("outgoing", "r/before", reader, 2500, top, False)],
            )
            self.assertTrue(all(c.unchanged for c in links("r/before", reader, top=top - 1, model=reference)))
        self.assertTrue(any(line.startswith("computed small#mlp_gate.0: incoming, 32 of r/before for each of 3000 neurons") for line in lines), lines)
        program("--db", reference, "export", "--to", exported, "--format", "parquet")
        con = duckdb.connect()
        for table, least in (("mlp_links", 2 * (2500 + 3000)), ("mlps", 1)):
            for name, directory in (("expected", exported), ("found", self.out)):
                con.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet('{directory}/{table}/*.parquet')")
            self.assertEqual(*(con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {name})").fetchall() for name in ("expected", "found")))
            for more, less in (("expected", "found"), ("found", "expected")):
                rows = "SELECT COLUMNS(c -> c <> 'computed_at') FROM"
                self.assertGreaterEqual(con.execute(f"SELECT count(*) FROM {more}").fetchall()[0][0], least)
                self.assertEqual(con.execute(f"{rows} {more} EXCEPT ALL {rows} {less} LIMIT 1").fetchall(), [], table)
        con.close()
        assert_views(self, self.imported(), reference, {"neuron_links": "*", "mlps": "*"})
        for target, model, said in (
            ("small#mlp_in.0", other / "model", "is not the model small, or not with the processing, that the results in .* are of"),
            ("small#mlp_in.1", reference, "no such MLP is loaded .*there are: 'small#mlp_in.0'"),
            ("small#mlp_out.0", reference, "expected words for SAEs, MODEL#mlp_in.LAYER or MODEL#mlp_gate.LAYER, found small#mlp_out.0"),
            ("large#mlp_in.0", files / "model", "large#mlp_in.0: expected results of the model large in .*, found none"),
            ("small#mlp_in.0", exported_database(self.directory, reference), "the weights of small are not in this database, which has results alone"),
        ):
            with self.assertRaisesRegex(saedb_spark.SparkJobError, said):
                links("*", target, model=model)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "no pair of these SAEs has products that stand for anything: r/behind to small#mlp_in.0: .*is read before"):
            links("r/behind", "small#mlp_in.0", model=reference)
        # Links to another MLP of that layer take the place of those to either matrix of the one that was there.
        changed = self.directory / "changed-mlp.saedb"
        shutil.copyfile(reference, changed)
        with duckdb.connect(changed) as con:
            con.execute("UPDATE stored_mlps SET sha256 = 'that of another file'")
        self.assertEqual([c.unchanged for c in links("r/before", "small#mlp_in.0", model=changed)], [False, False])
        self.assertEqual([len(list((self.out / table).glob("*.parquet"))) for table in ("pairs", "mlps")], [2, 1])
        self.assertEqual(duckdb.sql(f"SELECT DISTINCT matrix, m.sha256 FROM '{self.out}/mlp_links/*.parquet' JOIN '{self.out}/mlps/*.parquet' m USING (model, layer)").fetchall(), [("in", "that of another file")])
        # Links of an SAE that is computed anew with other weights go.
        self.compute({"r": [str(other / "before")]}, files / "model", model_name="small", baseline=0)
        self.assertEqual([list((self.out / table).glob("*.parquet")) for table in ("pairs", "mlp_links")], [[], []])

    def test_match(self):
        """A matching is the program's, in its row and in its file, by cosines and by directions at the scale at which features fire."""
        reference, random = self.directory / "match.saedb", np.random.default_rng(2)
        program("--db", reference, "load", "model", MODEL, "--name", "smollm2-135m")
        given = {}
        for name, features in (("wide", 90), ("narrow", 60), ("plain", 70)):
            path = self.directory / "matched" / name
            path.mkdir(parents=True)
            architecture = "standard" if name == "plain" else "jumprelu"
            config = {"architecture": architecture, "d_in": 576, "d_sae": features, "dtype": "float32", "metadata": {"hook_name": "blocks.3.hook_resid_pre", "model_name": "x"}}
            (path / "cfg.json").write_text(json.dumps(config))
            tensors = {"W_enc": random.normal(size=(576, features)), "b_enc": np.zeros(features), "W_dec": random.normal(size=(features, 576)), "b_dec": np.zeros(576)}
            if architecture == "jumprelu":
                tensors["threshold"] = random.uniform(0.5, 2, size=features)
            write_safetensors(path / "sae_weights.safetensors", {key: values.astype("f4") for key, values in tensors.items()})
            given.setdefault("local" if name == "narrow" else "r", []).append(path)
            program("--db", reference, "load", "sae", path, "--encoder", *([] if name == "narrow" else ["--release", "r"]))
        self.compute({release: [str(path) for path in paths] for release, paths in given.items()}, MODEL, model_name="smollm2-135m", baseline=0)
        match = functools.partial(saedb_spark.match, self.spark, self.out)
        expected, found = self.directory / "expected.json", self.directory / "found.json"
        for a, b, options, flags in (("r/wide", "narrow", {}, []), ("narrow", "r/plain", {"cosine": 0.05}, ["--cosine", "0.05"]), ("r/wide", "narrow", {"folded": True}, ["--folded"])):
            program("--db", reference, "match", a, b, "--to", expected, *flags)
            row = match(a, b, to=found, **options)
            files = [json.loads(file.read_text()) for file in (expected, found)]
            for file in files:
                del file["made_at"]
            self.assertEqual(*files)
            self.assertGreater(row.matched, 0)
            self.assertEqual(
                row[2:], tuple(files[0][key] for key in ("matched", "pw_mcc", "mean_of_maxima", "sum_of_worth", "sum_at_most"))
                + tuple(len(files[0][key]) for key in ("only_in_a", "only_in_b", "several_of_a_nearest_to_one_of_b")),
            )  # fmt: skip
            found.unlink()
        self.assertEqual([path for path in self.directory.iterdir() if path.name.startswith(".saedb")], [])
        for a, b, options, said in (
            ("r/*", "narrow", {}, "r/. means 2 SAEs, and one is needed"),
            ("r/wide", "none", {}, "none"),
            ("r/wide", "narrow", {"cosine": 2.0}, "match r/wide and narrow: .*cosine: expected 0 to 1, found 2"),
            ("r/plain", "narrow", {"folded": True}, "folded directions need the threshold of every feature: expected 70 thresholds, found 0"),
            ("r/wide", "narrow", {"to": self.directory / "nowhere" / "found.json"}, "to: expected a file that can be written, found .*nowhere"),
        ):
            with self.assertRaisesRegex(saedb_spark.SparkJobError, said):
                match(a, b, **options)
        poison(self.directory / "matched/narrow/sae_weights.safetensors", row=0, value=b"\x00\x3f")
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "narrow: is not what the results of narrow are of; compute them anew"):
            match("r/wide", "narrow")

    def test_other_baselines(self):
        """Another number of random directions, and none, ask for results anew, which are the program's."""
        for directions in (512, 0):
            reference = self.directory / f"baseline-{directions}.saedb"
            shutil.copyfile(self.reference, reference)
            program("--db", reference, "unload", "sae", *NAMES)
            program("--db", reference, "load", "sae", SAES[1], "--release", "smollm2-demo")
            program("--db", reference, "compute", "--baseline", directions)
            done, _ = self.compute(SAES[1:], MODEL, ["letters"], release="smollm2-demo", model_name="smollm2-135m", baseline=directions)
            self.assertEqual([(c.sae, c.unchanged) for c in done], [(NAMES[1], False)])
            self.assert_same(reference)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, 'baseline: expected 0, for none, or a number of random directions from 200, found "199"'):
            self.compute(SAES[1:], MODEL, baseline=199)

    def test_rows_of_a_table(self):
        rows = self.directory / "rows"
        rows.mkdir()
        for name, where in (("a", "feature % 2 = 0"), ("b", "feature % 2 = 1")):
            program(
                "--db", self.reference, "sql",
                f"COPY (SELECT sae, release, hook, layer, f.feature, w_dec, log_sparsity FROM features f JOIN decoder_directions USING (sae, release, layer, feature) "
                f"WHERE {where.replace('feature', 'f.feature')} ORDER BY random()) TO '{rows}/{name}.parquet'",
            )  # fmt: skip
        table = self.spark.read.parquet(str(rows))
        done, _ = self.compute(table, self.reference, ["letters"])
        self.assertEqual([(c.sae, c.features, c.token_sets) for c in done], [(name, 1536, 26) for name in NAMES])
        self.assert_same(self.reference)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "decoder directions were rows of a table; links, neighbours and matching are of SAEs in files"):
            saedb_spark.match(self.spark, self.out, "layer_24", "layer_29")
        done, _ = self.compute(table.orderBy("w_dec"), self.reference, ["letters"])
        self.assertEqual([c.unchanged for c in done], [True, True])

    def test_command_line(self):
        """Under spark-submit, on this machine's own cores: the cluster's are the session's."""
        script = os.path.join(os.path.dirname(saedb_spark.__file__), "__main__.py")
        submit = [os.path.join(self.cluster.environment["SPARK_HOME"], "bin/spark-submit"), "--master", "local[1]", "--conf", "spark.ui.enabled=false", script]
        common = ["--model", MODEL, "--model-name", "smollm2-135m", "--out", self.out, "--release", "smollm2-demo"]

        def submitted(path):
            # spark-submit puts what a program writes to standard error into standard output.
            return subprocess.run([*submit, path, *common], env=self.cluster.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        done = submitted(SAES[1])
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"{self.out}: 1 SAEs, 1536 features computed", done.stdout)
        self.assertIn("computed smollm2-demo/blocks.29.hook_resid_pre: 1536 features, statistics, ", done.stdout)
        self.assert_same(self.reference, "saes.layer = 29")
        done = submitted("/nowhere")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("saedb_spark: /nowhere: read SAE: /nowhere: does not exist", done.stdout)

    def test_copied_from_afar(self):
        served = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None, "__init__": functools.partialmethod(http.server.SimpleHTTPRequestHandler.__init__, directory=EXAMPLE)})
        )  # fmt: skip
        threading.Thread(target=served.serve_forever, daemon=True).start()
        self.addCleanup(served.server_close)
        self.addCleanup(served.shutdown)
        url = f"http://127.0.0.1:{served.server_port}/saes/{SAES[1].name}"
        table = self.spark.createDataFrame([(url, "smollm2-demo", SAES[1].name)], ["path", "release", "sae"])
        done, _ = self.compute(table, MODEL, model_name="smollm2-135m")
        self.assertEqual([(c.sae, c.unchanged) for c in done], [(NAMES[1], False)])
        self.assert_same(self.reference, "saes.layer = 29")
        # With itself, from the copy; where it is from is said as it was given.
        to = self.directory / "afar.json"
        self.assertEqual(saedb_spark.match(self.spark, self.out, "layer_29", "layer_29", to=to).matched, 1536)
        self.assertEqual([json.loads(to.read_text())[which]["source"] for which in "ab"], [url, url])

    def test_poisoned(self):
        good, cut, wrong = (self.directory / name for name in ("good", "cut", "wrong"))
        for path in (good, cut, wrong):
            shutil.copytree(SAES[1], path)
        whole = (cut / "sae_weights.safetensors").read_bytes()
        (cut / "sae_weights.safetensors").write_bytes(whole[: len(whole) // 2])
        # A file that cannot be read is found before anything is computed.
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "cut.*sae_weights.safetensors"):
            self.compute([good, cut], model_name="smollm2-135m")
        self.assertFalse(self.out.exists())
        # A weight that is no number is found when it is read; the other SAE is whole.
        poison(wrong / "sae_weights.safetensors", row=1000)
        with self.assertRaisesRegex(saedb_spark.SparkJobError, "wrong: .*/wrong: features 0 to 1535: .*1000"):
            self.compute([good, wrong], model_name="smollm2-135m")
        self.assertEqual(opened(self.out).execute("SELECT sae, count(*) FROM features GROUP BY sae").fetchall(), [("good", 1536)])
        self.assertEqual(len(list((self.out / "saes").glob("*.parquet"))), 1)
        self.assertFalse((self.out / "_saedb").exists())

    def test_worker_killed_costs_its_tasks(self):
        shape = self.directory / "shape"
        subprocess.run(
            ["go", "run", "./bench/shape", "-out", shape, "-d-model", str(D_MODEL), "-vocab", str(D_VOCAB), "-features", str(D_SAE)], check=True, cwd=ROOT
        )
        sets = self.directory / "sets.json"
        random = np.random.default_rng(0)
        sets.write_text(json.dumps({f"set {i}": sorted(map(int, random.choice(D_VOCAB, 50 * i, replace=False))) for i in range(1, 9)}))
        reference, sae = self.directory / "shape.saedb", shape / "blocks.8.hook_resid_pre"
        program("--db", reference, "load", "model", shape / "model", "--name", "shape")
        program("--db", reference, "load", "sae", sae)
        program("--db", reference, "load", "sets", sets)
        program("--db", reference, "compute")

        before = len(self.passes())
        killed = []

        def kill():
            until = time.monotonic() + 300
            while time.monotonic() < until:
                new = [s for s in self.passes() if s["status"] == "ACTIVE"]
                if len(self.passes()) > before and new and new[0]["numCompleteTasks"] >= 2:
                    killed.append((new[0]["numCompleteTasks"], self.cluster.kill(self.cluster.workers[0])))
                    return
                time.sleep(0.05)

        thread = threading.Thread(target=kill)
        thread.start()
        done, _ = self.compute(sae, shape / "model", [str(sets)], model_name="shape", partition_bytes=2048 * 3200)
        thread.join()
        self.assertEqual([(c.features, c.token_sets) for c in done], [(D_SAE, 8)])
        self.assertEqual(len(killed), 1)
        self.assertGreaterEqual(killed[0][1], 3, "a worker, an executor and a Python process")
        self.assert_same(reference)
        (stage,) = [s for s in self.passes() if "shape" in s["description"] or "blocks.8" in s["description"]]
        self.assertEqual((stage["status"], stage["numTasks"], stage["numCompleteTasks"]), ("COMPLETE", 16, 16))
        self.assertLess(killed[0][0], 16, "the worker was killed in the middle")
        # What it had under way, one task on its core, and nothing that it had finished.
        self.assertLessEqual(stage["numFailedTasks"] + stage["numKilledTasks"], 1)


def exported_database(directory, reference):
    """A database of the results of another, without weights."""
    program("--db", reference, "export", "--to", directory / "without-weights", "--format", "duckdb")
    return directory / "without-weights/results.duckdb"


def write_safetensors(path, tensors):
    """Writes matrices of float32."""
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(values.tobytes() for values in tensors.values()))


def poison(path, row, value=b"\xff\x7f"):
    """Writes a number, NaN unless another BF16 is given, into a row of the decoder of a safetensors file."""
    data = bytearray(path.read_bytes())
    (size,) = struct.unpack_from("<Q", data)
    tensor = json.loads(data[8 : 8 + size])["W_dec"]
    begin, end = tensor["data_offsets"]
    width = (end - begin) // tensor["shape"][0]
    at = 8 + size + begin + row * width
    data[at : at + 2] = value
    path.write_bytes(data)


if __name__ == "__main__":
    unittest.main()
