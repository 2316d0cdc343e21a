SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'tokens' AND schema_name = 'main';

SELECT token_id, token, text, is_special, is_padding FROM tokens WHERE token_id IN (0, 16, 260, 28, 198) ORDER BY token_id;
