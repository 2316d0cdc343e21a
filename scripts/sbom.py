"""Joins what scripts/sbom.sh found out: see there."""

import datetime
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

out = Path(sys.argv[1])
root = Path(__file__).parent.parent

# What the tools cannot tell of a module's licence files, after reading them.
READ = {
    "codeberg.org/go-fonts/liberation": "BSD-3-Clause; the fonts OFL-1.1",
    "github.com/golang/freetype": "FTL OR GPL-2.0-or-later",
}


def go_modules(bom):
    for c in bom["components"]:
        found = c.get("evidence", {}).get("licenses") or c.get("licenses") or []
        names = [x["license"].get("id") or x["license"].get("name") for x in found]
        licence = READ.get(c["name"]) or " AND ".join(sorted(names))
        if not licence:
            sys.exit(f"no licence is found of {c['name']} {c['version']}: read its files, and add it to READ in scripts/sbom.py")
        yield c["name"], c["version"], licence


def crates():
    for line in sorted(set(re.sub(r" \(\*\)$", "", line) for line in (out / "crates.txt").read_text().splitlines() if line)):
        package, licence = line.split("|")
        name, version = re.match(r"(\S+) v(\S+)", package).groups()
        if name == "tokenizers" and "(" in package:  # the module's own crate
            licence = licence or "MIT"
        if not licence:
            sys.exit(f"no licence is found of crate {name} {version}")
        yield name, version, re.sub(r"\s*/\s*", " OR ", licence)


def packages():
    lock = json.loads((root / "scripts/chart-library/package-lock.json").read_text())
    found = {(path.rpartition("node_modules/")[2], package["version"], package.get("license")) for path, package in lock["packages"].items() if path}
    for name, version, licence in sorted(found):
        # Its package.json says MIT; its LICENSE and the head of each of its sources say otherwise.
        yield name, version, "Apache-2.0" if name == "umap-js" else licence


def table(rows):
    return "| | version | licence |\n|---|---|---|\n" + "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in rows)


bom = json.loads((out / "go.cdx.json").read_text())
alone = sys.argv[2:]  # of a program without the tokenizer library
modules, rust, charts = list(go_modules(bom)), [] if alone else list(crates()), list(packages())
duckdb = next(version for name, version, _ in modules if name == "github.com/duckdb/duckdb-go-bindings")
# The bindings' v0.10506.0 is DuckDB 1.5.6.
number = re.match(r"v0\.(\d+)(\d\d)(\d\d)\.", duckdb).groups()
number = ".".join(str(int(n)) for n in number)
texts = (root / "scripts/duckdb-licences.txt").read_text(encoding="utf-8")
parts = re.findall(rf"^(.+), in DuckDB {re.escape(number)}: (.+)$", texts, re.MULTILINE)
if not parts:
    sys.exit(f"scripts/duckdb-licences.txt is of another DuckDB than {number}: scripts/duckdb-licences.py writes it")
bundled = [("DuckDB", number, "MIT")] + [(name, f"in DuckDB {number}", licence) for name, licence in parts]

for rows, ecosystem in ((bundled, "generic"), (rust, "cargo"), (charts, "npm")):
    for name, version, licence in rows:
        purl = f"pkg:{ecosystem}/{quote(name, safe='/')}@{quote(version)}"
        bom["components"].append({
            "bom-ref": purl, "type": "library", "name": name, "version": version, "purl": purl, "licenses": [{"expression": licence}],
        })  # fmt: skip
if "SOURCE_DATE_EPOCH" in os.environ:
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    bom["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
Path(alone[0] if alone else out / "saedb.cdx.json").write_text(json.dumps(bom, indent=2) + "\n")
if alone:
    sys.exit()

lock = hashlib.sha256((root / "scripts/libtokenizers.Cargo.lock").read_bytes()).hexdigest()
(root / "docs/dependencies.md").write_text(f"""# What saedb is made of

What the program carries, with versions and licences. `make sbom` writes this page, and the same as a software bill of
materials in CycloneDX's format, `build/sbom/saedb.cdx.json`; a test holds it against the program and the lock files. saedb
itself is Apache-2.0.

## Go modules

Linked into the program. The extension has those of them that need neither DuckDB nor the tokenizer library. Liberation
Sans, which figures are drawn with, is in `go-fonts/liberation`. Libraries that only tests and tools use are in `go.mod` and
`tools/go.mod`, and in no program.

{table(modules)}
## DuckDB

In `duckdb-go-bindings`, as static libraries of its own, and what they carry of others. The texts are in
`scripts/duckdb-licences.txt`, which `scripts/duckdb-licences.py` takes from DuckDB's sources; the
generators of TPC-H and TPC-DS are under the licence of the TPC, and saedb calls neither.

{table(bundled)}
## Crates of the tokenizer library

Linked into the program as `libtokenizers.a`, with Oniguruma (BSD-2-Clause) in `onig_sys`; built from source with `scripts/libtokenizers.Cargo.lock` (SHA-256 {lock}).

{table(rust)}
## Libraries of pages

Embedded in the program, with their licences (`/licences.txt` of the explorer): the chart library, ECharts with tslib and
zrender, in the pages that it writes too; umap-js, which lays out the explorer's map, with all others.

{table(charts)}
The example's data has its own origin and licence: [examples/README.md](../examples/README.md).
""")
