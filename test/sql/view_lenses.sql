SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'lenses' AND schema_name = 'main';

SELECT count(*) AS rows FROM lenses;
