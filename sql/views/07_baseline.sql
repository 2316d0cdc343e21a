CREATE OR REPLACE VIEW baseline_statistics AS
SELECT s.statistic, s.sorted_values[CAST(ceil(0.01 * len(s.sorted_values)) AS INTEGER)] AS q01,
       s.sorted_values[CAST(ceil(0.05 * len(s.sorted_values)) AS INTEGER)] AS q05,
       s.sorted_values[CAST(ceil(0.25 * len(s.sorted_values)) AS INTEGER)] AS q25,
       s.sorted_values[CAST(ceil(0.5 * len(s.sorted_values)) AS INTEGER)] AS q50,
       s.sorted_values[CAST(ceil(0.75 * len(s.sorted_values)) AS INTEGER)] AS q75,
       s.sorted_values[CAST(ceil(0.95 * len(s.sorted_values)) AS INTEGER)] AS q95,
       s.sorted_values[CAST(ceil(0.99 * len(s.sorted_values)) AS INTEGER)] AS q99,
       b.directions, b.tokens, b.seed, CASE WHEN b.sae_id IS NULL THEN 'isotropic' ELSE 'sae' END AS kind, l.name AS like_sae, b.side, m.model
FROM stored_baseline_statistics s
JOIN stored_baselines b ON s.baseline_id = b.baseline_id AND b.lens_id IS NULL
JOIN stored_models m ON b.model_id = m.model_id
LEFT JOIN stored_loads l ON b.sae_id = l.load_id;
COMMENT ON VIEW baseline_statistics IS 'What chance gives: quantiles of the statistics of random directions of the residual stream, a row a statistic of features.';
COMMENT ON COLUMN baseline_statistics.q01 IS '1 % quantile: the least value that at least 1 % of the random directions do not exceed.';
COMMENT ON COLUMN baseline_statistics.q05 IS '5 % quantile.';
COMMENT ON COLUMN baseline_statistics.q25 IS '25 % quantile.';
COMMENT ON COLUMN baseline_statistics.q50 IS 'Median.';
COMMENT ON COLUMN baseline_statistics.q75 IS '75 % quantile.';
COMMENT ON COLUMN baseline_statistics.q95 IS '95 % quantile.';
COMMENT ON COLUMN baseline_statistics.q99 IS '99 % quantile.';
COMMENT ON COLUMN baseline_statistics.directions IS 'Number of random directions.';
COMMENT ON COLUMN baseline_statistics.tokens IS 'Columns of the unembedding that were used: all, or real.';
COMMENT ON COLUMN baseline_statistics.seed IS 'Seed of the random directions.';
COMMENT ON COLUMN baseline_statistics.kind IS 'isotropic, which belongs to the model alone, or sae: with the covariance of an SAE''s unit decoder (compute --baseline-like sae).';
COMMENT ON COLUMN baseline_statistics.like_sae IS 'That SAE; NULL where they are isotropic.';
COMMENT ON COLUMN baseline_statistics.side IS 'output for products with the unembedding, input for those with the embedding, whose statistics begin with input_.';
COMMENT ON COLUMN baseline_statistics.model IS 'The model.';

CREATE OR REPLACE VIEW baseline_enrichment AS
SELECT t.token_set, t.family, n.median AS expected_es, n.threshold AS es_q99, n.location AS es_location, n.scale AS es_scale, n.auc_scale, n.directions,
       b.tokens, b.seed, CASE WHEN b.sae_id IS NULL THEN 'isotropic' ELSE 'sae' END AS kind, l.name AS like_sae, b.side, m.model
FROM stored_baseline_enrichment n
JOIN stored_baselines b ON n.baseline_id = b.baseline_id AND b.lens_id IS NULL
JOIN stored_models m ON b.model_id = m.model_id
JOIN stored_token_sets t ON n.set_id = t.set_id
LEFT JOIN stored_loads l ON b.sae_id = l.load_id
WHERE b.side = 'output';
COMMENT ON VIEW baseline_enrichment IS 'What chance gives: how random directions of the residual stream score in each token set.';
COMMENT ON COLUMN baseline_enrichment.token_set IS 'Name of the set.';
COMMENT ON COLUMN baseline_enrichment.family IS 'Family of sets that it belongs to.';
COMMENT ON COLUMN baseline_enrichment.expected_es IS 'Median score of random directions.';
COMMENT ON COLUMN baseline_enrichment.es_q99 IS 'Score that 1 % of random directions reach.';
COMMENT ON COLUMN baseline_enrichment.es_location IS 'Mean of the Gaussian tail, of the shift 2 Φ⁻¹((1 + es)/2).';
COMMENT ON COLUMN baseline_enrichment.es_scale IS 'Its standard deviation.';
COMMENT ON COLUMN baseline_enrichment.auc_scale IS 'Root mean square of Φ⁻¹(auc) of random directions.';
COMMENT ON COLUMN baseline_enrichment.directions IS 'Number of random directions that have a score.';
COMMENT ON COLUMN baseline_enrichment.tokens IS 'Columns of the unembedding that were used: all, or real.';
COMMENT ON COLUMN baseline_enrichment.seed IS 'Seed of the random directions.';
COMMENT ON COLUMN baseline_enrichment.kind IS 'isotropic, which belongs to the model alone, or sae: with the covariance of an SAE''s unit decoder (compute --baseline-like sae).';
COMMENT ON COLUMN baseline_enrichment.like_sae IS 'That SAE; NULL where they are isotropic.';
COMMENT ON COLUMN baseline_enrichment.side IS 'output; input_baseline_enrichment has the input side.';
COMMENT ON COLUMN baseline_enrichment.model IS 'The model.';

CREATE OR REPLACE VIEW input_baseline_enrichment AS
{{input side of baseline_enrichment}};
COMMENT ON VIEW input_baseline_enrichment IS 'What chance gives: how random directions of the residual stream score in each token set, multiplied with the embedding: against these the scores of input_enrichment are held. The columns are those of baseline_enrichment.';
COMMENT ON COLUMN input_baseline_enrichment.token_set IS 'Name of the set.';
COMMENT ON COLUMN input_baseline_enrichment.family IS 'Family of sets that it belongs to.';
COMMENT ON COLUMN input_baseline_enrichment.expected_es IS 'Median score of random directions.';
COMMENT ON COLUMN input_baseline_enrichment.es_q99 IS 'Score that 1 % of random directions reach.';
COMMENT ON COLUMN input_baseline_enrichment.es_location IS 'Mean of the Gaussian tail, of the shift 2 Φ⁻¹((1 + es)/2).';
COMMENT ON COLUMN input_baseline_enrichment.es_scale IS 'Its standard deviation.';
COMMENT ON COLUMN input_baseline_enrichment.auc_scale IS 'Root mean square of Φ⁻¹(auc) of random directions.';
COMMENT ON COLUMN input_baseline_enrichment.directions IS 'Number of random directions that have a score.';
COMMENT ON COLUMN input_baseline_enrichment.tokens IS 'Rows of the embedding that were used: all, or real.';
COMMENT ON COLUMN input_baseline_enrichment.seed IS 'Seed of the random directions.';
COMMENT ON COLUMN input_baseline_enrichment.kind IS 'isotropic, which belongs to the model alone, or sae: with the covariance of an SAE''s unit encoder (compute --baseline-like sae).';
COMMENT ON COLUMN input_baseline_enrichment.like_sae IS 'That SAE; NULL where they are isotropic.';
COMMENT ON COLUMN input_baseline_enrichment.side IS 'input.';
COMMENT ON COLUMN input_baseline_enrichment.model IS 'The model.';
