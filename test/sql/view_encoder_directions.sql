SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'encoder_directions' AND schema_name = 'main';

-- Encoders are loaded where they are asked for.
SELECT count(*) AS none_loaded FROM encoder_directions;
