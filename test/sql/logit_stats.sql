-- Errors say what was expected and found.
SELECT logit_stats([1, 2]::FLOAT[], 'smollm2-135m');

SELECT logit_stats([]::FLOAT[], 'smollm2-135m');

SELECT logit_stats(w_dec, 'gpt2') FROM decoder_directions LIMIT 1;

SELECT logit_stats(list_resize([1, NULL]::FLOAT[], 576, 0), 'smollm2-135m');

SELECT logit_stats(list_resize(['NaN']::FLOAT[], 576, 0), 'smollm2-135m');

SELECT logit_stats(['a'], 'smollm2-135m');

-- try() catches them.
SELECT try(logit_stats([1, 2]::FLOAT[], 'smollm2-135m')) AS tried;

-- The distribution of a feature's logit weights, rounded so that every kernel agrees.
SELECT feature, round(s.std, 5) AS std, round(s.skewness, 4) AS skewness, round(s.kurtosis, 4) AS kurtosis
FROM (SELECT feature, logit_stats(w_dec, model) AS s FROM decoder_directions WHERE layer = 29 AND feature < 3)
ORDER BY feature;

-- With token columns of unit length.
SELECT feature, round(s.mean, 6) AS mean, round(s.kurtosis, 4) AS kurtosis
FROM (SELECT feature, logit_stats(w_dec, model, true) AS s FROM decoder_directions WHERE layer = 29 AND feature < 3)
ORDER BY feature;

-- The same figures are stored.
SELECT count(*) AS features, count(*) FILTER (s.skewness <> skewness OR s.std <> std) AS different
FROM layer_4 JOIN (SELECT feature, logit_stats(w_dec, 'smollm2-135m') AS s FROM decoder_directions WHERE layer = 4) USING (feature);

-- A vector that a person computes: the sum of two features, as DOUBLE[] too.
SELECT round((logit_stats(list_transform(list_zip(a.w_dec, b.w_dec), lambda p: p[1] + p[2]), 'smollm2-135m')).std, 5) AS std,
       round((logit_stats(list_transform(list_zip(a.w_dec, b.w_dec), lambda p: CAST(p[1] + p[2] AS DOUBLE)), 'smollm2-135m')).std, 5) AS std_double
FROM decoder_directions a, decoder_directions b
WHERE a.layer = 29 AND a.feature = 1 AND b.layer = 29 AND b.feature = 2;

-- A row of another table: a token's own column of the unembedding.
SELECT round((logit_stats(w_u, model)).skewness, 3) AS skewness FROM unembeddings WHERE token_id = 260;

-- Fixed-length arrays.
SELECT round((logit_stats(CAST(w_dec AS FLOAT[576]), model)).std, 5) AS single, round((logit_stats(CAST(w_dec AS DOUBLE[576]), model)).std, 5) AS double
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- NULL, in every place.
SELECT logit_stats(NULL, 'smollm2-135m') AS a, logit_stats(NULL::FLOAT[], 'smollm2-135m') AS b, logit_stats([1]::FLOAT[], NULL) AS c;

SELECT n, (logit_stats(w_dec, model)).std IS NULL AS is_null
FROM range(3) t(n) LEFT JOIN (SELECT feature, w_dec, model FROM decoder_directions WHERE layer = 29 AND feature < 2) d ON d.feature = n
ORDER BY n;

-- A zero direction has std 0 and no skewness.
SELECT logit_stats(list_resize([]::FLOAT[], 576, 0), 'smollm2-135m') AS zero;

-- No rows in, no rows out.
SELECT logit_stats(w_dec, model) FROM decoder_directions WHERE false;
