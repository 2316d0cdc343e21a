"""The licences of what a program carries, in one text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import ziglang

FILES = re.compile(r"(licen[cs]e|copying|notice|patents|ofl|ftl)", re.IGNORECASE)

# Linked in by the compiler, and under terms that ask for no text beside the program.
RUNTIME = """\
Parts of the C and C++ libraries of the compiler are linked in: compiler-rt and libunwind of LLVM
(Apache-2.0 WITH LLVM-exception), zig's own (MIT), and on Linux and Windows libstdc++ of GCC
(GPL-3.0-or-later WITH GCC-exception-3.1).
"""


def text(root: Path, environment: dict[str, str], windows: bool) -> str:
    """The licences of every Go module that is linked, of Go, of the libraries of pages, of what the compiler links in, and of DuckDB's parts."""
    listed = subprocess.run(
        ["go", "list", "-deps", "-json=Dir,Module", "./cmd/saedb"], cwd=root, env=environment, check=True, capture_output=True, text=True
    ).stdout
    decoder, modules, at = json.JSONDecoder(), {}, 0
    while at < len(listed.rstrip()):
        package, end = decoder.raw_decode(listed, at)
        at = end + 1
        module = package.get("Module")
        if module and not module.get("Main"):
            name = f"{module['Path']} {module['Version']}"
            modules.setdefault(name, set()).update((Path(module["Dir"]), Path(module["Dir"]) / "licenses", Path(package["Dir"])))
    sections = []
    for name, directories in sorted(modules.items()):
        files = sorted(f for d in directories if d.is_dir() for f in d.iterdir() if f.is_file() and FILES.match(f.name) and f.suffix != ".go")
        if not files:
            sys.exit(f"wheels: no licence is found of {name}, in {', '.join(map(str, sorted(directories)))}")
        sections += [(f"{name}: {f.name}", f) for f in files]
    goroot = subprocess.run(["go", "env", "GOROOT"], cwd=root, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    sections.append(("Go", Path(goroot) / "LICENSE"))
    sections.append(("Apache ECharts", root / "internal/figures/assets/echarts/LICENSES.txt"))
    sections.append(("umap-js", root / "internal/web/assets/umap/LICENSES.txt"))
    sections.append(("SAELens, whose list of releases is carried", root / "loader/hub/catalogue/LICENSE.SAELens"))
    sections.append(("NLTK's part-of-speech tagger, whose weights are carried", root / "loader/tokenset/perceptron/LICENSE.prose"))
    if windows:
        sections.append(("mingw-w64", Path(ziglang.__file__).parent / "lib/libc/mingw/COPYING"))
    bundled = (root / "scripts/duckdb-licences.txt").read_text(encoding="utf-8")
    version = re.search(r"^.+, in DuckDB ([\d.]+): ", bundled, re.MULTILINE)[1]
    # The bindings' v0.10506.0 is DuckDB 1.5.6.
    linked = next(re.match(r"v0\.(\d+)(\d\d)(\d\d)\.", name.split()[1]).groups() for name in modules if name.startswith("github.com/duckdb/duckdb-go-bindings "))
    if version != ".".join(str(int(n)) for n in linked):
        sys.exit(f"wheels: scripts/duckdb-licences.txt is of DuckDB {version}, and {'.'.join(linked)} is linked: scripts/duckdb-licences.py writes it")
    parts = [RUNTIME]
    for title, file in sections:
        parts.append(f"{'=' * 80}\n{title}\n{'=' * 80}\n\n{file.read_text(encoding='utf-8', errors='replace').strip()}\n")
    return "\n".join([*parts, bundled])
