"""Copies of files that are not local, once a file on each executor, in bounded space.

A path with a protocol (``s3://…``, ``gs://…``, ``hdfs://…``, ``https://…``) is read by fsspec and
what serves that protocol. Any other path is read where it is, and must be the same on every
machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Iterator

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+://")

#: The names that Hadoop has for what fsspec calls otherwise.
_HADOOP = {"s3a": "s3", "s3n": "s3", "abfss": "abfs"}


def is_remote(path: str) -> bool:
    return bool(_URL.match(path)) and not path.startswith("file:")


def without_protocol(path: str) -> str:
    """A local path, which Hadoop writes file:/… and others file:///…"""
    return re.sub(r"^file:(//)?", "", path)


@contextlib.contextmanager
def local(path: str, cache: Path, limit: int) -> Iterator[str]:
    """The path of a local copy of a file or directory, which stays as long as the block runs.

    Processes of one machine share the copies in ``cache``: the first one copies, others wait. The copies that were
    used longest ago go when more than ``limit`` bytes are there, but for those in use."""
    if not is_remote(path):
        yield without_protocol(path)
        return
    whole, mark, part = path.partition("#")
    slot = cache / hashlib.sha256(whole.encode()).hexdigest()[:32]
    slot.mkdir(parents=True, exist_ok=True)
    copy = slot / (whole.rstrip("/").rsplit("/", 1)[-1] or "copy")
    with open(slot / "lock", "a+b") as lock:
        while True:
            # Going from one kind of lock to the other lets go of it for a moment, so that
            # what was seen before must be looked at again.
            fcntl.flock(lock, fcntl.LOCK_SH)
            if (slot / "complete").exists():
                break
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (slot / "complete").exists():
                _copy(whole, copy, slot)
                _evict(cache, slot, limit)
        os.utime(slot / "complete")
        yield f"{copy}{mark}{part}"


def _copy(url: str, to: Path, slot: Path) -> None:
    """Copies a file, or a directory with what is in it."""
    try:
        import fsspec
    except ImportError as missing:
        raise ModuleNotFoundError(f"{url}: fsspec reads what is not local: pip install fsspec, and its package for this protocol") from missing
    protocol, rest = url.split("://", 1)
    files, path = fsspec.core.url_to_fs(f"{_HADOOP.get(protocol, protocol)}://{rest}")
    for old in slot.iterdir():
        if old.name != "lock":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    if files.isdir(path):
        for name in files.find(path):
            target = to / str(name).rsplit(path.rstrip("/"), 1)[-1].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(name, str(target))
    else:
        files.get_file(path, str(to))
    (slot / "complete").touch()


def _evict(cache: Path, keep: Path, limit: int) -> None:
    """Drops copies, the one used longest ago first, until what is there is within ``limit``."""
    slots = sorted(cache.glob("*/complete"), key=lambda mark: mark.stat().st_mtime)
    sizes = {mark.parent: sum(f.stat().st_size for f in mark.parent.rglob("*") if f.is_file()) for mark in slots}
    for mark in slots:
        slot = mark.parent
        if sum(sizes.values()) <= limit:
            return
        if slot == keep:
            continue
        with open(slot / "lock", "a+b") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink()
            for old in slot.iterdir():
                if old.name != "lock":
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
            sizes.pop(slot)
