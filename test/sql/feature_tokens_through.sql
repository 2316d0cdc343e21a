-- The example has no lens; test/lenses_test.go has what is computed through one.
SELECT count(*) AS rows FROM feature_tokens_through('jlens');

SELECT parameters FROM duckdb_functions() WHERE function_name = 'feature_tokens_through' AND database_name = current_database();
