SELECT enrich(w_dec, model, ['no_such_set']) FROM decoder_directions LIMIT 1;

SELECT enrich(w_dec, model, ['all_digits'], 'some') FROM decoder_directions LIMIT 1;

-- NULL in, NULL out; no set at all.
SELECT enrich(NULL, 'smollm2-135m') AS no_direction, enrich(w_dec, model, NULL) AS no_sets, enrich(w_dec, model, []) AS empty
FROM decoder_directions WHERE layer = 29 AND feature = 0;

-- All sets of a model, or some; the score, its direction, p-value and AUC.
SELECT feature, e.token_set, e.size, round(e.es, 4) AS es, e.direction, round(log10(e.p_value), 2) AS log10_p, round(e.auc, 4) AS auc
FROM (SELECT feature, unnest(enrich(w_dec, model, ['all_digits', 'boy_names'])) AS e FROM decoder_directions WHERE layer = 29 AND feature IN (63, 278)) ORDER BY ALL;

-- The same as the view shows, whose ks_p_value this p-value is.
SELECT count(*) AS scores, count(*) FILTER (abs(e.es - v.es) > 1e-6 OR e.direction <> v.direction OR abs(e.p_value - v.ks_p_value) > 1e-3 * e.p_value) AS different
FROM (SELECT feature, unnest(enrich(w_dec, model), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature < 50) e
JOIN enrichment v USING (feature, token_set) WHERE v.layer = 29;

-- Reversing a direction flips the direction of its enrichment and keeps the score.
SELECT round(a.es, 4) AS es, a.direction, round(b.es, 4) AS es_reversed, b.direction AS direction_reversed
FROM (SELECT enrich(w_dec, model, ['all_digits'])[1] AS a, enrich(list_transform(w_dec, lambda x: -x), model, ['all_digits'])[1] AS b
      FROM decoder_directions WHERE layer = 29 AND feature = 63);

-- Special tokens are short, and with 'real' do not count.
SELECT a.token_set, a.size, r.size AS real
FROM (SELECT enrich(w_dec, model, ['length_5', 'all_digits']) AS of_all, enrich(w_dec, model, ['length_5', 'all_digits'], 'real') AS of_real
      FROM decoder_directions WHERE layer = 29 AND feature = 0) f, unnest([1, 2]) i(i), unnest([of_all[i]]) x(a), unnest([of_real[i]]) y(r) ORDER BY ALL;
