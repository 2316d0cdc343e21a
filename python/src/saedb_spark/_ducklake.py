"""Results in a DuckLake, where many people query them at once.

A DuckLake is tables of Parquet with their catalogue in a database, such as PostgreSQL. Results are copied
into it: the files of a DuckLake are its own, which it merges and deletes as it sees fit.
"""

from __future__ import annotations

from typing import Any

from ._model import literal

#: Tables whose rows belong to an SAE, and the partitions that they are in.
OF_SAES = ("features", "enrichment", "input_enrichment", "saes")
#: Tables whose rows belong to a model.
OF_MODELS = ("models", "tokens", "token_sets", "baseline_statistics", "baseline_enrichment", "input_baseline_enrichment")

PARTITIONED = ("features", "enrichment", "input_enrichment")


def into_ducklake(con: Any, lake: str, out: str) -> list[tuple[str, str]]:
    """Copies the results in a directory into the DuckLake that is attached to a DuckDB connection as ``lake``.

    Of SAEs that are there with the same results nothing is read. All of it is one transaction: other people see
    what was there before, and then all of the new. Returns (release, sae) of what was copied."""
    tables = {table: source(out, table) for table in (*OF_SAES, *OF_MODELS) if has(con, out, table)}
    con.execute("BEGIN")
    try:
        created = [table for table in tables if create(con, lake, table, tables[table])]
        names = ", ".join(f'"{name}"' for name, _ in columns(con, tables["saes"]))
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE changed_saes AS
            SELECT release, sae, model FROM (SELECT {names} FROM {tables["saes"]} EXCEPT ALL SELECT {names} FROM {lake}.saes)""")
        changed = [(str(release), str(sae)) for release, sae in con.execute("SELECT release, sae FROM changed_saes ORDER BY ALL").fetchall()]
        for table, rows in tables.items():
            mine = "(release, sae) IN (SELECT (release, sae) FROM changed_saes)" if table in OF_SAES else "model IN (SELECT model FROM changed_saes)"
            if changed:
                if table not in created:
                    con.execute(f"DELETE FROM {lake}.{table} WHERE {mine}")
                con.execute(f"INSERT INTO {lake}.{table} BY NAME SELECT * FROM {rows} WHERE {mine}")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    return changed


def source(out: str, table: str) -> str:
    if table in PARTITIONED:
        return f"read_parquet({literal(f'{out}/{table}/*/*/*.parquet')}, hive_partitioning = true, hive_types = {{release: VARCHAR, layer: INTEGER}})"
    return f"read_parquet({literal(f'{out}/{table}/*.parquet')}, union_by_name = true)"


def has(con: Any, out: str, table: str) -> bool:
    depth = "*/*/*" if table in PARTITIONED else "*"
    return bool(con.execute(f"SELECT count(*) FROM glob({literal(f'{out}/{table}/{depth}.parquet')})").fetchall()[0][0])


def columns(con: Any, rows: str) -> list[tuple[str, str]]:
    """The names and types of the columns of a table, or of rows."""
    return [(str(name), str(kind)) for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()]


def create(con: Any, lake: str, table: str, rows: str) -> bool:
    """Makes a table where there is none; one of an older saedb gets the columns that it lacks."""
    there = con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = $lake AND schema_name = 'main' AND table_name = $table", {"lake": lake, "table": table})
    if there.fetchall()[0][0]:
        known = {name for name, _ in columns(con, f"{lake}.{table}")}
        for name, kind in columns(con, rows):
            if name not in known:
                con.execute(f'ALTER TABLE {lake}.{table} ADD COLUMN "{name}" {kind}')
        return False
    con.execute(f"CREATE TABLE {lake}.{table} AS SELECT * FROM {rows} LIMIT 0")
    if table in PARTITIONED:
        con.execute(f"ALTER TABLE {lake}.{table} SET PARTITIONED BY (release, layer)")
    return True
