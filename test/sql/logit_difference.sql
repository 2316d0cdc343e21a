-- Errors say what there is.
SELECT logit_difference(w_dec, 'smollm2-135m', ' SHE', ' he') FROM decoder_directions LIMIT 1;

SELECT logit_difference(w_dec, 'smollm2-135m', '', ' he') FROM decoder_directions LIMIT 1;

SELECT logit_difference(w_dec, 'smollm2-135m', [], [' he']) FROM decoder_directions LIMIT 1;

SELECT logit_difference(w_dec, 'layer_29#decoder', ' she', ' he') FROM decoder_directions LIMIT 1;

SELECT logit_difference([1]::FLOAT[], 'smollm2-135m', ' she', ' he');

SELECT logit_difference(NULL, 'smollm2-135m', ' she', ' he') AS no_direction, logit_difference(w_dec, NULL, ' she', ' he') AS no_reader,
       logit_difference(w_dec, 'smollm2-135m', NULL, ' he') AS no_token, logit_difference(w_dec, 'smollm2-135m', [' she'], NULL::VARCHAR[]) AS no_list
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- It is the difference of two logit weights, by text or by spelling, and of lists that of their means.
SELECT count(*) AS features,
       max(abs(logit_difference(w_dec, 'smollm2-135m', ' she', 'Ġhe') - (logit_weight(w_dec, 'smollm2-135m', she) - logit_weight(w_dec, 'smollm2-135m', he)))) < 1e-12 AS as_weights,
       max(abs(logit_difference(w_dec, 'smollm2-135m', [' she', ' her'], [' he']) - (logit_difference(w_dec, 'smollm2-135m', ' she', ' he') + logit_difference(w_dec, 'smollm2-135m', ' her', ' he')) / 2)) < 1e-12 AS as_means
FROM decoder_directions, (SELECT any_value(token_id) FILTER (text = ' she') AS she, any_value(token_id) FILTER (text = ' he') AS he FROM tokens WHERE text IN (' she', ' he'))
WHERE layer = 29;

-- Which features tell them apart.
SELECT feature, round(logit_difference(w_dec, 'smollm2-135m', ' she', ' he'), 2) AS difference FROM decoder_directions WHERE layer = 29 ORDER BY abs(difference) DESC LIMIT 3;
