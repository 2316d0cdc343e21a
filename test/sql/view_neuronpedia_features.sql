SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'neuronpedia_features' AND schema_name = 'main';

SELECT count(*) AS none_loaded FROM neuronpedia_features;
