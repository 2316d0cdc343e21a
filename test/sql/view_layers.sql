SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'layers' AND schema_name = 'main';

SELECT layer, features, beyond_chance, round(expected_by_chance, 1) AS expected_by_chance FROM layers ORDER BY layer;
