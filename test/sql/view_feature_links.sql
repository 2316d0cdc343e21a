SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'feature_links' AND schema_name = 'main';

-- There are none before saedb compute --links.
SELECT count(*) AS links FROM feature_links;
