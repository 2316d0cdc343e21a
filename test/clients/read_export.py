"""Reads an export with DuckDB, pandas, pyarrow and polars, and compares with the views.

usage: read_export.py CLIENT DATABASE EXPORT TABLE...

Prints a line for each table: its name and number of rows.
"""

import json
import math
import sys

client, database, export, *tables = sys.argv[1:]
sys.path.insert(0, client)
import duckdb  # noqa: E402
import pandas  # noqa: E402
import polars  # noqa: E402
import pyarrow  # noqa: E402
import pyarrow.dataset  # noqa: E402
import pyarrow.parquet  # noqa: E402

assert client in duckdb.__file__, duckdb.__file__
HIVE = "hive_partitioning = true, hive_types = {'release': VARCHAR, 'layer': INTEGER}"
PARTITIONING = pyarrow.dataset.partitioning(
    pyarrow.schema([("release", pyarrow.string()), ("layer", pyarrow.int32())]), flavor="hive")
TABLES = {
    "features": ("features", ["release", "sae", "feature"]),
    "feature_tokens": ("feature_tokens", ["release", "sae", "feature", "direction", "rank"]),
    "enrichment": ("enrichment", ["release", "sae", "token_set", "feature"]),
}
con = duckdb.connect(database, read_only=True)


def plain(value):
    """A value as Python itself has it, for comparison."""
    if value is None or value is pandas.NA or value is pandas.NaT or isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        value = value.tolist()
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


def compare(reader, columns, rows, wanted_columns, wanted, keys):
    """Compares rows, tuples in the order of columns, with those of a view."""
    places = [columns.index(name) for name in wanted_columns]
    key = [wanted_columns.index(name) for name in keys]
    found = sorted((tuple(plain(row[place]) for place in places) for row in rows), key=lambda row: [row[k] for k in key])
    assert len(found) == len(wanted), (reader, len(found), len(wanted))
    for left, right in zip(found, wanted):
        assert left == right, (reader, left, right)


for table in tables:
    view, keys = TABLES[table]
    wanted_columns = [c[0] for c in con.execute(f"DESCRIBE {view}").fetchall()]
    types = dict(row[:2] for row in con.execute(f"DESCRIBE {view}").fetchall())
    wanted = [tuple(plain(v) for v in row) for row in con.execute(f"SELECT * FROM {view}").fetchall()]
    key = [wanted_columns.index(name) for name in keys]
    wanted.sort(key=lambda row: [row[k] for k in key])
    directory = f"{export}/{table}"

    read = con.execute(f"SELECT * FROM read_parquet('{directory}/**/*.parquet', {HIVE})")
    columns = [c[0] for c in read.description]
    compare("duckdb", columns, read.fetchall(), wanted_columns, wanted, keys)
    found = dict(row[:2] for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet('{directory}/**/*.parquet', {HIVE})").fetchall())
    assert all(found[name] == types[name] for name in wanted_columns), (table, found, types)

    frame = pandas.read_parquet(directory, partitioning=PARTITIONING)
    compare("pandas", list(frame.columns), frame.astype(object).itertuples(index=False, name=None), wanted_columns, wanted, keys)
    arrow = pyarrow.dataset.dataset(directory, partitioning=PARTITIONING).to_table()
    compare("pyarrow", arrow.column_names, (tuple(row.values()) for row in arrow.to_pylist()), wanted_columns, wanted, keys)
    lazy = polars.scan_parquet(f"{directory}/**/*.parquet", hive_partitioning=True, hive_schema={"release": polars.String, "layer": polars.Int32})
    compare("polars", lazy.collect_schema().names(), lazy.collect().rows(), wanted_columns, wanted, keys)

    # CSV has the views as they are, lists as JSON.
    cast = ", ".join(
        f"CAST({f'CAST({name} AS JSON)' if types[name].endswith('[]') else name} AS {types[name]}) AS {name}" for name in wanted_columns)
    csv = con.execute(f"SELECT {cast} FROM read_csv('{directory}.csv', header = true, all_varchar = true, allow_quoted_nulls = false)")
    compare("csv", wanted_columns, csv.fetchall(), wanted_columns, wanted, keys)
    print(table, len(wanted))

# Comments, compression and the minima and maxima of row groups.
file = con.execute(f"SELECT file FROM glob('{export}/enrichment/**/*.parquet') LIMIT 1").fetchone()[0]
comments = dict(con.execute(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{file}')").fetchall())
of_view = dict(con.execute("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'enrichment'").fetchall())
for column in pyarrow.parquet.read_schema(file).names:
    assert comments["comment." + column], column
    assert column not in of_view or comments["comment." + column] == of_view[column], column
assert comments["comment"].startswith("Enrichment of every feature"), comments
metadata = pyarrow.parquet.read_metadata(file)
for group in range(metadata.num_row_groups):
    for i in range(metadata.num_columns):
        column = metadata.row_group(group).column(i)
        assert column.compression == "ZSTD", column
        assert column.statistics.has_min_max or column.statistics.null_count == metadata.num_rows, column
for table in ["saes", "models", "tokens", "loads"]:
    assert con.execute(f"SELECT count(*) FROM '{export}/{table}/*.parquet'").fetchone() == con.execute(f"SELECT count(*) FROM {table}").fetchone()
with open(f"{export}/saedb-export.json", encoding="utf-8") as text:
    assert json.load(text)["rows"]["features"] == con.execute("SELECT count(*) FROM features").fetchone()[0]
