SELECT enrichment_score(w_dec, model, 'no_such_set') FROM decoder_directions LIMIT 1;

SELECT enrichment_score(w_dec, model, NULL) AS no_set FROM decoder_directions LIMIT 1;

SELECT round(enrichment_score(w_dec, model, 'girl_names'), 4) AS es FROM decoder_directions WHERE layer = 24 AND feature = 202;

-- A set for each row.
SELECT token_set, round(enrichment_score(w_dec, model, token_set), 4) AS es FROM decoder_directions, (SELECT unnest(['boy_names', 'all_digits']) AS token_set)
WHERE layer = 24 AND feature = 202 ORDER BY token_set;
