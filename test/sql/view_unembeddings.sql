SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'unembeddings' AND schema_name = 'main';

SELECT count(*) AS tokens, min(len(w_u)) AS d_model FROM unembeddings;

-- A row of it is a direction too.
SELECT round((logit_stats(w_u, model)).skewness, 3) AS skewness FROM unembeddings WHERE token_id = 260;
