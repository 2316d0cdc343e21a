SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'set_enrichment' AND schema_name = 'main';

SELECT layer, token_set, direction, beyond_chance, features, feature, round(effect, 3) AS effect, beyond_chance(q_value) AS strongest_beyond, size
FROM set_enrichment WHERE beyond_chance > 5 ORDER BY beyond_chance DESC, layer, token_set, direction;

-- It is what counting the scores gives.
SELECT count(*) AS sets, count(*) FILTER (s.features IS DISTINCT FROM e.features OR s.beyond_chance IS DISTINCT FROM e.beyond OR s.feature IS DISTINCT FROM e.strongest) AS other
FROM set_enrichment s FULL JOIN (
    SELECT sae, token_set, direction, count(*) AS features, count(*) FILTER (beyond_chance(q_value)) AS beyond,
           arg_max(feature, (beyond_chance(q_value), abs(effect), -q_value, -feature)) AS strongest
    FROM enrichment WHERE direction IS NOT NULL GROUP BY ALL
) e USING (sae, token_set, direction);
