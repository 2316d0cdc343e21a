SELECT top_tokens(w_dec, model, -1) FROM decoder_directions LIMIT 1;

SELECT top_tokens(w_dec, model, 3, 'some') FROM decoder_directions LIMIT 1;

SELECT top_tokens(w_dec, model, NULL) AS no_k, top_tokens(NULL, model, 3) AS no_direction, top_tokens(w_dec, model, 0) AS none
FROM decoder_directions WHERE layer = 29 AND feature = 63;

-- Ids, tokens, texts and logit weights.
SELECT t.token_id, t.token, t.text, round(t.logit_weight, 4) AS logit_weight
FROM (SELECT unnest(top_tokens(w_dec, model, 4)) AS t FROM decoder_directions WHERE layer = 29 AND feature = 1328);

-- A different k a row; more than there are gives all.
SELECT feature, len(top_tokens(w_dec, model, feature + 1)) AS n, len(top_tokens(w_dec, model, 100000)) AS all FROM decoder_directions WHERE layer = 29 AND feature < 4 ORDER BY feature;

-- The view features shows the same ten.
SELECT count(*) AS features, count(*) FILTER ([t.token_id FOR t IN top_tokens(w_dec, d.model, 10)] <> top_token_ids) AS different
FROM decoder_directions d JOIN saes USING (sae, release) JOIN stored_statistics s ON s.sae_id = load_id AND s.feature = d.feature
WHERE d.layer = 9 AND d.feature < 300;
