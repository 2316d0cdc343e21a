"""Calls of the extension's procedures, which work in the background."""

from __future__ import annotations

import json
import time
import warnings
from contextlib import suppress
from typing import Any, Callable, Mapping, Optional

import duckdb
from duckdb import DuckDBPyConnection

from ._errors import failed
from ._progress import Bar


class Note(UserWarning):
    """What a person should know, although nothing failed."""


def call(
    con: DuckDBPyConnection,
    procedure: str,
    arguments: Mapping[str, Any],
    *,
    renamed: Mapping[str, str] = {},
    done: Optional[Callable[[dict[str, Any]], None]] = None,
) -> list[dict[str, Any]]:
    """The rows of a procedure, by the names of its columns. Arguments that are None or False are left out.

    It works between queries, as DuckDB's thread that waits for one takes a core from the
    functions; Ctrl-C ends it. ``done`` is told of each row as it comes.
    """
    given = {key: value for key, value in arguments.items() if value is not None and value is not False}
    ((number,),) = query(con, f"FROM saedb_begin({literal(procedure)}, {literal(json.dumps(given))})")
    rows: list[dict[str, Any]] = []
    bar, pause = Bar(), 0.001
    try:
        while True:
            for kind, text in query(con, f"FROM saedb_next('{number}')"):
                value = json.loads(text)
                if kind == "row":
                    rows.append(value)
                    if done is not None:
                        done(value)
                elif kind == "note":
                    warnings.warn(value, Note, stacklevel=3)
                elif kind == "progress":
                    bar.show(value)
                elif kind == "error":
                    raise failed(value, renamed)
                else:
                    return rows
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
    except BaseException:  # Ctrl-C and interrupt() among them
        with suppress(duckdb.Error):  # it has ended
            query(con, f"FROM saedb_end('{number}')")
        raise
    finally:
        bar.end()


def query(con: DuckDBPyConnection, statement: str) -> list[Any]:
    """The rows of a statement. Arguments are written into it: to pass a parameter DuckDB imports NumPy,
    pandas and PyArrow where they are installed, which takes a third of a second and starts BLAS's threads."""
    return con.execute(statement).fetchall()


def target(con: DuckDBPyConnection, database: Optional[str]) -> str:
    """The database to work in: a procedure has a connection of its own, without this one's USE."""
    if database is not None:
        return database
    # All of it is fetched, since DuckDB 2 refuses other work beside an unfinished result.
    return str(query(con, "SELECT current_database()")[0][0])


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
