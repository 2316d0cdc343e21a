SELECT l_moments([1, 2]::FLOAT[], 'smollm2-135m');

SELECT l_moments(w_dec, model, 'some') FROM decoder_directions LIMIT 1;

-- From all logit weights of the vocabulary, and beside Hosking's probability weighted moments b0, b1, b2 of them.
SELECT feature, round(s.l_scale, 5) AS l_scale, round(s.l_skewness, 4) AS l_skewness, round(s.l_kurtosis, 4) AS l_kurtosis
FROM (SELECT feature, l_moments(w_dec, model) AS s FROM decoder_directions WHERE layer = 29 AND feature < 3)
ORDER BY feature;

WITH x AS (SELECT logit_weight::DOUBLE AS x, row_number() OVER (ORDER BY logit_weight) - 1.0::DOUBLE AS j, count(*) OVER ()::DOUBLE AS n FROM feature_logits('layer_29', 1)),
b AS (SELECT avg(x) AS b0, avg(x * j / (n - 1)) AS b1, avg(x * j * (j - 1) / (n - 1) / (n - 2)) AS b2 FROM x)
SELECT round(2 * b1 - b0, 5) AS l_scale, round((6 * b2 - 6 * b1 + b0) / (2 * b1 - b0), 4) AS l_skewness FROM b;

-- Of a part of the vocabulary; of a direction a thousand times as long.
SELECT round((l_moments(w_dec, model, 'real')).l_skewness, 4) AS real, round((l_moments(list_transform(w_dec, lambda w: 1000 * w), model)).l_skewness, 4) AS long
FROM decoder_directions WHERE layer = 29 AND feature = 1;

-- A zero direction has l_scale 0 and no shape; NULL gives NULL.
SELECT l_moments(list_resize([]::FLOAT[], 576, 0), 'smollm2-135m') AS zero, l_moments(NULL, 'smollm2-135m') AS a, l_moments([1]::FLOAT[], NULL) AS b;
