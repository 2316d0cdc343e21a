"""Results of saedb_spark in a DuckLake whose catalogue is in PostgreSQL."""

import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import duckdb
import duckdb_extension_ducklake
import duckdb_extension_postgres_scanner
import numpy as np
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable

sys.path.insert(0, str(Path(__file__).parent))
from spark_results import EXAMPLE, MODEL, program  # noqa: E402

import saedb_spark  # noqa: E402
from saedb_spark._output import Pair, escaped  # noqa: E402


class Postgres:
    """A PostgreSQL server of an ordinary user's, in a directory of its own, reached through a socket in it."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs:
            raise unittest.SkipTest("no PostgreSQL on this machine (apt install postgresql)")
        self.bin = Path(programs[-1])
        self.directory = Path(tempfile.mkdtemp(prefix="saedb-postgres-"))
        # The server refuses to run as root.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "--auth=trust", "--username=lake", "--no-sync", "-D", self.directory / "data")
        self.run("pg_ctl", "start", "--wait", "-D", self.directory / "data", "-l", self.directory / "log", "-o", f"-c listen_addresses= -k {self.directory}")
        self.run("createdb", "-h", self.directory, "-U", "lake", "lake")
        self.connection = f"dbname=lake user=lake host={self.directory}"

    def run(self, program, *arguments):
        subprocess.run(
            [self.bin / program, *arguments], check=True, stdout=subprocess.DEVNULL, user=self.user.pw_uid, group=self.user.pw_gid, cwd=self.directory
        )

    def close(self):
        self.run("pg_ctl", "stop", "--mode=immediate", "-D", self.directory / "data")
        shutil.rmtree(self.directory, ignore_errors=True)


class InADuckLake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.directory = Path(tempfile.mkdtemp(prefix="saedb-ducklake-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.spark = (
            SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").getOrCreate()
        )
        cls.spark.sparkContext.setLogLevel("ERROR")
        cls.addClassCleanup(cls.spark.stop)

    def lake(self, catalogue="lake"):
        con = duckdb.connect()
        self.addCleanup(con.close)
        for package in (duckdb_extension_ducklake, duckdb_extension_postgres_scanner):
            (extension,) = glob.glob(os.path.dirname(package.__file__) + "/extensions/*/*.duckdb_extension")
            con.execute(f"LOAD '{extension}'")
        con.execute(f"ATTACH 'ducklake:postgres:{self.postgres.connection}' AS lake (DATA_PATH '{self.directory}/{catalogue}', METADATA_SCHEMA '{catalogue}')")
        return con

    def compute(self, layer, sets=None, out="out", model=MODEL, sae=None, **options):
        sae = sae or EXAMPLE / f"saes/blocks.{layer}.hook_resid_pre"
        saedb_spark.compute(self.spark, sae, model, str(self.directory / out), sets, release="demo", model_name="smollm2-135m", progress=lambda _: None, **options)

    def assert_rows(self, con, table, out, least):
        """The rows of a table are those in the files."""
        files = f"read_parquet('{out}/{table}/*.parquet', union_by_name = true)"
        if glob.glob(f"{out}/{table}/*/*/*.parquet"):
            files = f"read_parquet('{out}/{table}/*/*/*.parquet', hive_partitioning = true, hive_types = {{release: VARCHAR, layer: INTEGER}})"
        names = ", ".join(f'"{name}"' for name, *_ in con.execute(f"DESCRIBE SELECT * FROM {files}").fetchall())
        for more, less in ((f"lake.{table}", files), (files, f"lake.{table}")):
            self.assertEqual(con.execute(f"SELECT count(*) FROM (SELECT {names} FROM {more} EXCEPT ALL SELECT {names} FROM {less})").fetchall(), [(0,)], table)
        self.assertGreaterEqual(con.execute(f"SELECT count(*) FROM lake.{table}").fetchall()[0][0], least, table)

    def test_many_people(self):
        out = str(self.directory / "out")
        self.compute(29, ["letters"])
        writer = self.lake()
        self.assertEqual(saedb_spark.into_ducklake(writer, "lake", out), [("demo", "demo/blocks.29.hook_resid_pre")])
        self.assertEqual(saedb_spark.into_ducklake(writer, "lake", out), [])

        # The same rows as in the files, in connections of other people's.
        reader = self.lake()
        for table in ("features", "enrichment"):
            files = f"read_parquet('{out}/{table}/*/*/*.parquet', hive_partitioning = true, hive_types = {{release: VARCHAR, layer: INTEGER}})"
            for more, less in ((f"lake.{table}", files), (files, f"lake.{table}")):
                self.assertEqual(reader.execute(f"SELECT count(*) FROM (SELECT * FROM {more} EXCEPT ALL SELECT * FROM {less})").fetchall(), [(0,)])
        self.assertEqual(
            reader.execute("SELECT top_tokens[1] FROM lake.features WHERE layer = 29 ORDER BY skewness DESC LIMIT 1").fetchall(), [(")",)]
        )  # fmt: skip

        # People who ask while more comes see one state or the other.
        self.compute(24)
        seen, stop = set(), threading.Event()

        def ask(con):
            while not stop.is_set():
                seen.add(con.execute("SELECT count(*), count(DISTINCT sae) FROM lake.features").fetchall()[0])

        people = [threading.Thread(target=ask, args=(self.lake(),)) for _ in range(3)]
        for person in people:
            person.start()
        self.assertEqual(saedb_spark.into_ducklake(writer, "lake", out), [("demo", "demo/blocks.24.hook_resid_pre")])
        stop.set()
        for person in people:
            person.join()
        self.assertLessEqual(seen, {(1536, 1), (3072, 2)})
        self.assertEqual(reader.execute("SELECT count(*), count(DISTINCT sae) FROM lake.features").fetchall(), [(3072, 2)])
        self.assertEqual(reader.execute("SELECT count(*) FROM lake.tokens").fetchall(), [(49152,)])

        # What is computed again takes the place of what was there.
        self.compute(24, ["letters"])
        self.assertEqual(saedb_spark.into_ducklake(writer, "lake", out), [("demo", "demo/blocks.24.hook_resid_pre")])
        self.assertEqual(reader.execute("SELECT count(*) FROM lake.features").fetchall(), [(3072,)])
        self.assertEqual(reader.execute("SELECT count(*), count(DISTINCT sae) FROM lake.enrichment").fetchall(), [(2 * 1536 * 26, 2)])

    def test_lenses_and_pairs(self):
        out, model, lens = str(self.directory / "more"), self.directory / "model.saedb", self.directory / "lens.npz"
        random = np.random.default_rng(7)
        np.savez(lens, layer_23=(np.eye(576) + 0.02 * random.normal(size=(576, 576))).astype("f4"))
        program("--db", model, "load", "model", MODEL, "--name", "smollm2-135m")
        program("--db", model, "load", "lens", lens, "--name", "walk")
        program("--db", model, "load", "sets", "--family", "letters")
        of_lens = ("saes_through", "features_through", "enrichment_through", "baseline_statistics_through", "baseline_enrichment_through", "lenses")
        both = [("demo", "demo/blocks.24.hook_resid_pre"), ("demo", "demo/blocks.29.hook_resid_pre")]
        con = self.lake("more")
        for layer in (24, 29):
            self.compute(layer, ["letters"], "more", model, baseline=256)
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both)
        self.compute(24, ["letters"], "more", model, baseline=256, baseline_like="sae", lens="walk")
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both[:1])
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), [])
        for table in of_lens:
            self.assert_rows(con, table, out, 1)
        self.assertEqual(con.execute("SELECT count(*), count(DISTINCT lens) FROM lake.features_through").fetchall(), [(1536, 1)])

        saedb_spark.compute_neighbours(self.spark, out, "layer_24", top=5, progress=lambda _: None)
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both[:1])
        saedb_spark.compute_neighbours(self.spark, out, "layer_24", "layer_29", top=7, progress=lambda _: None)
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both)
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), [])
        for table, least in (("pairs", 3), ("neighbours", 3 * 1536), ("saes", 2)):
            self.assert_rows(con, table, out, least)
        (_, before), (_, after) = both
        self.assertEqual(
            con.execute("SELECT DISTINCT sae, other_sae, len(neighbours) FROM lake.neighbours ORDER BY ALL").fetchall(),
            [(before, before, 5), (before, after, 7), (after, before, 7)],
        )

        # Links to neurons go by the name of their reader.
        neurons = Pair("outgoing", escaped(before), escaped("smollm2-135m#mlp_in.24"), "sha256", "sha256", 7)
        for table, rows in {
            "mlp_links": f"SELECT 'outgoing' AS kind, '{before}' AS sae, 'smollm2-135m' AS model, 24 AS layer, 'in' AS matrix, unnest(range(3)) AS number",
            "mlps": "SELECT unnest(['smollm2-135m', 'other']) AS model, 24 AS layer",
            "pairs": f"SELECT * REPLACE ('outgoing' AS kind, 'smollm2-135m#mlp_in.24' AS other_sae) FROM lake.pairs WHERE other_sae = '{after}'",
        }.items():
            os.makedirs(f"{out}/{table}", exist_ok=True)
            con.execute(f"COPY ({rows}) TO '{out}/{table}/{neurons.name}'")
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both[:1])
        self.assert_rows(con, "mlp_links", out, 3)
        self.assertEqual(con.execute("SELECT model FROM lake.mlps").fetchall(), [("smollm2-135m",)])

        # An SAE of other weights takes out what was there through a lens and of pairs with it.
        other = self.directory / "other" / "blocks.24.hook_resid_pre"
        shutil.copytree(EXAMPLE / "saes" / other.name, other)
        with open(other / "sae_weights.safetensors", "r+b") as file:
            file.seek(-2, os.SEEK_END)
            file.write(b"\x80\x3f")
        self.compute(24, ["letters"], "more", model, sae=other, baseline=256)
        self.assertEqual(saedb_spark.into_ducklake(con, "lake", out), both[:1])
        for table in (*of_lens[:-1], "pairs", "neighbours", "mlp_links"):
            self.assertEqual(con.execute(f"SELECT count(*) FROM lake.{table}").fetchall(), [(0,)], table)
        self.assertEqual(con.execute("SELECT count(*) FROM lake.features").fetchall(), [(2 * 1536,)])


if __name__ == "__main__":
    unittest.main()
