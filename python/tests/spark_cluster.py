"""A standalone cluster of Spark's on this machine: a master and workers, as processes."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Mapping

import pyspark

ROOT = Path(__file__).parents[2]


class Cluster:
    """A master and some workers, of one core each unless more are asked for."""

    def __init__(self, workers: int, cores: int = 1, environment: Mapping[str, str] = os.environ):
        self.directory = Path(tempfile.mkdtemp(prefix="saedb-spark-test-"))
        self.environment = {
            **environment, "SPARK_HOME": os.path.dirname(pyspark.__file__), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1",
        }  # fmt: skip
        self.master = self.start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self.url = self.said("master", r"(spark://127\.0\.0\.1:\d+)")
        self.workers = [
            self.start(
                f"worker{i}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0",
                "--cores", str(cores), "--memory", "1g", "--work-dir", str(self.directory / f"work{i}"), self.url,
            )
            for i in range(workers)
        ]  # fmt: skip
        for i in range(workers):
            self.said(f"worker{i}", r"Successfully registered with master")

    def start(self, name: str, *command: str) -> subprocess.Popen:
        log = open(self.directory / f"{name}.log", "wb")
        with log:
            return subprocess.Popen(
                [f"{self.environment['SPARK_HOME']}/bin/spark-class", *command], env=self.environment,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def said(self, name: str, pattern: str) -> str:
        """Waits until a process has said something."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            found = re.search(pattern, (self.directory / f"{name}.log").read_text(errors="replace"))
            if found:
                return found[0]
            time.sleep(0.2)
        raise TimeoutError(f"{name}: " + (self.directory / f"{name}.log").read_text(errors="replace")[-2000:])

    def kill(self, process: subprocess.Popen) -> int:
        """SIGKILL to a worker and all that it started: its executors and their Python processes."""
        victims = [process.pid, *descendants(process.pid)]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
        return len(victims)

    def close(self) -> None:
        for process in [*self.workers, self.master]:
            self.kill(process)
        shutil.rmtree(self.directory, ignore_errors=True)


def descendants(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found, level = [], {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found += level
    return found
