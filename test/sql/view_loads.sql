SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'loads' AND schema_name = 'main';

SELECT kind, name, format, bytes, conventions, replaced_by FROM loads;
