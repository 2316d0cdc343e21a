"""Results of saedb_spark held against the program's."""

import subprocess
from pathlib import Path

import duckdb
from spark_cluster import ROOT

EXAMPLE = ROOT / "examples/smollm2-135m"
MODEL = EXAMPLE / "SmolLM2-135M-Instruct.unembedding.gguf"
SAES = [EXAMPLE / f"saes/blocks.{layer}.hook_resid_pre" for layer in (24, 29)]


def program(*arguments):
    return subprocess.run([ROOT / "bin/saedb", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def reference_of_example(directory, side="output"):
    """A database of the program's with the example's SAEs, letters' token sets, and all results, of both sides or of the output side; or with
    their encoders alone, for pairs."""
    reference = directory / f"reference-{side}.saedb"
    embedding, encoder = ["--embedding"] if side == "both" else [], ["--encoder"] if side != "output" else []
    program("--db", reference, "load", "model", MODEL, "--name", "smollm2-135m", *embedding)
    for path in SAES:
        program("--db", reference, "load", "sae", path, "--release", "smollm2-demo", *encoder)
    if side == "pairs":
        return reference
    program("--db", reference, "load", "sets", "--family", "letters")
    program("--db", reference, "compute", "--side", side)
    return reference


def opened(out):
    """DuckDB on a directory of results."""
    con = duckdb.connect()
    for table in ("features", "enrichment", "input_enrichment"):
        if (Path(out) / table).exists():
            con.execute(
                f"CREATE VIEW {table} AS FROM read_parquet('{out}/{table}/*/*/*.parquet', hive_partitioning = true, "
                "hive_types = {release: VARCHAR, layer: INTEGER})"
            )
    return con


def layout():
    """Columns of docs/export.md that the program's tables have."""
    statistics = "t.top_token_ids, t.bottom_token_ids, t.top_logit_weights, t.bottom_logit_weights"
    inputs = (
        "i.top_token_ids AS input_token_ids, i.top_logit_weights AS input_weights, i.bottom_token_ids AS input_bottom_token_ids, "
        "i.bottom_logit_weights AS input_bottom_weights, i.cos_mean AS input_cos_mean, i.cos_std AS input_cos_std, "
        "i.cos_skewness AS input_cos_skewness, i.cos_kurtosis AS input_cos_kurtosis"
    )
    return {
        "features": (
            f"features.* EXCLUDE (label), {statistics}, {inputs}",
            "features JOIN saes USING (sae, release) JOIN stored_statistics t ON t.sae_id = saes.load_id AND t.feature = features.feature "
            "LEFT JOIN stored_input_statistics i ON i.sae_id = saes.load_id AND i.feature = features.feature",
        ),
        **{
            f"{prefix}enrichment": (
                f"{prefix}enrichment.*, e.log10_ks_p, e.log10_q, e.log10_q_all",
                f"{prefix}enrichment JOIN saes USING (sae) JOIN stored_token_sets s USING (token_set) "
                f"JOIN stored_{prefix}enrichment e ON e.sae_id = saes.load_id AND e.set_id = s.set_id AND e.feature = {prefix}enrichment.feature",
            )
            for prefix in ("", "input_")
        },
    }


#: What the rows of a file are sorted by, of docs/export.md.
ORDER = {"features": "feature", "enrichment": "token_set, feature", "input_enrichment": "token_set, feature"}


def assert_views(case, imported, reference, views, least=1):
    """The same rows, and so many at least, in views of two databases, or in queries of them; columns that are compared by views."""
    con = duckdb.connect()
    con.execute(f"ATTACH '{reference}' AS reference (READ_ONLY); ATTACH '{imported}' AS imported (READ_ONLY)")
    for view, columns in views.items():
        for more, less in (("reference", "imported"), ("imported", "reference")):
            for name, database in (("more", more), ("less", less)):
                con.execute(f"USE {database}; CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM {view}")
            case.assertGreaterEqual(con.execute("SELECT count(*) FROM temp.more").fetchall()[0][0], least, view)
            case.assertEqual(con.execute("SELECT count(*) FROM (FROM temp.more EXCEPT ALL FROM temp.less)").fetchall(), [(0,)], view)
    con.close()


def assert_same(case, out, reference, where="true"):
    """Every row of the program, and no other, bit for bit, in files that are sorted."""
    con = opened(out)
    con.execute(f"ATTACH '{reference}' AS reference (READ_ONLY)")
    con.execute("USE reference")
    for table, (columns, rows) in layout().items():
        if not (Path(out) / table).exists():
            continue
        con.execute(f"CREATE OR REPLACE TEMP VIEW expected AS SELECT {columns} FROM {rows} WHERE {where}")
        names = ", ".join(name for name, *_ in con.execute("DESCRIBE expected").fetchall())
        (expected,), (found,) = con.execute(f"SELECT count(*) FROM expected UNION ALL SELECT count(*) FROM memory.{table}").fetchall()
        case.assertGreater(expected, 0)
        case.assertEqual(found, expected, table)
        for more, less in (("expected", f"memory.{table}"), (f"memory.{table}", "expected")):
            other = con.execute(f"SELECT {names} FROM {more} EXCEPT ALL SELECT {names} FROM {less} LIMIT 3").fetchall()
            case.assertEqual(other, [], f"{table}: rows of {more} that {less} has not")
        for file in (Path(out) / table).rglob("*.parquet"):
            rows = f"SELECT row({ORDER[table]}) AS key, file_row_number FROM read_parquet('{file}', file_row_number = true)"
            wrong = con.execute(f"SELECT count(*) FROM (SELECT key < lag(key) OVER (ORDER BY file_row_number) AS wrong FROM ({rows})) WHERE wrong").fetchall()
            case.assertEqual(wrong, [(0,)], f"{file}: rows out of order")
    con.close()
