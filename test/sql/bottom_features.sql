SELECT bottom_features(w_dec, 'smollm2-135m') FROM decoder_directions LIMIT 1;

SELECT bottom_features(w_dec, 'layer_29#decoder', 1001) FROM decoder_directions LIMIT 1;

SELECT bottom_features(NULL, 'layer_29#decoder') AS no_direction, bottom_features(w_dec, NULL) AS no_reader FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- The lowest is the highest of the opposite direction.
SELECT count(*) AS features, count(*) FILTER ([f.feature FOR f IN bottom_features(w_dec, 'layer_4#decoder')] <>
       [f.feature FOR f IN top_features([-w FOR w IN w_dec], 'layer_4#decoder')]) AS different
FROM decoder_directions WHERE layer = 29 AND feature < 100;

-- A different k a row.
SELECT feature, len(bottom_features(w_dec, 'layer_29#decoder', feature + 1)) AS n FROM decoder_directions WHERE layer = 29 AND feature < 4 ORDER BY feature;
