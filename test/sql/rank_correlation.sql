SELECT rank_correlation(w_dec, 'nobody', w_dec) FROM decoder_directions LIMIT 1;

SELECT rank_correlation(w_dec, 'smollm2-135m', [1]::FLOAT[]) FROM decoder_directions LIMIT 1;

SELECT rank_correlation(w_dec, 'smollm2-135m', 'w_dec') FROM decoder_directions LIMIT 1;

SELECT rank_correlation(w_dec, 'smollm2-135m', w_dec, 'some') FROM decoder_directions LIMIT 1;

SELECT rank_correlation(NULL, 'smollm2-135m', w_dec) AS no_direction, rank_correlation(w_dec, NULL, w_dec) AS no_reader, rank_correlation(w_dec, 'smollm2-135m', NULL) AS no_other,
       rank_correlation(w_dec, 'smollm2-135m', w_dec, NULL) AS no_tokens, rank_correlation(w_dec, 'smollm2-135m', list_transform(w_dec, lambda w: 0 * w)) AS nothing_ranks
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- A direction ranks tokens as itself does, its opposite from below.
SELECT count(*) AS features, count(*) FILTER (rank_correlation(w_dec, model, w_dec) = 1) AS alike, count(*) FILTER (rank_correlation(w_dec, model, list_transform(w_dec, lambda w: -2 * w)) = -1) AS opposite
FROM decoder_directions WHERE layer = 29 AND feature < 20;

-- It is what DuckDB's correlation of mean ranks is; real tokens alone are ranked where it is said.
WITH weights AS (
    SELECT unnest(logit_weights(a.w_dec, a.model)) AS x, unnest(logit_weights(b.w_dec, b.model)) AS y, unnest(range(len(logit_weights(a.w_dec, a.model)))) AS token_id
    FROM decoder_directions a, decoder_directions b WHERE a.layer = 29 AND a.feature = 1328 AND b.layer = 24 AND b.feature = 334
),
ranks AS (SELECT rank() OVER (ORDER BY x) + count(*) OVER (PARTITION BY x) / 2 AS rx, rank() OVER (ORDER BY y) + count(*) OVER (PARTITION BY y) / 2 AS ry FROM weights),
real_weights AS (SELECT w.* FROM weights w JOIN tokens USING (token_id) WHERE NOT is_special AND NOT is_padding),
real_ranks AS (SELECT rank() OVER (ORDER BY x) + count(*) OVER (PARTITION BY x) / 2 AS rx, rank() OVER (ORDER BY y) + count(*) OVER (PARTITION BY y) / 2 AS ry FROM real_weights)
SELECT round(rank_correlation(a.w_dec, a.model, b.w_dec), 4) AS correlation,
       abs(rank_correlation(a.w_dec, a.model, b.w_dec) - (SELECT corr(rx, ry) FROM ranks)) < 1e-6 AS equal,
       abs(rank_correlation(a.w_dec, a.model, b.w_dec, 'real') - (SELECT corr(rx, ry) FROM real_ranks)) < 1e-6 AS equal_of_real
FROM decoder_directions a, decoder_directions b WHERE a.layer = 29 AND a.feature = 1328 AND b.layer = 24 AND b.feature = 334;
