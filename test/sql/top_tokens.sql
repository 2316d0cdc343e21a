SELECT feature, [t.text FOR t IN top_tokens(w_dec, model, 3)] AS top, [t.token FOR t IN bottom_tokens(w_dec, model, 3)] AS bottom
FROM decoder_directions WHERE layer = 29 AND feature IN (1328, 931) ORDER BY feature;

-- Ids, tokens, texts and logit weights.
SELECT t.token_id, t.token, t.text, round(t.logit_weight, 4) AS logit_weight
FROM (SELECT unnest(top_tokens(w_dec, model, 4)) AS t FROM decoder_directions WHERE layer = 29 AND feature = 1328);

-- A different k a row.
SELECT feature, len(top_tokens(w_dec, model, feature + 1)) AS n FROM decoder_directions WHERE layer = 29 AND feature < 4 ORDER BY feature;

-- The view features shows the same ten.
SELECT count(*) AS features, count(*) FILTER ([t.token_id FOR t IN top_tokens(w_dec, d.model, 10)] <> top_token_ids) AS different
FROM decoder_directions d JOIN saes USING (sae, release) JOIN stored_statistics s ON s.sae_id = load_id AND s.feature = d.feature
WHERE d.layer = 9 AND d.feature < 300;

-- The logit weight of one token, and of all of them.
SELECT feature, round(logit_weight(w_dec, model, 25), 4) AS one, round(logit_weights(w_dec, model)[26], 4) AS of_all, len(logit_weights(w_dec, model)) AS n
FROM decoder_directions WHERE layer = 29 AND feature IN (1328, 931) ORDER BY feature;

SELECT logit_weight(w_dec, model, NULL) AS a, logit_weights(NULL, model) AS b, top_tokens(w_dec, model, NULL) AS c
FROM decoder_directions WHERE layer = 29 AND feature = 0;

SELECT top_tokens(w_dec, model, -1) FROM decoder_directions LIMIT 1;

SELECT logit_weight(w_dec, model, -1) FROM decoder_directions LIMIT 1;

SELECT (feature_statistics(w_dec, model, 'some')).std FROM decoder_directions LIMIT 1;
