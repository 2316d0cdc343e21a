-- Errors say what was expected, and what there is.
SELECT linked_features(w_dec, 'nobody#decoder') FROM decoder_directions LIMIT 1;

SELECT linked_features(w_dec, 'smollm2-135m') FROM decoder_directions LIMIT 1;

SELECT linked_features(w_dec, 'layer_29#decoder', 0) FROM decoder_directions LIMIT 1;

SELECT linked_features(w_dec, 'layer_29#decoder', 1001) FROM decoder_directions LIMIT 1;

SELECT linked_features([1]::FLOAT[], 'layer_29#decoder');

SELECT linked_features(NULL, 'layer_29#decoder') AS no_direction, linked_features(w_dec, NULL) AS no_reader, linked_features(w_dec, 'layer_29#decoder', NULL) AS no_k
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- Both ends of one pass: what top_features and bottom_features have, 32 of each where it is not said.
SELECT count(*) AS features,
       count(*) FILTER (l.top_features <> [t.feature FOR t IN top_features(w_dec, 'layer_29#decoder', 32)]) AS other_top,
       count(*) FILTER (l.bottom_weights <> [t.weight FOR t IN bottom_features(w_dec, 'layer_29#decoder', 32)]) AS other_bottom
FROM (SELECT feature, w_dec, linked_features(w_dec, 'layer_29#decoder') AS l FROM decoder_directions WHERE layer = 14 AND feature < 100);

-- The mean and the standard deviation are those of all products.
SELECT count(*) AS features, max(abs(l.mean - list_avg(w)) / l.std) < 1e-6 AS mean, max(abs(l.std - list_stddev_pop(w)) / l.std) < 1e-6 AS std
FROM (SELECT linked_features(w_dec, 'layer_29#decoder', 1) AS l, logit_weights(w_dec, 'layer_29#decoder')::DOUBLE[] AS w FROM decoder_directions WHERE layer = 14 AND feature < 100);

-- A zero direction has no spread, and ties by the lower feature.
SELECT linked_features(list_resize([]::FLOAT[], 576, 0), 'layer_29#decoder', 2) AS zero;
