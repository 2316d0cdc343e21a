"""Static C++ libraries out of Debian's packages, of a release and architecture of choice."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from platforms import Package


def library(package: Package, into: Path) -> Path:
    """The library of a package, fetched into a directory unless it is there."""
    target = into / package.sha256[:12] / Path(package.file).name
    if not target.exists():
        with tempfile.TemporaryDirectory() as work:
            found = fetch(package, Path(work))
            digest = hashlib.sha256(found.read_bytes()).hexdigest()
            if digest != package.sha256:
                sys.exit(
                    f"wheels: {package.file} of Debian's package {package.name} in {package.suite}: expected SHA-256 "
                    f"{package.sha256}, found {digest}; where Debian has a newer one, test it and write that into scripts/wheels/platforms.py"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            shutil.copyfile(found, part)
            part.rename(target)
    return target


def fetch(package: Package, work: Path) -> Path:
    """Downloads and unpacks a package with an apt of its own, from where this system's packages come from."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            sys.exit(f"wheels: {tool} is needed to fetch {package.name} from Debian and is not on PATH: build wheels on Debian")
    sites = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], check=True, capture_output=True, text=True).stdout
    site = next((s for s in sites.split() if s.rstrip("/").endswith("/debian")), None)
    if site is None:
        sys.exit("wheels: apt has no source of Debian's main archive: build wheels on Debian")
    for directory in ("lists/partial", "cache/archives/partial", "unpacked"):
        (work / directory).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb {site} {package.suite} main\n")
    (work / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{work}/sources.list"; Dir::Etc::sourceparts "-"; Dir::State::lists "{work}/lists";\n'
        f'Dir::State::status "{work}/status"; Dir::Cache "{work}/cache"; Acquire::Languages "none";\n'
        'APT::Architectures { "amd64"; "arm64"; }; APT::Sandbox::User "root";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(work / "apt.conf")}
    for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "download", package.name]):
        subprocess.run(command, check=True, cwd=work, env=environment)
    (archive,) = work.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, work / "unpacked"], check=True)
    return work / "unpacked" / package.file
