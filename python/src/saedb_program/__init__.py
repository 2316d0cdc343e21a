"""Starts the program ``saedb`` that the wheel carries: its command line is the program's own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path


def program_path() -> Path:
    """The program, for those who start it themselves.

    Raises FileNotFoundError where this installation has none, as one of ``make wheel``, or a
    wheel for a system that the program is not built for.
    """
    path = Path(__file__).parent / "bin" / ("saedb.exe" if sys.platform == "win32" else "saedb")
    if not path.exists():
        raise FileNotFoundError(
            f"saedb: this installation of the Python package has the extension alone, and not the program {path}: "
            "make build in a clone of saedb builds it; import saedb works without it"
        )
    return path


def main() -> None:
    """Becomes the program, with this process's arguments."""
    try:
        program = str(program_path())
    except FileNotFoundError as missing:
        sys.exit(str(missing))
    environment = dict(os.environ)
    example = importlib.util.find_spec("saedb_example")
    if example is not None and example.submodule_search_locations:
        environment.setdefault("SAEDB_EXAMPLE", str(Path(example.submodule_search_locations[0]) / "smollm2-135m"))
    arguments = ["saedb", *sys.argv[1:]]
    if sys.platform != "win32":
        os.execve(program, arguments, environment)
    # Windows has no exec that the shell waits for. Ctrl-C reaches the program as well.
    started = subprocess.Popen(arguments, executable=program, env=environment)
    while True:
        try:
            sys.exit(started.wait())
        except KeyboardInterrupt:
            continue
