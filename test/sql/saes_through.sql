-- The example has no lens; test/lenses_test.go has what is computed through one.
SELECT count(*) AS rows FROM saes_through('jlens');

SELECT parameters FROM duckdb_functions() WHERE function_name = 'saes_through' AND database_name = current_database();
