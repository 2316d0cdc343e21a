"""Runs the hello world of description.yml with the extension that is given, in the top of a clone."""

import re
import sys
from pathlib import Path

import duckdb

description = (Path(__file__).parent / "description.yml").read_text(encoding="utf-8")
hello = re.search(r"^  hello_world: \|\n((?:    .*\n|\n)+)", description, re.MULTILINE)[1]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.load_extension(sys.argv[1])
for statement in connection.extract_statements(hello):
    rows = connection.execute(statement).fetchall()
found = [(feature, skewness, promotes[0]) for feature, skewness, promotes in rows]
# 1328 and 931 as README.md has them, which a test holds.
expected = [(1328, 4.21, ")"), (931, 3.9, '"'), (879, 1.29, "G")]
if found != expected:
    sys.exit(f"test_release: DuckDB {duckdb.__version__}: expected {expected}, found {found}")
print(f"test_release: the hello world holds in DuckDB {duckdb.__version__}: {found}")
