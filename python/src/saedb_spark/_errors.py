"""The error that reaches a person."""

from __future__ import annotations

import re


class SparkJobError(Exception):
    """A computation that did not finish: says which SAE or file, and what is wrong with it."""


#: What a worker's error begins and ends with, so that the driver finds it in Spark's.
_MARKED = re.compile(r"\[saedb: (.*?) :saedb\]", re.DOTALL)


def marked(message: str) -> RuntimeError:
    """An error of a worker, whose message the driver can find."""
    return RuntimeError(f"[saedb: {message} :saedb]")


def message_of(error: Exception) -> str:
    """What an error of the extension says, without DuckDB's name for its kind."""
    return str(error).removeprefix("Invalid Input Error: ")


def plain(error: BaseException) -> str:
    """What a person should know of an error: a worker's own message, or what the JVM said, without its trace."""
    text = str(error)
    found = _MARKED.findall(text)
    if found:
        return str(found[-1])
    thrown = getattr(error, "java_exception", None)
    return (text if thrown is None else str(thrown.toString())).strip()[:2000]
