SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'feature_neighbours' AND schema_name = 'main';

-- There are none before saedb compute --neighbours.
SELECT count(*) AS neighbours FROM feature_neighbours;
