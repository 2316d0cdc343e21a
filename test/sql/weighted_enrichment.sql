SELECT weighted_enrichment(w_dec, model, ['all_digits'], -1, 10) FROM decoder_directions LIMIT 1;

SELECT weighted_enrichment(w_dec, model, ['no_such_set'], 1, 10) FROM decoder_directions LIMIT 1;

-- Weighted, with permutations: the same call gives the same figures.
SELECT e.token_set, round(e.es, 4) AS es, e.nes > 1 AS enriched, e = again AS same
FROM (SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 50)[1] AS e, weighted_enrichment(w_dec, model, ['all_digits'], 1.0, 50)[1] AS again
      FROM decoder_directions WHERE layer = 29 AND feature = 278);

-- Another seed draws other sets; q-values are over the sets of the call.
SELECT a.es = b.es AS same_score, a.nes = b.nes AS same_nes, a.q_value = a.p_value AS alone
FROM (SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 50, 1)[1] AS a, weighted_enrichment(w_dec, model, ['all_digits'], 1, 50, 2)[1] AS b
      FROM decoder_directions WHERE layer = 29 AND feature = 278);
