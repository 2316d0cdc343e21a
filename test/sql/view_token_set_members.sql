SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'token_set_members' AND schema_name = 'main';

SELECT token_set, count(*) AS members FROM token_set_members WHERE token_set IN ('all_digits', 'months') GROUP BY token_set ORDER BY token_set;
