"""saedb_spark as a lab has it: an environment that Spark sends to its executors, tasks of several cores, SAEs and
results in object storage."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from spark_cluster import ROOT, Cluster  # noqa: E402
from spark_results import SAES, assert_same, program, reference_of_example  # noqa: E402

import saedb_spark  # noqa: E402

SPARK, S3 = ROOT / "build/spark", ROOT / "build/spark/s3"


class ObjectStorage:
    """A server that speaks S3, with one bucket, ``lab``."""

    def __init__(self, directory):
        for name in ("objects", "metadata"):
            (directory / name).mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [S3 / "versitygw", "--access", "test", "--secret", "secret", "--port", f"127.0.0.1:{self.port}",
             "posix", "--sidecar", directory / "metadata", directory / "objects"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def files(self):
        import fsspec

        return fsspec.filesystem("s3", key="test", secret="secret", endpoint_url=self.environment["AWS_ENDPOINT_URL"], skip_instance_cache=True, use_listings_cache=False)

    def close(self):
        self.process.kill()
        self.process.wait()


@unittest.skipUnless((S3 / ".complete").exists(), "no client of S3 for Spark in build/spark/s3 (make spark, with Maven)")
class Deployed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="saedb-spark-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.storage = ObjectStorage(cls.directory)
        cls.addClassCleanup(cls.storage.close)
        # An environment that is nowhere but in the archive.
        python = SPARK / "sent/bin/python"
        (wheel,) = (ROOT / "build/wheel").glob("*.whl")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--force-reinstall", wheel], check=True)
        subprocess.run([SPARK / "sent/bin/venv-pack", "-q", "-p", SPARK / "sent", "-o", cls.directory / "environment.tar.gz", "--compress-level", "1"], check=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        cls.cluster = Cluster(workers=1, cores=2, environment={**environment, **cls.storage.environment})
        cls.addClassCleanup(cls.cluster.close)
        cls.reference = reference_of_example(cls.directory)

    def submitted(self, *arguments):
        """The command of docs/scale.md."""
        jars = ":".join(map(str, S3.glob("*.jar")))
        environment = {**self.cluster.environment, "PYSPARK_PYTHON": "./environment/bin/python", "PYSPARK_DRIVER_PYTHON": str(SPARK / "sent/bin/python")}
        settings = {
            "spark.executor.cores": "2", "spark.task.cpus": "2", "spark.executor.memory": "600m", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false",
            "spark.driver.extraClassPath": jars, "spark.executor.extraClassPath": jars,
            "spark.hadoop.fs.s3a.endpoint": self.storage.environment["AWS_ENDPOINT_URL"], "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }  # fmt: skip
        return subprocess.run(
            [os.path.join(environment["SPARK_HOME"], "bin/spark-submit"), "--master", self.cluster.url, "--archives", f"{self.directory}/environment.tar.gz#environment",
             *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
             os.path.join(os.path.dirname(saedb_spark.__file__), "__main__.py"), *map(str, arguments)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def test_equal_to_the_program(self):
        files = self.storage.files()
        files.mkdir("lab")
        for path in SAES:
            files.put(str(path), "lab/saes/", recursive=True)
        saes = [f"s3://lab/saes/{path.name}" for path in SAES]
        command = [*saes, "--model", self.reference, "--out", "s3a://lab/results", "--release", "smollm2-demo", "--sets"]
        done = self.submitted(*command)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("s3a://lab/results: 2 SAEs, 3072 features computed", done.stdout)
        results = self.directory / "results"
        files.get("lab/results", str(results), recursive=True)
        self.assertEqual(sorted(path.name for path in results.iterdir()), ["baseline_enrichment", "baseline_statistics", "enrichment", "features", "models", "saes", "token_sets", "tokens"])
        assert_same(self, results, self.reference)
        again = self.submitted(*command)
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertIn("2 of 2 SAEs were computed before", again.stdout)
        # An SAE's own baseline goes from the task that computes it to the others by way of the storage.
        like = self.directory / "like.saedb"
        shutil.copyfile(self.reference, like)
        program("--db", like, "compute", "--sae", "layer_29", "--baseline", 512, "--baseline-like", "sae")
        done = self.submitted(
            saes[1], "--model", self.reference, "--out", "s3a://lab/like", "--release", "smollm2-demo", "--sets", "--baseline", 512, "--baseline-like", "sae"
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        files.get("lab/like", str(self.directory / "results-like"), recursive=True)
        assert_same(self, self.directory / "results-like", like, "saes.layer = 29")


if __name__ == "__main__":
    unittest.main()
