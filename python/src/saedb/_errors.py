"""What goes wrong, in the words of Python."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional

import duckdb


class Error(duckdb.Error):
    """What saedb could not do, as one line. It is one of DuckDB's errors, too.

    The parts of the line are attributes, each ``None`` where there is none.
    """

    operation: Optional[str] = None  #: what was being done: ``load_model``
    subject: Optional[str] = None  #: the file, tensor, name or argument that it failed on
    expected: Optional[str] = None  #: what should have been there
    found: Optional[str] = None  #: what was there
    hint: Optional[str] = None  #: what to do


class ArgumentError(Error, ValueError):
    """The value of an argument is none that the function takes."""


class NotFoundError(Error, FileNotFoundError):
    """A file or directory is not there."""


class HubError(Error):
    """The Hugging Face Hub does not have what was asked for, or cannot be reached."""


class InternalError(Error):
    """A mistake of saedb's, and not of whoever sees it."""


for _kind in (Error, ArgumentError, NotFoundError, HubError, InternalError):
    _kind.__module__ = "saedb"  # as tracebacks name them

KINDS: Mapping[str, type[Error]] = {"argument": ArgumentError, "missing": NotFoundError, "hub": HubError, "internal": InternalError}

#: Functions by the commands of the program that errors and hints name.
COMMANDS = {
    **{f"load {what}": f"saedb.load_{what}" for what in ("model", "sae", "sets", "directions", "explanations")},
    **{f"unload {kind}": "saedb.unload" for kind in ("sae", "model", "sets", "directions", "explanations")},
    **{command: f"saedb.{command}" for command in ("compute", "releases", "export", "report", "check", "neuronpedia", "unload")},
    "import": "saedb.import_results",
}  # fmt: skip

#: What stands for commands that only list something.
LISTS = {"sets": "FROM token_sets", "info": "FROM models; FROM saes"}

#: Arguments that have another name than the program's flag, and those that are true or false.
RENAMED = {"family": "families", "set": "sets", "format": "formats", "to": "directory", "query": "sql"}
FLAGS = {"replace", "copy", "encoder", "in-place", "cascade", "transposed", "neurons", "heads", "all", "unsigned", "open"}

#: Where words after a command or a flag end that are a part of it.
VALUE = r"(?:'[^']*'|[\w.-]*[/_0-9][\w./#@-]*|[A-Z][A-Z/]*(?![a-z:])|(?:layer|rms|parquet,csv|all|isotropic|sae|single|es|q|p)(?=$|[\s,;)])|[a-z]\w*(?=$|;| --))"
FLAG = rf"--([a-z][a-z-]*)(?: ({VALUE}))?"


def failed(said: Mapping[str, Any], renamed: Mapping[str, str] = {}) -> Error:
    """The error that the extension describes."""
    parts = {key: None if said.get(key) is None else worded(said[key], renamed) for key in ("subject", "problem", "expected", "found", "cause", "hint")}
    operation = str(said.get("operation") or "").removeprefix("saedb_")
    operation = re.sub("[ -]", "_", operation.replace("plot ", "plot.", 1))
    if parts["subject"] is not None:
        parts["subject"] = re.sub(r"^(\w+)=$", r"\1", parts["subject"])
    expected, found = parts["expected"], parts["found"]
    both = ", ".join(part for part in (expected and f"expected {expected}", found and f"found {found}") if part)
    line = ": ".join(part for part in (operation, parts["subject"], parts["problem"], both, parts["cause"]) if part)
    line = " ".join((line + (f" ({parts['hint']})" if parts["hint"] else "")).split())
    error = KINDS.get(str(said.get("kind")), Error)(line)
    error.operation, error.subject, error.expected, error.found, error.hint = operation or None, parts["subject"], expected, found, parts["hint"]
    return error


def worded(text: str, renamed: Mapping[str, str] = {}) -> str:
    """A text that names commands and flags of the program, with functions and arguments instead."""
    names = {**RENAMED, **renamed}

    def argument(found: "re.Match[str]") -> str:
        flag, value = found[1], found[2]
        name = names.get(flag, flag.replace("-", "_"))
        if flag in FLAGS:
            return f"{name}=True" + (f" {value}" if value else "")
        return f"{name}={quoted(value)}" if value else f"{name}="

    def call(found: "re.Match[str]") -> str:
        command = found["command"]
        if command in LISTS:
            return f'con.sql("{LISTS[command]}")'
        function = COMMANDS.get(command) or "saedb.plot." + command.removeprefix("plot ").replace("-", "_")
        given = re.findall(rf"{FLAG}|({VALUE})", found["given"] or "")
        values = [argument(re.fullmatch(FLAG, f"--{flag} {value}".strip())) if flag else quoted(alone) for flag, value, alone in given]  # type: ignore[arg-type]
        if function == "saedb.unload":
            values = [repr(command.split()[1]), *values] if " " in command else values
        return f"{function}({', '.join((['con'] if function != 'saedb.releases' else []) + values)})"

    commands = "|".join(sorted([*COMMANDS, *LISTS, "plot [a-z-]+"], key=len, reverse=True))
    text = re.sub(rf"saedb --db \S+ upgrade", "saedb.connect of the file for writing", text)
    text = re.sub(rf"saedb (?P<command>{commands})(?![a-z-])(?P<given>(?: (?:{FLAG}|{VALUE}))*)".replace("([a-z][a-z-]*)", "[a-z][a-z-]*"), call, text)
    return re.sub(FLAG, argument, text).replace("PATH", "path")


def quoted(value: str) -> str:
    """A value as Python writes it: placeholders and numbers are not quoted."""
    return value if re.fullmatch(r"[A-Z/]+|\d+|'.*'", value) else repr(value)
