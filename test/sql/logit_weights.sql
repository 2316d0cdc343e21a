SELECT logit_weights([1, 2]::FLOAT[], 'smollm2-135m');

SELECT logit_weights(NULL, model) AS no_direction, logit_weights(w_dec, NULL) AS no_model FROM decoder_directions LIMIT 1;

SELECT feature, len(logit_weights(w_dec, model)) AS n, round(logit_weights(w_dec, model)[26], 4) AS of_token_25, round(logit_weight(w_dec, model, 25), 4) AS alone
FROM decoder_directions WHERE layer = 29 AND feature IN (1328, 931) ORDER BY feature;
