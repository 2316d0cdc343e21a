-- Errors say what was expected, and what there is.
SELECT nearest_features(w_dec, 'nobody#decoder') FROM decoder_directions LIMIT 1;

SELECT nearest_features(w_dec, 'smollm2-135m') FROM decoder_directions LIMIT 1;

SELECT nearest_features(w_dec, 'layer_29#decoder', 0) FROM decoder_directions LIMIT 1;

SELECT nearest_features(NULL, 'layer_29#decoder') AS no_direction, nearest_features(w_dec, NULL) AS no_reader, nearest_features(w_dec, 'layer_29#decoder', NULL) AS no_k
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- A zero direction is near nothing.
SELECT nearest_features(list_resize([]::FLOAT[], 576, 0), 'layer_29#decoder', 2) AS zero;

-- The closing bracket of layer 14 is near that of layer 29, whatever its length.
SELECT feature, n.features, [round(c, 4) FOR c IN n.cosines] AS cosines, round(n.mean_absolute_cosine, 5) AS mean_absolute_cosine
FROM (SELECT feature, unnest([nearest_features(w_dec, 'layer_29#decoder', 2), nearest_features([1000 * w FOR w IN w_dec], 'layer_29#decoder', 2)]) AS n FROM decoder_directions WHERE layer = 14 AND feature = 1535);

-- They are what all cosines in float64 say.
WITH one AS (SELECT feature, w_dec, nearest_features(w_dec, 'layer_4#decoder', 10) AS n FROM decoder_directions WHERE layer = 29 AND feature < 20),
cosines AS (SELECT o.feature, d.feature AS other, list_cosine_similarity(o.w_dec::DOUBLE[], d.w_dec::DOUBLE[]) AS cosine FROM one o, decoder_directions d WHERE d.layer = 4),
all_of_one AS (SELECT feature, list(other ORDER BY cosine DESC, other)[:10] AS features, list(cosine ORDER BY cosine DESC)[:10] AS cosines, avg(abs(cosine)) AS mean FROM cosines GROUP BY feature)
SELECT count(*) AS features, count(*) FILTER (n.features <> a.features) AS different,
       max(list_max([abs(n.cosines[i] - a.cosines[i]) FOR i IN range(1, 11)])) < 1e-14 AS equal, max(abs(n.mean_absolute_cosine - mean)) < 1e-8 AS mean
FROM one JOIN all_of_one a USING (feature);
