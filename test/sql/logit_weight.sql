SELECT logit_weight(w_dec, model, -1) FROM decoder_directions LIMIT 1;

SELECT logit_weight(w_dec, model, 49152) FROM decoder_directions LIMIT 1;

SELECT logit_weight(w_dec, model, NULL) AS no_token, logit_weight(NULL, model, 25) AS no_direction
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- It is the inner product with the token's column of the unembedding.
SELECT feature, round(logit_weight(w_dec, model, 25), 4) AS logit_weight, abs(logit_weight(w_dec, model, 25) - list_inner_product(w_dec::DOUBLE[], w_u::DOUBLE[])) < 1e-6 AS is_the_product
FROM decoder_directions JOIN unembeddings USING (model) WHERE layer = 29 AND feature IN (1328, 931) AND token_id = 25 ORDER BY feature;
