"""Builds the wheel, which carries the extension and, where it was put there, the program.

`make wheel` in the project's root puts the extension there, `make wheels` both; from an sdist,
which has the Go module in go/, both are built with Go and the system's C and C++ compilers.

The wheel is for any Python 3 of one platform. Its tag is given, or read off what it carries: the
newest version of glibc that is asked for is the oldest that it runs on (PEP 600).
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
EXTENSION = HERE / "src/saedb/saedb.duckdb_extension"
PROGRAM = HERE / "src/saedb_program/bin" / ("saedb.exe" if sys.platform == "win32" else "saedb")
# The Go module: in an sdist, or of the repository.
GO = HERE / "go" if (HERE / "go").is_dir() else HERE.parent

# What manylinux lets a wheel link besides glibc itself is not needed: these are all.
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def build_with_go() -> None:
    def go(*arguments: str) -> None:
        try:
            subprocess.run(["go", *arguments], cwd=GO, check=True, env={**os.environ, "CGO_ENABLED": "1"})
        except FileNotFoundError:
            raise SystemExit("saedb: Go is needed to build saedb from source, and is not on PATH: https://go.dev/dl") from None

    library = HERE / "build/libsaedb"
    go(
        "build", "-tags", "saedb_extension", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags", "-s -w",
        "-o", str(library), "./extension",
    )  # fmt: skip
    go("run", "./extension/footer", "-library", str(library), "-output", str(EXTENSION))
    go("build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(PROGRAM), "./cmd/saedb")


def platform_tag() -> str:
    given = os.environ.get("SAEDB_WHEEL_PLATFORM")
    platform = sysconfig.get_platform()
    if given or not platform.startswith("linux-"):
        return given or platform.replace("-", "_").replace(".", "_")
    machine = platform.removeprefix("linux-")
    newest = 0
    for carried in filter(Path.exists, (EXTENSION, PROGRAM)):
        dynamic = subprocess.run(["readelf", "-dV", carried], check=True, capture_output=True, text=True).stdout
        if not set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)) <= GLIBC:
            return f"linux_{machine}"
        newest = max(newest, *(int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", dynamic)))
    return f"manylinux_2_{newest}_{machine}"


class PlatformWheel(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", platform_tag()


class WithExtension(Distribution):
    def has_ext_modules(self) -> bool:
        return True


if not EXTENSION.exists():
    if not (HERE / "go").is_dir():
        raise SystemExit(f"{EXTENSION} is missing: make wheel puts it there")
    build_with_go()

setup(
    version=os.environ.get("SAEDB_VERSION") or re.search(r'Number = "(.*)"', (GO / "internal/version/version.go").read_text())[1],
    cmdclass={"bdist_wheel": PlatformWheel},
    distclass=WithExtension,
)
