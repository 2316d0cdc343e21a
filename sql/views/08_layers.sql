CREATE OR REPLACE VIEW layers AS
WITH bars AS (
    SELECT e.sae_id, sum(e.adjusted) AS pairs, max(e.highest_log10_p) AS log10_bar
    FROM stored_set_enrichment e JOIN (SELECT set_id, family FROM stored_token_sets) t USING (set_id)
    GROUP BY e.sae_id, t.family
), chance AS (
    SELECT sae_id, coalesce(sum(pairs * pow(10.0, CAST(log10_bar AS DOUBLE))), 0) AS expected FROM bars GROUP BY sae_id HAVING sum(pairs) > 0
)
SELECT s.layer, s.d_sae AS features, CASE WHEN c.sae_id IS NOT NULL THEN coalesce(l.labelled, 0) END AS beyond_chance,
       c.expected AS expected_by_chance, s.sae, s.hook, s.release, s.model
FROM saes s
LEFT JOIN chance c ON c.sae_id = s.load_id
LEFT JOIN (SELECT sae_id, count(*) AS labelled FROM stored_labels GROUP BY sae_id) l ON l.sae_id = s.load_id
ORDER BY s.release, s.layer, s.sae;
COMMENT ON VIEW layers IS 'Every loaded SAE, by layer: how many of its features write some token set beyond chance, against how many random directions would.';
COMMENT ON COLUMN layers.sae IS 'The SAE.';
COMMENT ON COLUMN layers.release IS 'Its release.';
COMMENT ON COLUMN layers.model IS 'Its model.';
COMMENT ON COLUMN layers.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN layers.features IS 'Number of features.';
COMMENT ON COLUMN layers.beyond_chance IS 'How many of them have a token set beyond chance (q < 0.05): those that have a label. NULL without a baseline.';
COMMENT ON COLUMN layers.expected_by_chance IS 'Of as many random directions, at most how many are expected to score as much as the least of these: the sum over families of sets of features times sets times the highest p-value beyond chance.';
