"""Results in a DuckLake, where many people query them at once.

A DuckLake is tables of Parquet with their catalogue in a database, such as PostgreSQL. Results are copied
into it: the files of a DuckLake are its own, which it merges and deletes as it sees fit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ._model import literal
from ._output import OF_PAIRS, THROUGH_CHANCE


class Results(NamedTuple):
    """Rows that come and go together: a row of ``marks`` says that they are whole, and ``tables`` have them."""

    marks: str
    key: str  #: columns of ``marks`` that say which they are
    tables: dict[str, str]  #: the SQL of the same in each table
    stale: str  #: the SQL of those that are of another SAE's weights when the SAEs in ``changed_saes`` come


#: Neurons of an MLP go by the name of their reader in ``pairs``.
OF_MLP = "kind, if(kind = 'outgoing', sae, {mlp}), if(kind = 'outgoing', {mlp}, sae)".format(mlp="model || '#mlp_' || matrix || '.' || layer")

SAES = Results("saes", "release, sae", dict.fromkeys(("features", "enrichment", "input_enrichment"), "release, sae"), "false")
THROUGH = Results(
    "saes_through", "release, sae, lens", dict.fromkeys(("features_through", "enrichment_through"), "release, sae, lens"),
    "(release, sae) IN (SELECT (release, sae) FROM changed_saes)",
)  # fmt: skip
PAIRS = Results(
    "pairs", "kind, sae, other_sae", {table: OF_MLP if table == "mlp_links" else "kind, sae, other_sae" for table in OF_PAIRS},
    "sae IN (SELECT sae FROM changed_saes) OR other_sae IN (SELECT sae FROM changed_saes)",
)  # fmt: skip

#: Tables whose rows several results share, and which of them come with those that changed.
SHARED = {
    "saes": dict.fromkeys(
        ("models", "tokens", "token_sets", "baseline_statistics", "baseline_enrichment", "input_baseline_enrichment"),
        "model IN (SELECT model FROM {saes} WHERE (release, sae) IN (SELECT (release, sae) FROM changed_saes))",
    ),
    "saes_through": {
        "lenses": "lens IN (SELECT lens FROM changed_saes_through)",
        **dict.fromkeys(THROUGH_CHANCE, "lens IN (SELECT lens FROM changed_saes_through UNION SELECT lens FROM gone_saes_through) AND model IN (SELECT model FROM {saes})"),
    },
    "pairs": {"mlps": r"model || '.' || layer IN (SELECT regexp_replace(unnest([sae, other_sae]), '#mlp_(in|gate)\.', '.') FROM changed_pairs)"},
}

PARTITIONED = (*SAES.tables, *THROUGH.tables)


def into_ducklake(con: Any, lake: str, out: str) -> list[tuple[str, str]]:
    """Copies the results in a directory into the DuckLake that is attached to a DuckDB connection as ``lake``.

    Of SAEs, lenses and pairs that are there with the same results nothing is read. All of it is one transaction: other
    people see what was there before, and then all of the new. Returns (release, sae) of the SAEs of which anything was
    copied."""
    con.execute("BEGIN")
    try:
        for results in (SAES, THROUGH, PAIRS):
            copy(con, lake, out, results)
        changed = con.execute(f"""
            SELECT release, sae FROM {source(out, "saes")} WHERE (release, sae) IN (SELECT (release, sae) FROM changed_saes UNION SELECT (release, sae) FROM changed_saes_through)
                OR sae IN (SELECT sae FROM changed_pairs UNION SELECT other_sae FROM changed_pairs) ORDER BY ALL""").fetchall()
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    return [(str(release), str(sae)) for release, sae in changed]


def copy(con: Any, lake: str, out: str, results: Results) -> None:
    """Copies what is new of one kind of results, in place of what was there, and takes out what went with the weights of
    an SAE that changed: their keys are in ``changed_MARKS`` and ``gone_MARKS`` then."""
    marks, key = results.marks, results.key
    own = {table: f"({columns}) IN (SELECT ({key}) FROM {{which}}_{marks})" for table, columns in {marks: key, **results.tables}.items()}
    shared = {table: condition.format(saes=source(out, "saes")) for table, condition in SHARED[marks].items()}
    here = [table for table in (*own, *shared) if has(con, out, table)]
    created = [table for table in here if create(con, lake, table, source(out, table))]
    there = [table for table in (*own, *shared) if exists(con, lake, table)]

    none = f"(SELECT {', '.join(f'NULL::VARCHAR AS {column}' for column in key.split(', '))} LIMIT 0)"
    new, old = source(out, marks) if marks in here else none, f"{lake}.{marks}" if marks in there else none
    names = ", ".join(f'"{name}"' for name, _ in columns(con, new))
    con.execute(f"CREATE OR REPLACE TEMP TABLE changed_{marks} AS SELECT DISTINCT {key} FROM (SELECT {names} FROM {new} EXCEPT ALL SELECT {names} FROM {old})")
    con.execute(f"CREATE OR REPLACE TEMP TABLE gone_{marks} AS SELECT {key} FROM {old} WHERE {results.stale} EXCEPT SELECT {key} FROM {new}")
    changed, gone = (con.execute(f"SELECT count(*) > 0 FROM {which}_{marks}").fetchall()[0][0] for which in ("changed", "gone"))
    for table in there:
        if gone and table in own:
            con.execute(f"DELETE FROM {lake}.{table} WHERE {own[table].format(which='gone')}")
        if changed or (gone and table in shared):
            condition = own[table].format(which="changed") if table in own else shared[table]
            if table not in created:
                con.execute(f"DELETE FROM {lake}.{table} WHERE {condition}")
            if table in here:
                con.execute(f"INSERT INTO {lake}.{table} BY NAME SELECT * FROM {source(out, table)} WHERE {condition}")


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


def exists(con: Any, lake: str, table: str) -> bool:
    there = con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = $lake AND schema_name = 'main' AND table_name = $table", {"lake": lake, "table": table})
    return bool(there.fetchall()[0][0])


def create(con: Any, lake: str, table: str, rows: str) -> bool:
    """Makes a table where there is none; one of an older saedb gets the columns that it lacks."""
    if exists(con, lake, table):
        known = {name for name, _ in columns(con, f"{lake}.{table}")}
        for name, kind in columns(con, rows):
            if name not in known:
                con.execute(f'ALTER TABLE {lake}.{table} ADD COLUMN "{name}" {kind}')
        return False
    con.execute(f"CREATE TABLE {lake}.{table} AS SELECT * FROM {rows} LIMIT 0")
    if table in PARTITIONED:
        con.execute(f"ALTER TABLE {lake}.{table} SET PARTITIONED BY (release, layer)")
    return True
