-- Errors say what was expected, and what there is.
SELECT top_features(w_dec, 'nobody#decoder') FROM decoder_directions LIMIT 1;

SELECT top_features(w_dec, 'layer_29#encoder') FROM decoder_directions LIMIT 1;

SELECT top_features(w_dec, 'layer_29') FROM decoder_directions LIMIT 1;

SELECT top_features(w_dec, 'smollm2-135m') FROM decoder_directions LIMIT 1;

SELECT top_features([1]::FLOAT[], 'layer_29#decoder');

SELECT top_features(w_dec, 'layer_29#decoder', 0) FROM decoder_directions LIMIT 1;

-- What works with tokens alone names what works with features.
SELECT top_tokens(w_dec, 'layer_29#decoder', 3) FROM decoder_directions LIMIT 1;

SELECT enrich(w_dec, 'layer_29#decoder') FROM decoder_directions LIMIT 1;

SELECT logit_stats(w_dec, 'layer_29#decoder', 'real') FROM decoder_directions LIMIT 1;

SELECT top_features(NULL, 'layer_29#decoder') AS no_direction, top_features(w_dec, NULL) AS no_reader, top_features(w_dec, 'layer_29#decoder', NULL) AS no_k
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- The features of layer 29 that write along one of layer 14: closing brackets.
SELECT t.feature, round(t.weight, 4) AS weight, f.top_tokens[:3] AS tokens
FROM (SELECT unnest(top_features(w_dec, 'layer_29#decoder', 3)) AS t FROM decoder_directions WHERE layer = 14 AND feature = 1535) JOIN layer_29 f ON f.feature = t.feature
ORDER BY t.weight DESC;

-- They are what all products say; ten where it is not said how many.
SELECT count(*) AS features, count(*) FILTER ([f.feature FOR f IN top] <> sorted[:10]) AS different
FROM (SELECT feature, top_features(w_dec, 'layer_4#decoder') AS top, list_grade_up(logit_weights(w_dec, 'layer_4#decoder'), 'DESC') AS places
      FROM decoder_directions WHERE layer = 29 AND feature < 100), LATERAL (SELECT [p - 1 FOR p IN places] AS sorted);

-- A direction's product with a feature's is that of the two lists.
SELECT count(*) AS features, max(abs(logit_weight(a.w_dec, 'layer_4#decoder', a.feature) - list_inner_product(a.w_dec::DOUBLE[], b.w_dec::DOUBLE[]))) < 1e-12 AS equal
FROM decoder_directions a JOIN decoder_directions b USING (feature) WHERE a.layer = 29 AND b.layer = 4 AND feature < 100;
