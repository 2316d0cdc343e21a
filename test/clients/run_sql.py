"""Runs a SQL script in stock DuckDB with the extension loaded.

usage: run_sql.py CLIENT EXTENSION DATABASE SCRIPT DIRECTORY

Prints a line of JSON for each statement: the statement, and the Parquet file in
DIRECTORY that holds its result, or its error.
"""

import json
import sys

client, extension, database, script, directory = sys.argv[1:]
sys.path.insert(0, client)
import duckdb  # noqa: E402

con = duckdb.connect(database, read_only=True, config={"allow_unsigned_extensions": "true"})
con.execute(f"LOAD '{extension}'")
with open(script, encoding="utf-8") as file:
    text = file.read()
for number, statement in enumerate(text.split(";\n")):
    if not statement.strip():
        continue
    ran = {"statement": statement + ";\n"}
    parquet = f"{directory}/{number}.parquet"
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
