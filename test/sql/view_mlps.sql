SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'mlps' AND schema_name = 'main';

-- MLPs are loaded where they are asked for.
SELECT count(*) AS none_loaded FROM mlps;
