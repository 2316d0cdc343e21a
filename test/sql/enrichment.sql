-- All sets of a model, or some; the score, its direction, p-value and AUC.
SELECT feature, e.token_set, e.size, round(e.es, 4) AS es, e.direction, round(log10(e.p_value), 2) AS log10_p, round(e.auc, 4) AS auc
FROM (SELECT feature, unnest(enrich(w_dec, model, ['all_digits', 'boy_names'])) AS e FROM decoder_directions WHERE layer = 29 AND feature IN (63, 278)) ORDER BY ALL;

-- The same as the view shows.
SELECT count(*) AS scores, count(*) FILTER (abs(e.es - v.es) > 1e-6 OR e.direction <> v.direction OR abs(e.p_value - v.p_value) > 1e-3 * e.p_value) AS different
FROM (SELECT feature, unnest(enrich(w_dec, model), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature < 50) e
JOIN enrichment v USING (feature, token_set) WHERE v.layer = 29;

-- Reversing a direction flips the direction of its enrichment and keeps the score.
SELECT round(a.es, 4) AS es, a.direction, round(b.es, 4) AS es_reversed, b.direction AS direction_reversed
FROM (SELECT enrich(w_dec, model, ['all_digits'])[1] AS a, enrich(list_transform(w_dec, lambda x: -x), model, ['all_digits'])[1] AS b
      FROM decoder_directions WHERE layer = 29 AND feature = 63);

SELECT round(enrichment_score(w_dec, model, 'girl_names'), 4) AS es FROM decoder_directions WHERE layer = 24 AND feature = 202;

SELECT text, rank, round(logit_weight, 3) AS logit_weight FROM (
    SELECT unnest(leading_edge(w_dec, model, 'all_digits'), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature = 278) LIMIT 3;

-- Weighted as GSEA: members count with their logit weights. A weight of 0 is none.
SELECT len(leading_edge(w_dec, model, 'boy_names', 1)) AS weighted, len(leading_edge(w_dec, model, 'boy_names')) AS unweighted,
       leading_edge(w_dec, model, 'boy_names', 0) = leading_edge(w_dec, model, 'boy_names') AS same, leading_edge(w_dec, model, 'boy_names', NULL) AS none
FROM decoder_directions WHERE layer = 24 AND feature = 202;

-- Its last member is where the weighted running sum turns: up to there it is the score.
WITH f AS (SELECT w_dec, model FROM decoder_directions WHERE layer = 24 AND feature = 202),
edge AS (SELECT unnest(leading_edge(w_dec, model, 'boy_names', 1), recursive := true) FROM f),
members AS (SELECT sum(abs(logit_weight)) AS total, count(*) AS m FROM (SELECT unnest(range(49152)) AS token_id, unnest(logit_weights(w_dec, model)) AS logit_weight FROM f)
            JOIN token_set_members USING (token_id) WHERE token_set = 'boy_names')
SELECT abs(sum(abs(logit_weight)) / any_value(total) - (max(rank) - count(*)) / (49152 - any_value(m)) - any_value((SELECT weighted_enrichment(w_dec, model, ['boy_names'], 1, 0)[1].es FROM f))) < 1e-6 AS is_the_score
FROM edge, members;

SELECT leading_edge(w_dec, model, 'all_digits', -1) FROM decoder_directions LIMIT 1;

-- NULL in, NULL out; no set of that name, no sets at all.
SELECT enrich(NULL, 'smollm2-135m') AS a, enrich(w_dec, model, NULL) AS b, enrich(w_dec, model, []) AS c, enrichment_score(w_dec, model, NULL) AS d
FROM decoder_directions WHERE layer = 29 AND feature = 0;

SELECT enrichment_score(w_dec, model, 'no_such_set') FROM decoder_directions LIMIT 1;

SELECT weighted_enrichment(w_dec, model, ['all_digits'], -1, 10) FROM decoder_directions LIMIT 1;

-- Weighted, with permutations: the same call gives the same figures.
SELECT e.token_set, round(e.es, 4) AS es, e.nes > 1 AS enriched, e = again AS same
FROM (SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 50)[1] AS e, weighted_enrichment(w_dec, model, ['all_digits'], 1.0, 50)[1] AS again
      FROM decoder_directions WHERE layer = 29 AND feature = 278);

-- Another seed draws other sets; q-values are over the sets of the call.
SELECT a.es = b.es AS same_score, a.nes = b.nes AS same_nes, a.q_value = a.p_value AS alone
FROM (SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 50, 1)[1] AS a, weighted_enrichment(w_dec, model, ['all_digits'], 1, 50, 2)[1] AS b
      FROM decoder_directions WHERE layer = 29 AND feature = 278);

-- From a token back to features; a feature's ranking; features like it.
SELECT layer, feature, round(logit_weight, 3) AS logit_weight FROM features_for_token(' three', k := 3);

SELECT text, rank FROM feature_logits('blocks.29.hook_resid_pre', 63) LIMIT 3;

SELECT layer, feature, round(cosine, 4) AS cosine FROM similar_features('blocks.29.hook_resid_pre', 63, k := 3);

-- Against chance: the baseline, random directions of either kind, and a score's p-value.
SELECT token_set, round(expected_es, 4) AS expected_es, round(es_q99, 4) AS es_q99, round(es_location, 3) AS es_location, round(es_scale, 3) AS es_scale, directions, kind
FROM baseline_enrichment WHERE token_set IN ('all_digits', 'boy_names', 'starts_with_space') ORDER BY token_set;

SELECT row, md5(CAST(random_direction(1, row, 576) AS VARCHAR)) AS isotropic, md5(CAST(random_direction_like(1, row, 'smollm2-demo/blocks.29.hook_resid_pre') AS VARCHAR)) AS like_sae
FROM (SELECT unnest([0, 1, 4095]) AS row) ORDER BY row;

SELECT token_set, round(p_value, 6) AS p_value, round(10 ** baseline_log10_p('smollm2-135m', baseline_id, set_id, es), 6) AS again
FROM enrichment JOIN stored_token_sets USING (token_set) JOIN stored_baseline_enrichment USING (set_id)
WHERE layer = 24 AND feature = 7 AND token_set IN ('all_digits', 'boy_names', 'starts_with_space') ORDER BY token_set;

SELECT random_direction_like(1, 0, NULL) AS a, random_direction_like(NULL, 0, 'nobody') AS b;

SELECT random_direction_like(1, 0, 'nobody');
