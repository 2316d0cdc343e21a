SELECT enrichment_values(w_dec, model, [100000]::INTEGER[], 'all') AS no_such_set FROM decoder_directions LIMIT 1;

SELECT enrichment_values(w_dec, model, [1]::INTEGER[], 'some') FROM decoder_directions LIMIT 1;

SELECT enrichment_values(w_dec, model, NULL, 'all') AS no_sets, enrichment_values(w_dec, model, [], 'all') AS empty FROM decoder_directions LIMIT 1;

-- What is stored.
SELECT count(*) AS scores, count(*) FILTER (s.es <> v.es OR s.promoted <> v.promoted OR s.auc <> v.auc) AS different
FROM (SELECT feature, unnest(enrichment_values(w_dec, model, (SELECT list(set_id) FROM stored_token_sets), 'all')) AS v FROM decoder_directions WHERE layer = 29 AND feature < 50) f
JOIN stored_enrichment s ON s.set_id = v.set_id AND s.feature = f.feature JOIN saes ON load_id = sae_id AND layer = 29;
