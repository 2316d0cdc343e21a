SELECT (feature_statistics(w_dec, model, 'some')).std FROM decoder_directions LIMIT 1;

SELECT (feature_statistics(w_dec, model, 'all', [100000]::INTEGER[])).enrichment AS no_such_set FROM decoder_directions LIMIT 1;

SELECT feature_statistics(NULL, model) AS no_direction, feature_statistics(w_dec, model, NULL) AS no_choice FROM decoder_directions LIMIT 1;

-- What is stored, from one pass.
SELECT count(*) AS features, count(*) FILTER (s.std <> f.std OR s.skewness <> f.skewness OR s.cos_kurtosis <> f.cos_kurtosis OR s.top_tokens <> f.top_tokens) AS different
FROM (SELECT feature, feature_statistics(w_dec, model) AS s FROM decoder_directions WHERE layer = 29 AND feature < 300) JOIN layer_29 f USING (feature);

SELECT feature, [round(e.es, 4) FOR e IN (feature_statistics(w_dec, model, 'all', (SELECT list(set_id ORDER BY set_id) FROM stored_token_sets WHERE token_set IN ('all_digits', 'boy_names')))).enrichment] AS es
FROM decoder_directions WHERE layer = 29 AND feature IN (63, 278) ORDER BY feature;
