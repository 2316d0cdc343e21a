SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'decoder_directions' AND schema_name = 'main';

SELECT sae, count(*) AS features, min(len(w_dec)) AS d_model FROM decoder_directions GROUP BY sae ORDER BY sae;
