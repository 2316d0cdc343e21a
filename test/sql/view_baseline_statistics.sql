SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'baseline_statistics' AND schema_name = 'main';

SELECT statistic, round(q01, 3) AS q01, round(q50, 3) AS q50, round(q99, 3) AS q99, directions, tokens, seed, kind, like_sae FROM baseline_statistics WHERE statistic IN ('skewness', 'kurtosis') ORDER BY statistic;
