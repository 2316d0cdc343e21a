"""LOAD in a process whose reserve of static thread-local storage other libraries hold.

usage: static_tls.py CLIENT EXTENSION DIRECTORY LEAST

The C library keeps that reserve for libraries that are loaded late; PyTorch's and OpenMP's take of it.
DIRECTORY has libraries tls-SIZE.so, each of which takes so many bytes; they are loaded, in copies, the
larger first, until no other of LEAST bytes finds room. Prints the bytes that they hold, and what LOAD says.
"""

import ctypes
import itertools
import shutil
import sys
from pathlib import Path

client, extension, directory, least = sys.argv[1:]
sys.path.insert(0, client)
import duckdb  # noqa: E402

held = 0
for size in (256, 32, 8):
    for copy in itertools.count():
        if size < int(least):
            break
        library = Path(directory) / f"copy-{size}-{copy}.so"
        shutil.copyfile(Path(directory) / f"tls-{size}.so", library)
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            assert "static TLS" in str(error), error
            break
        held += size
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
try:
    connection.execute(f"LOAD '{extension}'")
    said = connection.sql("SELECT count(kernel) FROM saedb_about()").fetchall()[0][0]
except duckdb.IOException as error:
    said = error
print(held, said)
