SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'input_set_enrichment' AND schema_name = 'main';

-- The input side is computed where encoders and the embedding were loaded.
SELECT count(*) AS none_computed FROM input_set_enrichment;
