SELECT baseline_log10_p('nobody', 0, 0, 0.5);

SELECT baseline_log10_p('smollm2-135m', NULL, 0, 0.5) AS no_baseline, baseline_log10_p('smollm2-135m', 100000, 0, 0.5) AS no_such_baseline;

-- What is stored.
SELECT token_set, round(p_value, 6) AS p_value, round(10 ** baseline_log10_p('smollm2-135m', baseline_id, set_id, es), 6) AS again
FROM enrichment JOIN stored_token_sets USING (token_set) JOIN stored_baseline_enrichment USING (set_id)
WHERE layer = 24 AND feature = 7 AND token_set IN ('all_digits', 'boy_names', 'starts_with_space') ORDER BY token_set;

-- The larger the score, the less likely.
SELECT es, round(baseline_log10_p('smollm2-135m', baseline_id, set_id, es), 1) AS log10_p
FROM stored_baseline_enrichment JOIN stored_token_sets USING (set_id), (SELECT unnest([0.1, 0.3, 0.5, 0.7, 1.0]) AS es) WHERE token_set = 'boy_names' ORDER BY es;
