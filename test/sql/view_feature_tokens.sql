SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'feature_tokens' AND schema_name = 'main';

SELECT direction, rank, token_id, text, round(logit_weight, 4) AS logit_weight, round(logit_z, 2) AS logit_z FROM feature_tokens
WHERE layer = 29 AND feature = 1328 AND rank <= 2 ORDER BY ALL;
