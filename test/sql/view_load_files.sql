SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'load_files' AND schema_name = 'main';

SELECT load_id, path, bytes, sha256 FROM load_files WHERE load_id <= 2;
