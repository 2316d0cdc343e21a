SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'baseline_enrichment' AND schema_name = 'main';

SELECT token_set, round(expected_es, 4) AS expected_es, round(es_q99, 4) AS es_q99, round(es_location, 3) AS es_location, round(es_scale, 3) AS es_scale, directions, kind
FROM baseline_enrichment WHERE token_set IN ('all_digits', 'boy_names', 'starts_with_space') ORDER BY token_set;
