SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'models' AND schema_name = 'main';

SELECT model, architecture, d_model, d_vocab, format, dtype, norm, norm_folded, centered_over_d_model, centered_over_vocabulary FROM models;
