CREATE OR REPLACE VIEW token_sets AS
SELECT m.model, t.token_set, t.family, len(t.token_ids) AS members, t.token_ids AS tokens
FROM stored_token_sets t JOIN stored_models m ON t.model_id = m.model_id;
COMMENT ON VIEW token_sets IS 'Every loaded token set; token_set_members has a row a token.';
COMMENT ON COLUMN token_sets.model IS 'Model whose tokens it holds.';
COMMENT ON COLUMN token_sets.members IS 'Number of its tokens; enrichment.size is how many of them counted.';
COMMENT ON COLUMN token_sets.tokens IS 'Ids of its tokens, ascending.';

CREATE OR REPLACE VIEW token_set_members AS
WITH members AS (SELECT model_id, token_set, family, unnest(token_ids) AS token_id FROM stored_token_sets)
SELECT m.model, s.token_set, s.family, s.token_id, t.token, t.text
FROM members s
JOIN stored_models m ON s.model_id = m.model_id
JOIN stored_tokens t ON t.model_id = s.model_id AND t.token_id = s.token_id;
COMMENT ON VIEW token_set_members IS 'The tokens of every loaded token set, a row each.';
COMMENT ON COLUMN token_set_members.model IS 'Model whose tokens it holds.';
COMMENT ON COLUMN token_set_members.token_set IS 'Name of the set, unique in its model.';
COMMENT ON COLUMN token_set_members.family IS 'Family of sets that it belongs to.';
COMMENT ON COLUMN token_set_members.token_id IS 'Id of the token.';
COMMENT ON COLUMN token_set_members.token IS 'Token as the tokenizer spells it.';
COMMENT ON COLUMN token_set_members.text IS 'Decoded text.';

-- es_z is 2 Φ⁻¹((1 + es)/2) less the location of the set's null, by its scale. DuckDB has no Φ⁻¹; the two
-- quotients are Acklam's approximation, relative error below 1.2e-9, on es/2 = p - 1/2 and on
-- the upper tail (1 - es)/2. The size is taken before the join, which would otherwise carry each
-- set's list of tokens to every feature.
CREATE OR REPLACE VIEW enrichment AS
WITH scored AS (
    SELECT e.*, CAST(e.es AS DOUBLE) / 2 AS x, (CAST(e.es AS DOUBLE) / 2) ** 2 AS r,
           sqrt(-2 * ln(greatest(1 - CAST(e.es AS DOUBLE), n.resolution / 2) / 2)) AS t,
           n.median AS expected_es, n.location, n.scale
    FROM stored_enrichment e
    LEFT JOIN stored_computations c ON e.sae_id = c.sae_id
    LEFT JOIN stored_baseline_enrichment n ON n.baseline_id = c.baseline_id AND n.set_id = e.set_id
)
SELECT s.layer, e.feature, t.token_set, 2 * e.auc - 1 AS effect, e.es,
       CASE WHEN e.promoted THEN 'promoted' WHEN NOT e.promoted THEN 'suppressed' END AS direction,
       pow(10.0, CAST(e.log10_q AS DOUBLE)) AS q_value, pow(10.0, CAST(e.log10_p AS DOUBLE)) AS p_value,
       (2 * CASE WHEN e.es < 0.9515
           THEN (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.3577518672690) * r
                 - 30.66479806614716) * r + 2.506628277459239) * x
                / (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
                 - 13.28068155288572) * r + 1)
           ELSE -(((((-0.007784894002430293 * e.t - 0.3223964580411365) * e.t - 2.400758277161838) * e.t - 2.549732539343734) * e.t
                 + 4.374664141464968) * e.t + 2.938163982698783)
                / ((((0.007784695709041462 * e.t + 0.3224671290700398) * e.t + 2.445134137142996) * e.t + 3.754408661907416) * e.t + 1)
       END - e.location) / e.scale AS es_z,
       e.expected_es, e.auc, CASE WHEN s.tokens = 'real' THEN t.real_size ELSE t.size END AS size, t.family,
       pow(10.0, CAST(e.log10_q_all AS DOUBLE)) AS q_all, pow(10.0, CAST(e.log10_ks_p AS DOUBLE)) AS ks_p_value, e.log10_p,
       s.sae, s.release, s.model
FROM scored e
JOIN saes s ON e.sae_id = s.load_id
JOIN (SELECT set_id, token_set, family, len(token_ids) AS size, real_size FROM stored_token_sets) t ON e.set_id = t.set_id;
COMMENT ON VIEW enrichment IS 'Enrichment of every feature in every token set: where the set lies in the feature''s ranking of the vocabulary by logit weight, and whether random directions score as much.';
COMMENT ON COLUMN enrichment.sae IS 'The SAE.';
COMMENT ON COLUMN enrichment.release IS 'Its release.';
COMMENT ON COLUMN enrichment.model IS 'Its model.';
COMMENT ON COLUMN enrichment.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN enrichment.feature IS 'Index of the feature.';
COMMENT ON COLUMN enrichment.size IS 'Number of tokens of the set that counted: those that are neither padding nor special where the SAE was computed for real tokens. token_sets.members counts them all.';
COMMENT ON COLUMN enrichment.effect IS '2 auc - 1: the probability that a member of the set ranks above another token less that of the reverse, from -1 (all at the bottom, suppressed) to 1 (all on top, promoted).';
COMMENT ON COLUMN enrichment.es IS 'Enrichment score: the largest distance, up or down, of the running sum over the ranking (+1/m at a member, -1/(V-m) elsewhere); the two-sample Kolmogorov-Smirnov distance.';
COMMENT ON COLUMN enrichment.direction IS 'promoted when the set lies towards the highest logit weights, suppressed when towards the lowest.';
COMMENT ON COLUMN enrichment.p_value IS 'p-value of es against the baseline: the part of random directions that score as much in this set, below 1 % by a Gaussian tail. NULL without a baseline (compute --baseline 0).';
COMMENT ON COLUMN enrichment.q_value IS 'Benjamini-Hochberg q-value of p_value over all features of the SAE and the sets of the family.';
COMMENT ON COLUMN enrichment.q_all IS 'Benjamini-Hochberg q-value of p_value over all features of the SAE and all sets.';
COMMENT ON COLUMN enrichment.es_z IS 'How many standard deviations of the set''s null the shift 2 Φ⁻¹((1 + es)/2) is above its mean: 2.6 is what 1 % of random directions reach.';
COMMENT ON COLUMN enrichment.expected_es IS 'Median score of random directions in this set.';
COMMENT ON COLUMN enrichment.ks_p_value IS 'Two-sided Kolmogorov-Smirnov p-value, were tokens ranked at random, as tools for gene sets have it; tokens are not exchangeable, so most random directions are far below 0.01.';
COMMENT ON COLUMN enrichment.log10_p IS 'log10 of p_value, which is 0 below 1e-308.';
COMMENT ON COLUMN enrichment.auc IS 'Probability that a member of the set ranks above another token (Mann-Whitney): 1 when all are on top, 0 when all are at the bottom.';
