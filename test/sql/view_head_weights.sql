SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'head_weights' AND schema_name = 'main';

SELECT count(*) AS none_loaded FROM head_weights;
