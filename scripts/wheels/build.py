"""Builds wheels of saedb and of its example, the sdist, and archives, for each of PLATFORMS, on Linux.

make wheels and make dist run it, in an environment of requirements.txt:

    build.py wheels|dist [PLATFORM ...]     by the names of PLATFORMS; all by default

What is there of platforms that are not named stays, so that one after the other can be built.
Two builds of the same sources are equal, byte for byte: times are SOURCE_DATE_EPOCH's (that of
the last commit by default), paths are trimmed, and every tool is pinned.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import debian
import licences
from platforms import PLATFORMS, Platform

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/wheels"
WHEELS, DIST = BUILD / "out", ROOT / "build/dist"
VERSION = re.search(r'Number = "(.*)"', (ROOT / "internal/version/version.go").read_text())[1]
GO_FLAGS = ["-trimpath", "-buildvcs=false"]
LINKER = "-s -w -buildid="

# The example's wheel has the encoders of these SAEs: each is 1.4 MB more to download, and saedb
# computes from decoders. docs/python.md loads this one's.
EXAMPLE_ENCODERS = ("blocks.29.hook_resid_pre",)

# What an sdist has of the Go module: what the extension and the program are built from.
GO_SOURCES = ("cmd/saedb", "extension", "internal", "loader", "sql", "udf")


def run(*command: str | Path, **options) -> None:
    subprocess.run(command, check=True, cwd=options.pop("cwd", ROOT), **options)


def environment(p: Platform, target: str, cxx: str = "") -> dict[str, str]:
    """What Go builds for a platform with: zig's compiler, and the C++ library of its program."""
    compiler = f'"{sys.executable}" "{HERE / "cc.py"}" {target}'
    return {
        **os.environ, "GOOS": p.goos, "GOARCH": p.goarch, "CGO_ENABLED": "1", "GOFLAGS": "", "CC": compiler, "CXX": compiler,
        "SAEDB_CXX": cxx, "ZIG_GLOBAL_CACHE_DIR": str(BUILD / "zig"), "ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig"),
    }  # fmt: skip


def build_extension(p: Platform, into: Path) -> Path:
    library, extension = into / "library", into / "saedb.duckdb_extension"
    run(
        "go", "build", *GO_FLAGS, "-tags", "saedb_extension", "-buildmode=c-shared",
        "-ldflags", f"{LINKER} '-extldflags={p.flags}'", "-o", library, "./extension", env=environment(p, p.extension),
    )  # fmt: skip
    run("go", "run", "./extension/footer", "-library", library, "-output", extension, "-platform", p.duckdb, env={**os.environ, "GOFLAGS": ""})
    return extension


def build_program(p: Platform, into: Path) -> Path:
    program = into / p.program_name
    cxx = [str(debian.library(package, BUILD / "libraries")) for package in p.cxx]
    if p.goos == "linux":
        shim = into / "glibc.o"
        run(sys.executable, HERE / "cc.py", p.program, "-O2", "-c", HERE / "glibc.c", "-o", shim, env=environment(p, p.program))
        cxx += [str(shim), "-lunwind"]
    run("go", "build", *GO_FLAGS, "-ldflags", LINKER, "-o", program, "./cmd/saedb", env=environment(p, p.program, os.pathsep.join(cxx)))
    return program


def build_wheel(p: Platform, extension: Path, program: Path, notices: str) -> Path:
    """Has setuptools write the wheel, from a tree that has nothing else in it."""
    tree = fresh(BUILD / p.name / "tree")
    package_sources(tree)
    copy(extension, tree / "src/saedb/saedb.duckdb_extension")
    copy(program, tree / "src/saedb_program/bin" / program.name, 0o755)
    write(tree / "LICENSES.txt", notices.encode())
    return setuptools_wheel(tree, p.wheel)


def build_example() -> Path:
    tree = fresh(BUILD / "example/tree")
    for name in tracked("python/example"):
        copy(ROOT / name, tree / Path(name).relative_to("python/example"))
    for name in tracked("examples/smollm2-135m"):
        target = tree / "src/saedb_example" / Path(name).relative_to("examples")
        if target.name == "sae_weights.safetensors" and target.parent.name not in EXAMPLE_ENCODERS:
            write(target, without_encoder((ROOT / name).read_bytes()))
        elif target.name != "go.mod":
            copy(ROOT / name, target)
    copy(ROOT / "examples/README.md", tree / "README.md")
    copy(ROOT / "LICENSE", tree / "LICENSE")
    return setuptools_wheel(tree, "")


def without_encoder(content: bytes) -> bytes:
    """An SAE in safetensors without W_enc and b_enc: features are what its decoder writes."""
    length = struct.unpack_from("<Q", content)[0]
    header, start = json.loads(content[8 : 8 + length]), 8 + length
    kept, data = {}, b""
    for name, tensor in sorted(header.items(), key=lambda item: item[1].get("data_offsets", [0])):
        if "data_offsets" not in tensor:  # __metadata__
            kept[name] = tensor
        elif not name.endswith("_enc"):
            begin, end = tensor["data_offsets"]
            kept[name] = {**tensor, "data_offsets": [len(data), len(data) + end - begin]}
            data += content[start + begin : start + end]
    packed = json.dumps(kept, separators=(",", ":")).encode()
    packed += b" " * (-len(packed) % 8)  # values begin at a multiple of eight bytes
    return struct.pack("<Q", len(packed)) + packed + data


def setuptools_wheel(tree: Path, tag: str) -> Path:
    WHEELS.mkdir(parents=True, exist_ok=True)
    code = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
    settings = {**os.environ, "SAEDB_WHEEL_PLATFORM": tag, "SAEDB_VERSION": VERSION}
    done = subprocess.run([sys.executable, "-c", code, str(WHEELS)], cwd=tree, env=settings, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wheels: setuptools: {done.stdout}{done.stderr}")
    return WHEELS / done.stdout.splitlines()[-1]


def build_sdist(metadata: bytes, notices: str) -> Path:
    """The sources of the Python package and of what it carries, which pip builds where Go and a C++ compiler are."""
    tree = fresh(BUILD / "sdist/tree")
    package_sources(tree)
    for name in tracked(*GO_SOURCES, "*.go", "go.mod", "go.sum"):
        at_top = "/" not in name
        if not name.endswith("_test.go") and "/testdata/" not in name and (at_top or name.startswith(GO_SOURCES)):
            copy(ROOT / name, tree / "go" / name)
    for library in ("internal/figures/assets/echarts", "internal/web/assets/umap"):
        for file in (ROOT / library).iterdir():
            copy(file, tree / "go" / file.relative_to(ROOT))
    write(tree / "LICENSES.txt", notices.encode())
    write(tree / "PKG-INFO", metadata)
    target = WHEELS / f"saedb-{VERSION}.tar.gz"
    write(target, tarball(tree, f"saedb-{VERSION}"))
    return target


def package_sources(tree: Path) -> None:
    """The Python package, without its tests."""
    for name in tracked("python"):
        relative = Path(name).relative_to("python")
        if relative.parts[0] not in ("tests", "example"):
            copy(ROOT / name, tree / relative)
    copy(ROOT / "LICENSE", tree / "LICENSE")


def tracked(*paths: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "--", *paths], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name)


def fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def copy(source: Path, target: Path, mode: int = 0o644) -> None:
    write(target, source.read_bytes(), mode)


def write(target: Path, content: bytes, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


def tarball(tree: Path, top: str) -> bytes:
    """The files of a tree as .tar.gz, in order, of nobody, and of one time."""
    plain, packed = BytesIO(), BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(f for f in tree.rglob("*") if f.is_file()):
            entry = tarfile.TarInfo(f"{top}/{file.relative_to(tree).as_posix()}")
            entry.size, entry.mode, entry.mtime = file.stat().st_size, file.stat().st_mode & 0o777, epoch()
            with file.open("rb") as content:
                tar.addfile(entry, content)
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=epoch()) as out:
        out.write(plain.getvalue())
    return packed.getvalue()


def epoch() -> int:
    return int(os.environ["SOURCE_DATE_EPOCH"])


def report(file: Path) -> None:
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.1f} MB", flush=True)


def make_dist(p: Platform, extension: Path, program: Path, notices: str) -> None:
    """Archives of the program and the extension of a platform, and what the program is made of."""
    compressed = BytesIO()
    with gzip.GzipFile(filename="", fileobj=compressed, mode="wb", mtime=epoch()) as out:
        out.write(extension.read_bytes())
    target = DIST / f"saedb-{VERSION}-{p.duckdb}.duckdb_extension.gz"
    write(target, compressed.getvalue())
    report(target)
    tree = fresh(BUILD / p.name / "archive")
    copy(program, tree / program.name, 0o755)
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        copy(ROOT / name, tree / name)
    write(tree / "LICENSES.txt", notices.encode())
    target = DIST / f"saedb-{VERSION}-{p.name}.tar.gz"
    write(target, tarball(tree, f"saedb-{VERSION}-{p.name}"))
    report(target)
    target = DIST / f"saedb-{VERSION}-{p.name}.cdx.json"
    run(ROOT / "scripts/sbom.sh", program, target)
    report(target)


def checksums(directory: Path) -> None:
    """SHA256SUMS, as sha256sum -c reads it."""
    files = sorted(f for f in directory.iterdir() if f.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in files]
    (directory / "SHA256SUMS").write_text("".join(lines))


def main(what: str, names: list[str]) -> None:
    known = {p.name: p for p in PLATFORMS}
    if what not in ("wheels", "dist") or not set(names) <= set(known):
        sys.exit(f"wheels: expected wheels or dist, then of the platforms {', '.join(known)}; found {' '.join([what, *names])}")
    if "SOURCE_DATE_EPOCH" not in os.environ:
        commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        os.environ["SOURCE_DATE_EPOCH"] = commit.strip()
    os.umask(0o022)
    for directory in (WHEELS, DIST):
        if not names and (directory is WHEELS or what == "dist"):
            fresh(directory)
        directory.mkdir(parents=True, exist_ok=True)
    metadata = b""
    for p in (known[name] for name in names or known):
        into = fresh(BUILD / p.name)
        extension, program = build_extension(p, into), build_program(p, into)
        notices = licences.text(ROOT, environment(p, p.extension), p.goos == "windows")
        wheel = build_wheel(p, extension, program, notices)
        report(wheel)
        with zipfile.ZipFile(wheel) as z:
            metadata = z.read(f"saedb-{VERSION}.dist-info/METADATA")
        if what == "dist":
            make_dist(p, extension, program, notices)
    report(build_example())
    # The same sdist, whichever platforms are built.
    report(build_sdist(metadata, licences.text(ROOT, environment(PLATFORMS[0], PLATFORMS[0].extension), False)))
    checksums(WHEELS)
    if what == "dist":
        for file in WHEELS.iterdir():
            if file.name != "SHA256SUMS":
                shutil.copyfile(file, DIST / file.name)
        checksums(DIST)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
