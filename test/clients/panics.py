"""Panics in functions of an extension with the tag saedb_provoke.

usage: panics.py CLIENT EXTENSION CAUSES STAGES (comma-separated)
"""

import faulthandler
import sys
import threading

client, extension, causes, stages = sys.argv[1:]
sys.path.insert(0, client)
import duckdb  # noqa: E402

faulthandler.enable()  # as pytest and Jupyter do; a nil pointer in Go is a signal too
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
con.execute(f"LOAD '{extension}'")


def fails(query: str) -> None:
    try:
        con.cursor().execute(query).fetchall()
    except duckdb.Error as error:
        if "internal error: " in str(error):
            print("error")
            return
        raise
    raise AssertionError(f"{query} gave no error")


queries = [f"SELECT provoke_panic('{cause}')" for cause in causes.split(",")]
queries += [query + " FROM range(500000)" for query in queries]  # on threads of DuckDB's
queries += [f"FROM provoke_panic_in('{stage}')" for stage in stages.split(",") if not stage.startswith("close")]
for query in queries:
    fails(query)
    thread = threading.Thread(target=fails, args=[query])
    thread.start()
    thread.join()
for stage in stages.split(","):
    if stage.startswith("close"):
        assert con.execute(f"FROM provoke_panic_in('{stage}')").fetchall() == [(1,)]
assert con.execute("SELECT count(*) FROM provoke_panic_in('none'), range(1000000)").fetchall() == [(1000000,)]
assert len(con.execute("FROM releases").fetchall()) > 100
