SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'neuron_links' AND schema_name = 'main';

-- The example has no MLP.
SELECT count(*) AS links FROM neuron_links;
