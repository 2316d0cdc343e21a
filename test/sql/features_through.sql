-- The example has no lens; test/lenses_test.go has what is computed through one.
SELECT count(*) AS rows FROM features_through('jlens');

SELECT parameters FROM duckdb_functions() WHERE function_name = 'features_through' AND database_name = current_database();
