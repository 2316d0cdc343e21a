"""Connections with the extension loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import duckdb
from duckdb import DuckDBPyConnection

from ._call import literal

PathLike = Union[str, "os.PathLike[str]"]


def extension_path() -> Path:
    """The loadable extension that this package carries, for other clients of DuckDB."""
    return Path(__file__).with_name("saedb.duckdb_extension")


def connect(
    database: PathLike = ":memory:", *, read_only: bool = False, config: Optional[Mapping[str, Any]] = None
) -> DuckDBPyConnection:
    """Opens a database, or one in memory, with every function of saedb in it.

    It is ``duckdb.connect``, with unsigned extensions allowed and the extension loaded. A new
    file is written for every DuckDB from 1.0 on, the saedb program's too, unless ``config`` has
    another ``storage_compatibility_version``: by default, DuckDB 2 writes files that only it reads.
    """
    options = {
        "storage_compatibility_version": "v1.0.0", **(config or {}), "allow_unsigned_extensions": "true",
    }  # fmt: skip
    con = duckdb.connect(os.fspath(database), read_only=read_only, config=options)
    try:
        load(con)
    except BaseException:
        con.close()
        raise
    return con


def load(con: DuckDBPyConnection) -> None:
    """Loads the extension into a database that is open already.

    It must have been opened with ``config={"allow_unsigned_extensions": "true"}``, which
    DuckDB does not let one change afterwards. Loading it again changes nothing.
    """
    con.execute(f"LOAD {literal(str(extension_path()))}")
