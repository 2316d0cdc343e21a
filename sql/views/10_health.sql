-- What is wrong with an SAE as such. Everything is NULL where it was not computed, or not of
-- all features.
CREATE OR REPLACE VIEW sae_health AS
WITH computed AS (SELECT sae_id, count(*) AS features, count(*) FILTER (decoder_norm = 0) AS zero_decoders FROM stored_statistics GROUP BY sae_id),
firing AS (SELECT sae_id, CASE WHEN count(log_sparsity) > 0 THEN count(*) FILTER (log_sparsity <= -10) END AS never_fire FROM stored_decoders GROUP BY sae_id),
within AS (
    SELECT p.sae_id, count(*) AS features, count(*) - count(n.mean_absolute_cosine) AS zero_decoders, count(*) FILTER (n.cosines[1] > 0.9) AS duplicates,
           -- Each mean has the feature's own cosine in it, which is 1.
           (count(n.mean_absolute_cosine) * avg(n.mean_absolute_cosine) - 1) / nullif(count(n.mean_absolute_cosine) - 1, 0) AS mean_absolute_cosine
    FROM stored_neighbours n JOIN stored_sae_pairs p ON n.pair_id = p.pair_id
    WHERE p.kind = 'neighbours' AND p.sae_id = p.other_id GROUP BY p.sae_id
),
aligned AS (
    SELECT e.sae_id, avg(list_inner_product(CAST(e.w_enc AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[])) / nullif(sqrt(list_inner_product(CAST(e.w_enc AS DOUBLE[]), CAST(e.w_enc AS DOUBLE[])))
               * sqrt(list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[]))), 0)) AS encoder_decoder_cosine
    FROM stored_encoders e JOIN stored_decoders d ON d.sae_id = e.sae_id AND d.feature = e.feature GROUP BY e.sae_id
),
significant AS (SELECT sae_id, count(*) AS features, count(*) FILTER (beyond_chance(kurtosis_q)) AS kurtosis FROM stored_significance GROUP BY sae_id),
labelled AS (SELECT sae_id, count(*) AS sets FROM stored_labels GROUP BY sae_id),
excited AS (SELECT sae_id, count(*) AS features, count(*) FILTER (beyond_chance(kurtosis_q)) AS kurtosis FROM stored_input_significance GROUP BY sae_id),
excited_by AS (SELECT sae_id, count(*) AS sets FROM stored_input_labels GROUP BY sae_id)
SELECT s.sae, s.layer, s.d_sae AS features, coalesce(c.zero_decoders, w.zero_decoders) AS zero_decoders, f.never_fire, w.duplicates, w.mean_absolute_cosine,
       exp(lgamma(s.d_model / 2) - lgamma((s.d_model + 1) / 2)) / sqrt(pi()) AS random_absolute_cosine, a.encoder_decoder_cosine,
       g.kurtosis / s.d_sae AS kurtosis_beyond_chance, CASE WHEN g.features > 0 AND k.scores > 0 THEN coalesce(l.sets, 0) / s.d_sae END AS sets_beyond_chance,
       x.kurtosis / s.d_sae AS input_kurtosis_beyond_chance, CASE WHEN x.features > 0 AND i.scores > 0 THEN coalesce(b.sets, 0) / s.d_sae END AS input_sets_beyond_chance,
       s.short_name, s.release, s.model
FROM saes s
LEFT JOIN computed c ON c.sae_id = s.load_id AND c.features = s.d_sae
LEFT JOIN firing f ON f.sae_id = s.load_id
LEFT JOIN within w ON w.sae_id = s.load_id AND w.features = s.d_sae
LEFT JOIN aligned a ON a.sae_id = s.load_id
LEFT JOIN significant g ON g.sae_id = s.load_id AND g.features = s.d_sae
LEFT JOIN labelled l ON l.sae_id = s.load_id
LEFT JOIN stored_computations k ON k.sae_id = s.load_id
LEFT JOIN excited x ON x.sae_id = s.load_id AND x.features = s.d_sae
LEFT JOIN excited_by b ON b.sae_id = s.load_id
LEFT JOIN stored_input_computations i ON i.sae_id = s.load_id;
COMMENT ON VIEW sae_health IS 'What is wrong with each SAE as such: features without a direction, features twice, directions crowded together, encoders that do not read what the decoder writes. NULL where it was not computed: zero_decoders needs saedb compute, or compute --neighbours of the SAE, as duplicates and mean_absolute_cosine do; the shares beyond chance need a baseline.';
COMMENT ON COLUMN sae_health.sae IS 'The SAE.';
COMMENT ON COLUMN sae_health.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN sae_health.features IS 'Number of features.';
COMMENT ON COLUMN sae_health.zero_decoders IS 'Features whose decoder direction is zero: they write nothing.';
COMMENT ON COLUMN sae_health.never_fire IS 'Features that never fired, by log_sparsity in the SAE''s own files (-10); NULL where the files do not say.';
COMMENT ON COLUMN sae_health.duplicates IS 'Features with another one in the SAE whose decoder direction has a cosine above 0.9 with theirs.';
COMMENT ON COLUMN sae_health.mean_absolute_cosine IS 'Mean magnitude of the cosines of all pairs of different features'' decoder directions, zero ones left out: c_dec of Chanin and Garriga-Alonso (Sparse but Wrong, 2025, arXiv 2508.16560), low where the directions are apart.';
COMMENT ON COLUMN sae_health.random_absolute_cosine IS 'The same of random directions of d_model dimensions, Γ(d/2)/(√π Γ((d + 1)/2)): about √(2/(π d)).';
COMMENT ON COLUMN sae_health.encoder_decoder_cosine IS 'Mean cosine of encoder rows with the decoder directions of the same features, of which both are not zero; NULL where the encoder was not loaded. Of a transcoder it says nothing, whose two sides are in different places.';
COMMENT ON COLUMN sae_health.kurtosis_beyond_chance IS 'Share of features with kurtosis_q below 0.05.';
COMMENT ON COLUMN sae_health.sets_beyond_chance IS 'Share of features that write a token set beyond chance, q-value below 0.05. NULL without token sets.';
COMMENT ON COLUMN sae_health.input_kurtosis_beyond_chance IS 'Share of features with input_kurtosis_q below 0.05; NULL before compute --side input.';
COMMENT ON COLUMN sae_health.input_sets_beyond_chance IS 'Share of features that a token set excites or holds back beyond chance, in input_enrichment.';
COMMENT ON COLUMN sae_health.short_name IS 'Name of the SAE in its release.';
COMMENT ON COLUMN sae_health.release IS 'Its release.';
COMMENT ON COLUMN sae_health.model IS 'Its model.';
