"""What the package does as the program does: arguments, figures, exports, and errors in Python's words."""

import contextlib
import inspect
import io
import os
import pydoc
import re
import tempfile
import unittest
from pathlib import Path

import duckdb
import numpy as np

import saedb
from saedb import _errors, _progress

D_MODEL, D_VOCAB, D_SAE = 16, 60, 40

#: Procedures by the functions that call them, where these have another name; others are called saedb_ and the function's name.
PROCEDURES = {
    "load_sae": ("saedb_load_sae", "saedb_load_release"),
    "import_results": ("saedb_import",),
}
#: Arguments that have another name in Python, and those that a procedure has and Python gives in another way.
RENAMED = {"family": "families", "format": "formats", "query": "sql"}
#: Procedures that are no function of Python's.
OTHERS = {
    "saedb_add_model", "saedb_add_sae", "saedb_wanted_tensors",  # take a description
    "saedb_plot", "saedb_draw", "saedb_releases_query",  # below saedb.plot, Figure and releases
    "saedb_baseline", "saedb_lens_layer", "saedb_about", "saedb_threads", "saedb_find_saes", "saedb_describe_sae", "saedb_enrichment_query", "saedb_view_macros",
    "saedb_feature_p_values_query", "saedb_pair_queries", "saedb_check_link", "saedb_neurons", "saedb_sae_macros",
}  # fmt: skip


def parameters(function):
    """The names of a function's parameters after the connection, and those that are given by position alone."""
    return [name for name in inspect.signature(function).parameters if name != "con"]


def database():
    con = saedb.connect()
    random = np.random.default_rng(0)
    saedb.add_model(con, random.normal(size=(D_MODEL, D_VOCAB)).astype("f4"), name="m", tokens=[f"word{i}" for i in range(D_VOCAB)])
    saedb.add_sae(con, random.normal(size=(D_SAE, D_MODEL)).astype("f4"), hook="blocks.3.hook_resid_pre")
    saedb.load_sets(con, name="low", sql="SELECT token_id FROM tokens WHERE token_id < 9")
    saedb.load_sets(con, name="high", sql="SELECT token_id FROM tokens WHERE token_id > 50")
    saedb.compute(con, baseline=200)
    return con


class Signatures(unittest.TestCase):
    """Names and arguments are those of the procedures, in Go, which are listed by themselves."""

    def setUp(self):
        self.con = saedb.connect()
        self.addCleanup(self.con.close)
        self.takes = {}
        for procedure, parameter, kind, _, _ in self.con.execute("FROM saedb_procedures()").fetchall():
            self.takes.setdefault(procedure, {})[parameter] = kind

    def test_procedures(self):
        functions = {name: getattr(saedb, name) for name in saedb.__all__ if inspect.isfunction(getattr(saedb, name))}
        called = set()
        for name, function in functions.items():
            procedures = PROCEDURES.get(name, (f"saedb_{name}",))
            if not all(procedure in self.takes and procedure not in OTHERS for procedure in procedures):
                continue
            called |= set(procedures)
            with self.subTest(name):
                taken = {RENAMED.get(parameter, parameter) for procedure in procedures for parameter in self.takes[procedure] if parameter}
                own = set(parameters(function))
                self.assertEqual(own - {"open"}, taken)  # the browser is opened in Python
        self.assertEqual(set(self.takes) - called, OTHERS & set(self.takes))
        self.assertGreaterEqual(len(called), 13)

    def test_figures(self):
        """Each kind of figure is a function with the options that it takes."""
        options = {"set", "sae", "layer", "lens", "sql", "score", "unsigned", "label_threshold", "top_n", "top_k", "bins", "statistic", "feature"}
        self.assertEqual(options | {"figure", "database"}, set(self.takes["saedb_plot"]))
        names = {"sets": "set", "token_set": "set", "set_a": "set", "set_b": "set"}
        with database() as con:
            drawn = set()
            for name in saedb.plot.__all__:
                function = getattr(saedb.plot, name)
                if not inspect.isfunction(function) or name == "show_as":
                    continue
                drawn.add(name)
                own = {names.get(parameter, parameter) for parameter in parameters(function)} - {"database"}
                for option in options:
                    given = {"integer": 1, "number": 0.5, "flag": True, "lines": ["low"]}.get(self.takes["saedb_plot"][option], "low")
                    refused = False
                    try:
                        saedb.plot.call(con, "saedb_plot", {"figure": name.replace("_", "-"), option: given})
                    except saedb.Error as error:
                        refused = "this figure does not take it" in str(error)
                    self.assertEqual(refused, option not in own, f"{name}, {option}")
            with self.assertRaises(saedb.Error) as raised:
                saedb.plot.figure(con, "nothing", {}, None)
            self.assertEqual(drawn, {kind.replace("-", "_") for kind in raised.exception.expected.removeprefix("one of ").split(", ")})

    def test_help(self):
        text = pydoc.plain(pydoc.render_doc(saedb))
        self.assertLess(text.index("saedb.load_model("), 700)
        for name in saedb.__all__:
            self.assertTrue(inspect.getdoc(getattr(saedb, name)), name)
        for name in saedb.plot.__all__:
            self.assertTrue(inspect.getdoc(getattr(saedb.plot, name)), name)


class Words(unittest.TestCase):
    def test_translated(self):
        for given, said in (
            ("run saedb load sets, then saedb compute", "run saedb.load_sets(con), then saedb.compute(con)"),
            ("saedb plot feature 63, or saedb plot feature --set NAME", "saedb.plot.feature(con, 63), or saedb.plot.feature(con, sets=NAME)"),
            ("saedb load sae org/name/path", "saedb.load_sae(con, 'org/name/path')"),
            ("saedb load directions a/b.npz --tensor W_dec --model m", "saedb.load_directions(con, 'a/b.npz', tensor='W_dec', model='m')"),
            ("choose one with --sae", "choose one with sae="),
            ("give --norm-kind layer or --norm-kind rms", "give norm_kind='layer' or norm_kind='rms'"),
            ("replace that one with --replace", "replace that one with replace=True"),
        ):
            with self.subTest(given):
                self.assertEqual(_errors.worded(given), said)

    def test_sources(self):
        """Every flag and command that the Go sources' errors name has a function or argument here."""
        names = {name for module in (saedb, saedb.plot) for name in dir(module)}
        arguments = {parameter for name in names for of in (saedb, saedb.plot) if inspect.isfunction(getattr(of, name, None)) for parameter in inspect.signature(getattr(of, name)).parameters}
        found = 0
        sources = Path(os.environ["SAEDB_SOURCES"])
        for source in sorted(sources.glob("**/*.go")):
            first, second, *_ = source.relative_to(sources).parts + ("",)
            if source.name.endswith("_test.go") or first not in ("internal", "loader", "sql", "extension") or second in ("footer", "notes", "output", "shell", "web"):
                continue
            for line in source.read_text().splitlines():
                if line.lstrip().startswith("//"):
                    continue
                for text in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                    if not re.search(r"(^|[ (])--[a-z]|saedb [a-z]+ ?[a-z]", text) or "llama-gguf-split" in text or "go build" in text:
                        continue
                    said = _errors.worded(text.replace("%s", "NAME"))
                    found += 1
                    with self.subTest(f"{source.name}: {text}"):
                        self.assertNotRegex(said, r"(^|[ (])--[a-z]")
                        for name in re.findall(r"saedb\.(?:plot\.)?(\w+)\(", said):
                            self.assertIn(name, names)
                        for name in re.findall(r"\b([a-z_]+)=(?!=)", re.sub(r"'[^']*'", "", said)):
                            self.assertIn(name, arguments)
        self.assertGreater(found, 40)


class Errors(unittest.TestCase):
    def setUp(self):
        self.con = saedb.connect()
        self.addCleanup(self.con.close)

    def test_kinds(self):
        with self.assertRaises(FileNotFoundError) as missing:
            saedb.load_model(self.con, "./nowhere.gguf")
        self.assertIsInstance(missing.exception, saedb.NotFoundError)
        self.assertIsInstance(missing.exception, duckdb.Error)
        with self.assertRaises(ValueError) as wrong:
            saedb.plot.skewness(self.con, bins=-1)
        self.assertEqual(str(wrong.exception), "plot: bins: expected a number from 0 on, found '-1'")
        self.assertEqual((wrong.exception.operation, wrong.exception.subject), ("plot", "bins"))
        with self.assertRaisesRegex(saedb.Error, r"^plot: nothing is loaded into this database \(load a model, with saedb\.load_model\(con\)"):
            saedb.plot.skewness(self.con)
        with self.assertRaisesRegex(saedb.Error, "no such release"):
            saedb.load_sae(self.con, release="gpt2-small-res-j")
        with self.assertRaisesRegex(TypeError, "go with release alone"):
            saedb.load_sae(self.con, "x", layer=1)
        for wrong in (lambda: saedb.plot.show_as("gif"), lambda: saedb.report(self.con, "x.htm")):
            self.assertRaises(saedb.ArgumentError, wrong)

    def test_no_network(self):
        self.con.execute("SET enable_external_access = false")
        with self.assertRaisesRegex(saedb.Error, "enable_external_access = false"):
            saedb.load_model(self.con, "openai-community/gpt2")

    def test_hub(self):
        """The environment is as it is now, and not as it was when the extension was loaded."""
        os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=tempfile.mkdtemp())
        self.addCleanup(lambda: (os.environ.pop("HF_HUB_OFFLINE"), os.environ.pop("HF_HOME")))
        with self.assertRaises(saedb.HubError):
            saedb.load_model(self.con, "openai-community/gpt2")


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.con = database()
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = Path(cls.directory.name)

    @classmethod
    def tearDownClass(cls):
        cls.con.close()
        cls.directory.cleanup()

    def test_figure(self):
        figure = saedb.plot.manhattan(self.con, sets=["low", "high"], score="effect")
        for ending, begins in (("html", b"<!doctype html>"), ("png", b"\x89PNG"), ("svg", b"<?xml")):
            path = figure.save(self.path / f"figure.{ending}")
            self.assertTrue(path.read_bytes().startswith(begins), ending)
        rows = figure.rows()
        effects = dict(self.con.execute("SELECT feature, effect FROM enrichment WHERE token_set = 'low'").fetchall())
        drawn = {row["x"]: row["y"] for row in rows if row["mark"] == "point" and row["panel"].startswith("low")}
        self.assertEqual(len(drawn), D_SAE)
        for feature, y in drawn.items():
            self.assertAlmostEqual(y, effects[int(feature)], places=6)
        self.assertIn("FROM", figure.query)
        with self.assertRaisesRegex(saedb.ArgumentError, r"expected a name that ends in \.html, \.png or \.svg"):
            figure.save("figure.gif")

    def test_shows_itself(self):
        figure = saedb.plot.skewness(self.con)
        self.addCleanup(saedb.plot.show_as, "html")
        page = figure._repr_html_()
        self.assertTrue(page.startswith('<iframe sandbox="allow-scripts'))
        self.assertEqual(figure._mime_(), ("text/html", page))
        self.assertIsNone(figure._repr_png_())
        saedb.plot.show_as("png")
        self.assertIsNone(figure._repr_html_())
        self.assertTrue(figure._repr_png_().startswith(b"\x89PNG"))
        self.assertEqual(figure._mime_()[0], "image/png")
        saedb.plot.show_as("svg")
        self.assertIn('<svg style="max-width: 100%; height: auto" width=', figure._repr_svg_())
        self.assertIn(" viewBox=", figure._repr_svg_())
        self.assertEqual(figure._mime_(), ("image/svg+xml", figure._repr_svg_()))

    def test_every_figure(self):
        (sae,) = self.con.execute("SELECT sae FROM saes").fetchone()
        for figure in (
            *(getattr(saedb.plot, name)(self.con) for name in ("skewness", "kurtosis", "skew_kurtosis", "layers", "layer_box", "layer_scatter")),
            saedb.plot.sets(self.con, "low", "high"),
            saedb.plot.feature(self.con, 3, token_set="low"),
            saedb.plot.feature(self.con, token_set="low", top_k=2),
            saedb.plot.running_sum(self.con, 3, "low", sae=sae),
            saedb.plot.skewness(self.con, sql="SELECT 1.5 AS skewness UNION ALL SELECT 2.5", bins=4),
        ):
            with self.subTest(figure.kind):
                self.assertIn(b"</svg>", figure.draw("svg"))
                self.assertGreater(len(figure.rows()), 0)
                self.assertIsNotNone(self.con.execute(figure.query).fetchone())

    def test_export(self):
        exported = saedb.export(self.con, self.path / "out")
        self.assertEqual((exported.features, exported.saes), (D_SAE, 1))
        with self.assertRaisesRegex(saedb.Error, "replace=True writes it anew"):
            saedb.export(self.con, self.path / "out")
        with saedb.connect() as other:
            (one,) = saedb.import_results(other, self.path / "out")
            self.assertEqual(one.features, D_SAE)
            self.assertEqual(other.execute("SELECT count(skewness) FROM features").fetchone(), (D_SAE,))
        with duckdb.connect(self.path / "out/results.duckdb", read_only=True) as results:
            self.assertEqual(results.execute("SELECT count(*) FROM features").fetchone(), (D_SAE,))
            lists = results.execute("SELECT top_tokens FROM features ORDER BY feature").fetchall()
        csv = f"read_csv('{self.path / 'out/features.csv'}', all_varchar = true)"
        read = self.con.execute(f"SELECT CAST(top_tokens AS JSON)::VARCHAR[] FROM {csv} ORDER BY feature::INTEGER").fetchall()
        self.assertEqual(read, lists)

    def test_check_report_neuronpedia(self):
        self.assertTrue(saedb.check(self.con))
        page = saedb.report(self.con, self.path / "report.html").read_text()
        self.assertIn("<!doctype html>", page)
        with database() as con:
            figure = saedb.plot.skewness(con)
            before = figure.rows()
            con.execute("UPDATE stored_statistics SET std = 2 * std WHERE feature = 5")
            checked = saedb.check(con, all=True)
            self.assertFalse(checked)
            self.assertRegex("\n".join(checked.findings), "feature 5")
            saedb.unload(con, "sae", "*")
            saedb.add_sae(con, np.eye(D_MODEL, dtype="f4"), name="s", config={"neuronpedia_id": "gpt2-small/3-res-jb"})
            addresses = saedb.neuronpedia(con, "s:1,3-4", name="mine")
            self.assertEqual(len(addresses), 1)
            self.assertIn("?name=mine&features=", addresses[0])
            self.assertEqual(saedb.neuronpedia(con, sql="SELECT 's' AS sae, unnest([1, 3, 4]) AS feature", name="mine"), addresses)
        # A figure outlives what it was made of, and its connection.
        self.assertEqual(figure.rows(), before)
        self.assertIn(b"</svg>", figure.draw("svg"))

    def test_read_only(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "a.db")
            with saedb.connect(path) as con:
                saedb.import_results(con, saedb.export(self.con, Path(directory, "out"), formats=["parquet"]).directory)
            with saedb.connect(path, read_only=True) as con:
                self.assertEqual(len(saedb.plot.skew_kurtosis(con).rows()) >= D_SAE, True)
                with self.assertRaisesRegex(saedb.Error, "formats='parquet,csv'"):
                    saedb.export(con, Path(directory, "again"))
                self.assertEqual(saedb.export(con, Path(directory, "again"), formats=["parquet", "csv"]).features, D_SAE)

    def test_releases(self):
        self.assertEqual(len(saedb.releases("gpt2-small-res-jb").fetchall()), 13)
        self.assertGreater(len(saedb.releases("gemma-scope", con=self.con).fetchall()), 5)
        with self.assertRaisesRegex(saedb.Error, r"saedb\.releases\(\) lists all"):
            saedb.releases("no such thing")


class Progress(unittest.TestCase):
    def test_lines(self):
        for at, line in (
            ({"what": "s", "done": 5, "total": 40, "unit": "features"}, "s: 5 of 40 features, 12 %"),
            ({"what": "s", "done": 0, "total": 4000, "unit": "rows"}, "s: 4,000 rows …"),
            ({"what": "w", "done": 500_000, "total": 2_000_000, "unit": "bytes"}, "w: 0.5 of 2.0 MB"),
            ({"what": "baseline of m", "done": 0, "total": 0, "unit": "random directions"}, "baseline of m …"),
        ):
            self.assertEqual(_progress.described(at), line)

    def test_silent_when_piped(self):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            bar = _progress.Bar()
            bar.begun -= 10
            bar.show({"what": "s", "done": 5, "total": 40, "unit": "features"})
            bar.end()
            self.assertEqual(said.getvalue(), "")
            saedb.show_progress(True)
            self.addCleanup(saedb.show_progress)
            bar = _progress.Bar()
            bar.begun -= 10
            bar.show({"what": "s", "done": 5, "total": 40, "unit": "features"})
            self.assertIn("s: 5 of 40 features, 12 %", said.getvalue())


if __name__ == "__main__":
    unittest.main()
