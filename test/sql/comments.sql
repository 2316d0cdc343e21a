-- Every table, view and column is described.
SELECT count(*) AS undescribed FROM (
    SELECT comment FROM duckdb_columns() WHERE NOT internal
    UNION ALL SELECT comment FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT comment FROM duckdb_views() WHERE NOT internal) WHERE comment IS NULL;
