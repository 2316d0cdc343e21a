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

-- What features write, and what excites them, are two views with the same columns: in one, a
-- query or a join that asks for a set and says nothing of the side would count each feature twice,
-- and be wrong without a word. FROM enrichment UNION ALL BY NAME FROM input_enrichment is both.
-- The size is taken before the join, which would otherwise carry each set's list of tokens to
-- every feature.
CREATE OR REPLACE VIEW enrichment AS
WITH scored AS (
    SELECT e.*, CAST(e.es AS DOUBLE) / 2 AS x, (CAST(e.es AS DOUBLE) / 2) ** 2 AS r,
           sqrt(-2 * ln(greatest(1 - CAST(e.es AS DOUBLE), n.resolution / 2) / 2)) AS t,
           n.median AS expected_es, n.location, n.scale, c.tokens
    FROM stored_enrichment e
    LEFT JOIN stored_computations c ON e.sae_id = c.sae_id
    LEFT JOIN stored_baseline_enrichment n ON n.baseline_id = c.baseline_id AND n.set_id = e.set_id
)
SELECT s.layer, e.feature, t.token_set, {{effect of a score}} AS effect, e.es,
       CASE WHEN e.promoted THEN 'promoted' WHEN NOT e.promoted THEN 'suppressed' END AS direction,
       {{q-value of a score}} AS q_value, pow(10.0, CAST(e.log10_p AS DOUBLE)) AS p_value,
       shift_z(e.es, e.x, e.r, e.t, e.location, e.scale) AS es_z,
       e.expected_es, e.auc, CASE WHEN e.tokens = 'real' THEN t.real_size ELSE t.size END AS size, t.family,
       pow(10.0, CAST(e.log10_q_all AS DOUBLE)) AS q_all, pow(10.0, CAST(e.log10_ks_p AS DOUBLE)) AS ks_p_value, e.log10_p,
       'output' AS side, s.sae, s.release, s.model
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
COMMENT ON COLUMN enrichment.side IS 'output; input_enrichment has what excites features, with the same columns.';
COMMENT ON COLUMN enrichment.auc IS 'Probability that a member of the set ranks above another token (Mann-Whitney): 1 when all are on top, 0 when all are at the bottom.';

CREATE OR REPLACE VIEW input_enrichment AS
{{input side of enrichment}};
COMMENT ON VIEW input_enrichment IS 'The same of the input side: where each token set lies in the feature''s ranking of the vocabulary by input weight, the products of its encoder with the embedding (compute --side input), and whether random directions multiplied with the embedding score as much. The columns are those of enrichment. What the direct path leaves out is in features.input_tokens.';
COMMENT ON COLUMN input_enrichment.sae IS 'The SAE.';
COMMENT ON COLUMN input_enrichment.release IS 'Its release.';
COMMENT ON COLUMN input_enrichment.model IS 'Its model.';
COMMENT ON COLUMN input_enrichment.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN input_enrichment.feature IS 'Index of the feature.';
COMMENT ON COLUMN input_enrichment.size IS 'Number of tokens of the set that counted.';
COMMENT ON COLUMN input_enrichment.effect IS '2 auc - 1: from -1 (all at the bottom, which hold the feature back) to 1 (all on top, which excite it).';
COMMENT ON COLUMN input_enrichment.es IS 'Enrichment score, as in enrichment, over the ranking by input weight.';
COMMENT ON COLUMN input_enrichment.direction IS 'excites when the set lies towards the highest input weights, holds back when towards the lowest.';
COMMENT ON COLUMN input_enrichment.p_value IS 'p-value of es against the baseline of the input side, as in enrichment. NULL without a baseline.';
COMMENT ON COLUMN input_enrichment.q_value IS 'Benjamini-Hochberg q-value of p_value over all features of the SAE and the sets of the family.';
COMMENT ON COLUMN input_enrichment.q_all IS 'Benjamini-Hochberg q-value of p_value over all features of the SAE and all sets.';
COMMENT ON COLUMN input_enrichment.es_z IS 'How many standard deviations of the set''s null the shift 2 Φ⁻¹((1 + es)/2) is above its mean.';
COMMENT ON COLUMN input_enrichment.expected_es IS 'Median score of random directions in this set.';
COMMENT ON COLUMN input_enrichment.ks_p_value IS 'Two-sided Kolmogorov-Smirnov p-value, were tokens ranked at random.';
COMMENT ON COLUMN input_enrichment.log10_p IS 'log10 of p_value, which is 0 below 1e-308.';
COMMENT ON COLUMN input_enrichment.auc IS 'Probability that a member of the set ranks above another token (Mann-Whitney).';
COMMENT ON COLUMN input_enrichment.side IS 'input.';

CREATE OR REPLACE VIEW set_enrichment AS
SELECT s.layer, t.token_set, CASE WHEN e.promoted THEN 'promoted' ELSE 'suppressed' END AS direction,
       CASE WHEN e.adjusted > 0 THEN e.beyond_chance END AS beyond_chance, e.features, e.feature, {{effect of a score}} AS effect, {{q-value of a score}} AS q_value,
       CASE WHEN s.tokens = 'real' THEN t.real_size ELSE t.size END AS size, t.family, 'output' AS side, s.sae, s.release, s.model
FROM stored_set_enrichment e
JOIN saes s ON e.sae_id = s.load_id
JOIN (SELECT set_id, token_set, family, len(token_ids) AS size, real_size FROM stored_token_sets) t ON e.set_id = t.set_id;
COMMENT ON VIEW set_enrichment IS 'Every token set in every SAE, a row for the features that promote it and one for those that suppress it: how many do so beyond chance, and the strongest. It is counted when an SAE is computed, so that asking for it reads no scores.';
COMMENT ON COLUMN set_enrichment.sae IS 'The SAE.';
COMMENT ON COLUMN set_enrichment.release IS 'Its release.';
COMMENT ON COLUMN set_enrichment.model IS 'Its model.';
COMMENT ON COLUMN set_enrichment.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN set_enrichment.direction IS 'promoted for the features that promote the set, suppressed for those that suppress it.';
COMMENT ON COLUMN set_enrichment.beyond_chance IS 'How many of them do so beyond chance (q < 0.05). NULL without a baseline.';
COMMENT ON COLUMN set_enrichment.features IS 'How many features these are, beyond chance or not.';
COMMENT ON COLUMN set_enrichment.feature IS 'The strongest of them: beyond chance before others, then by effect.';
COMMENT ON COLUMN set_enrichment.effect IS 'Its effect, as in enrichment.';
COMMENT ON COLUMN set_enrichment.q_value IS 'Its q-value, as in enrichment.';
COMMENT ON COLUMN set_enrichment.size IS 'Number of tokens of the set that counted.';
COMMENT ON COLUMN set_enrichment.side IS 'output; input_set_enrichment has what excites features, with the same columns.';

CREATE OR REPLACE VIEW input_set_enrichment AS
{{input side of set_enrichment}};
COMMENT ON VIEW input_set_enrichment IS 'The same of the input side: every token set in every SAE, a row for the features that it excites and one for those that it holds back. The columns are those of set_enrichment.';
COMMENT ON COLUMN input_set_enrichment.sae IS 'The SAE.';
COMMENT ON COLUMN input_set_enrichment.release IS 'Its release.';
COMMENT ON COLUMN input_set_enrichment.model IS 'Its model.';
COMMENT ON COLUMN input_set_enrichment.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN input_set_enrichment.direction IS 'excites for the features that the set excites, holds back for those that it holds back.';
COMMENT ON COLUMN input_set_enrichment.beyond_chance IS 'How many of them are so beyond chance (q < 0.05). NULL without a baseline.';
COMMENT ON COLUMN input_set_enrichment.features IS 'How many features these are, beyond chance or not.';
COMMENT ON COLUMN input_set_enrichment.feature IS 'The strongest of them: beyond chance before others, then by effect.';
COMMENT ON COLUMN input_set_enrichment.effect IS 'Its effect, as in input_enrichment.';
COMMENT ON COLUMN input_set_enrichment.q_value IS 'Its q-value, as in input_enrichment.';
COMMENT ON COLUMN input_set_enrichment.size IS 'Number of tokens of the set that counted.';
COMMENT ON COLUMN input_set_enrichment.side IS 'input.';
