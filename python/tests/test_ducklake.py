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
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable

import saedb_spark

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/smollm2-135m"
MODEL = EXAMPLE / "SmolLM2-135M-Instruct.unembedding.gguf"


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

    def lake(self):
        con = duckdb.connect()
        self.addCleanup(con.close)
        for package in (duckdb_extension_ducklake, duckdb_extension_postgres_scanner):
            (extension,) = glob.glob(os.path.dirname(package.__file__) + "/extensions/*/*.duckdb_extension")
            con.execute(f"LOAD '{extension}'")
        con.execute(f"ATTACH 'ducklake:postgres:{self.postgres.connection}' AS lake (DATA_PATH '{self.directory}/lake')")
        return con

    def compute(self, layer, sets=None):
        sae = EXAMPLE / f"saes/blocks.{layer}.hook_resid_pre"
        saedb_spark.compute(self.spark, sae, MODEL, str(self.directory / "out"), sets, release="demo", model_name="smollm2-135m", progress=lambda _: None)

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


if __name__ == "__main__":
    unittest.main()
