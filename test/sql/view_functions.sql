SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'functions' AND schema_name = 'main';

SELECT name, signature FROM functions;
