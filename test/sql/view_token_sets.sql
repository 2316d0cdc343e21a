SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'token_sets' AND schema_name = 'main';

SELECT token_set, family, members FROM token_sets WHERE token_set IN ('all_digits', 'months', 'nltk_pos_NNS') ORDER BY token_set;

SELECT family, count(*) AS sets FROM token_sets GROUP BY family ORDER BY family;
