SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'features' AND schema_name = 'main';

SELECT feature, label, role, round(skewness, 3) AS skewness, round(kurtosis, 2) AS kurtosis, round(participation, 0) AS participation, round(top_share, 4) AS top_share, top_tokens[:3] AS top_tokens
FROM features WHERE layer = 29 AND feature IN (63, 1328) ORDER BY feature;

-- A view for each layer, and a schema for each release, have the same.
SELECT schema_name, string_agg(view_name, ', ' ORDER BY view_name) AS views FROM duckdb_views()
WHERE view_name SIMILAR TO 'features|layer_[0-9]+' GROUP BY ALL ORDER BY ALL;
