"""Runs SQL scripts in stock DuckDB with the extension loaded.

usage: run_sql.py CLIENT EXTENSION DATABASE DIRECTORY SCRIPT...

Prints a line of JSON for each statement: its script, the statement, and the Parquet file in
DIRECTORY that holds its result, or its error.
"""

import json
import sys
from pathlib import Path

client, extension, database, directory, *scripts = sys.argv[1:]
sys.path.insert(0, client)
import duckdb  # noqa: E402

con = duckdb.connect(database, read_only=True, config={"allow_unsigned_extensions": "true"})
con.execute(f"LOAD '{extension}'")
for script in scripts:
    with open(script, encoding="utf-8") as file:
        text = file.read()
    for number, statement in enumerate(text.split(";\n")):
        if not statement.strip():
            continue
        ran = {"script": script, "statement": statement + ";\n"}
        parquet = f"{directory}/{Path(script).stem}-{number}.parquet"
        try:
            con.execute(f"COPY ({statement}\n) TO '{parquet}' (FORMAT parquet)")
            ran["parquet"] = parquet
        except duckdb.Error:
            try:
                con.execute(statement.strip()).fetchall()
                ran["error"] = "only COPY fails"
            except duckdb.Error as error:
                ran["error"] = str(error)
        print(json.dumps(ran))
