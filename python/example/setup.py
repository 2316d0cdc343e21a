"""Builds the wheel of the example. `make wheels` in the project's root puts its files there."""

import os
from pathlib import Path

from setuptools import setup

if not (Path(__file__).resolve().parent / "src/saedb_example/smollm2-135m").is_dir():
    raise SystemExit("the example's files are missing: make wheels builds this package")

setup(version=os.environ["SAEDB_VERSION"])
