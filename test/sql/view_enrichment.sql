SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'enrichment' AND schema_name = 'main';

SELECT feature, round(effect, 3) AS effect, direction, round(es, 4) AS es, round(expected_es, 4) AS expected_es, round(es_z, 1) AS es_z, beyond_chance(q_value) AS beyond_chance, beyond_chance(q_all) AS over_all
FROM enrichment WHERE layer = 29 AND token_set = 'all_digits' AND feature IN (278, 0) ORDER BY feature;

SELECT count(*) AS scores, count(DISTINCT token_set) AS sets, count(*) FILTER (abs(effect - (2 * auc - 1)) > 1e-6) AS other_effect FROM enrichment;
