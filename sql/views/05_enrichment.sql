CREATE OR REPLACE VIEW token_sets AS
SELECT m.model, t.token_set, t.family, len(t.token_ids) AS size, t.token_ids AS tokens
FROM stored_token_sets t JOIN stored_models m ON t.model_id = m.model_id;
COMMENT ON VIEW token_sets IS 'Every loaded token set; token_set_members has a row a token.';
COMMENT ON COLUMN token_sets.model IS 'Model whose tokens it holds.';
COMMENT ON COLUMN token_sets.size IS 'Number of tokens.';
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

-- The size is taken before the join, which would otherwise carry each set's list of
-- tokens to every feature.
CREATE OR REPLACE VIEW enrichment AS
SELECT s.layer, e.feature, t.token_set, e.es,
       CASE WHEN e.promoted THEN 'promoted' WHEN NOT e.promoted THEN 'suppressed' END AS direction,
       pow(10.0, CAST(e.log10_p AS DOUBLE)) AS p_value, pow(10.0, CAST(e.log10_q AS DOUBLE)) AS q_value, e.auc,
       CASE WHEN s.tokens = 'real' THEN t.real_size ELSE t.size END AS size,
       s.sae, s.release, s.model
FROM stored_enrichment e
JOIN saes s ON e.sae_id = s.load_id
JOIN (SELECT set_id, token_set, len(token_ids) AS size, real_size FROM stored_token_sets) t ON e.set_id = t.set_id;
COMMENT ON VIEW enrichment IS 'Enrichment of every feature in every token set: where the set lies in the feature''s ranking of the vocabulary by logit weight.';
COMMENT ON COLUMN enrichment.sae IS 'The SAE.';
COMMENT ON COLUMN enrichment.release IS 'Its release.';
COMMENT ON COLUMN enrichment.model IS 'Its model.';
COMMENT ON COLUMN enrichment.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN enrichment.feature IS 'Index of the feature.';
COMMENT ON COLUMN enrichment.size IS 'Number of tokens of the set that counted: those that are neither padding nor special where the SAE was computed for real tokens. token_sets has the size of the whole set; the two join USING (model, token_set).';
COMMENT ON COLUMN enrichment.es IS 'Enrichment score: the largest distance, up or down, of the running sum over the ranking (+1/m at a member, -1/(V-m) elsewhere); the two-sample Kolmogorov-Smirnov distance.';
COMMENT ON COLUMN enrichment.direction IS 'promoted when the set lies towards the highest logit weights, suppressed when towards the lowest.';
COMMENT ON COLUMN enrichment.p_value IS 'Two-sided Kolmogorov-Smirnov p-value, were tokens ranked at random; tokens are not exchangeable, so it describes and does not prove.';
COMMENT ON COLUMN enrichment.q_value IS 'Benjamini-Hochberg q-value over all features and sets of the SAE.';
COMMENT ON COLUMN enrichment.auc IS 'Probability that a member of the set ranks above another token (Mann-Whitney): 1 when all are on top, 0 when all are at the bottom.';
