-- Errors say what there is.
SELECT set_logit_difference(w_dec, 'layer_29#decoder', 'girl_names', 'boy_names') FROM decoder_directions LIMIT 1;

SELECT set_logit_difference(w_dec, 'nobody', 'girl_names', 'boy_names') FROM decoder_directions LIMIT 1;

SELECT set_logit_difference(NULL, 'smollm2-135m', 'girl_names', 'boy_names') AS no_direction, set_logit_difference(w_dec, 'smollm2-135m', 'girl_names', NULL) AS no_set
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- It is the difference of the mean logit weights of two sets.
SELECT count(*) AS features, max(abs(set_logit_difference(w_dec, 'smollm2-135m', 'girl_names', 'boy_names') - expected)) < 1e-6 AS as_means
FROM (SELECT w_dec, (SELECT avg(weights[token_id + 1]::DOUBLE) FILTER (token_set = 'girl_names') - avg(weights[token_id + 1]::DOUBLE) FILTER (token_set = 'boy_names') FROM token_set_members) AS expected
      FROM (SELECT w_dec, logit_weights(w_dec, 'smollm2-135m') AS weights FROM decoder_directions WHERE layer = 29 AND feature < 20));

SELECT feature, round(set_logit_difference(w_dec, 'smollm2-135m', 'girl_names', 'boy_names'), 3) AS difference FROM decoder_directions WHERE layer = 29 ORDER BY abs(difference) DESC LIMIT 3;
