-- saedb from DuckDB's own shell, from the top of the repository:
--
--     duckdb -unsigned -readonly demo.db < examples/clients/shell/features.sql

LOAD 'build/extension/saedb.duckdb_extension';

-- Views are tables like any others.
SELECT feature, round(skewness, 2) AS skewness, array_to_string(top_tokens[:4], ' ') AS promotes
FROM layer_29
ORDER BY layer_29.skewness DESC
LIMIT 5;

-- Any vector will do where a decoder direction does: here a steering vector.
SET VARIABLE steering = (
    SELECT list_transform(list_zip(a.w_dec, b.w_dec), lambda p: p[1] + p[2])
    FROM decoder_directions a, decoder_directions b
    WHERE a.layer = 29 AND a.feature = 63 AND b.layer = 29 AND b.feature = 1328
);

SELECT round((logit_stats(getvariable('steering'), 'smollm2-135m')).skewness, 2) AS skewness;

SELECT round(logit_weight, 2) AS logit_weight, text
FROM (SELECT unnest(top_tokens(getvariable('steering'), 'smollm2-135m', 5), recursive := true));

SELECT round(es, 3) AS es, token_set, direction
FROM (SELECT unnest(enrich(getvariable('steering'), 'smollm2-135m', ['all_digits', 'contains_close_bracket', 'boy_names']), recursive := true));
