SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'saes' AND schema_name = 'main';

SELECT sae, release, model, hook, layer, architecture, d_sae, dtype, scale, tokens FROM saes ORDER BY layer;
