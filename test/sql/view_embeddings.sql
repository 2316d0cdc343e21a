SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'embeddings' AND schema_name = 'main';

-- Embeddings are loaded where they are asked for.
SELECT count(*) AS none_loaded FROM embeddings;

SELECT logit_weights([1]::FLOAT[], 'smollm2-135m#embedding');
