"""Builds the wheel, which carries the extension: `make wheel` in the project's root.

The wheel is for any Python 3 of one platform. Its tag is read off the extension: the
newest version of glibc that it asks for is the oldest that it runs on (PEP 600).
"""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

EXTENSION = Path(__file__).parent / "src" / "saedb" / "saedb.duckdb_extension"
VERSION = Path(__file__).parents[1] / "internal" / "version" / "version.go"

# What manylinux lets a wheel link besides glibc itself is not needed: these are all.
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def platform_tag() -> str:
    platform = sysconfig.get_platform()
    if not platform.startswith("linux-"):
        return platform.replace("-", "_").replace(".", "_")
    machine = platform.removeprefix("linux-")
    dynamic = subprocess.run(["readelf", "-dV", EXTENSION], check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if not needed <= GLIBC:
        return f"linux_{machine}"
    newest = max(int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", dynamic))
    return f"manylinux_2_{newest}_{machine}"


class PlatformWheel(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", platform_tag()


class WithExtension(Distribution):
    def has_ext_modules(self) -> bool:
        return True


if not EXTENSION.exists():
    raise SystemExit(f"{EXTENSION} is missing: make wheel puts it there")

setup(
    version=os.environ.get("SAEDB_VERSION") or re.search(r'Number = "(.*)"', VERSION.read_text())[1],
    cmdclass={"bdist_wheel": PlatformWheel},
    distclass=WithExtension,
)
