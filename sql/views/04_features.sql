CREATE OR REPLACE VIEW features AS
SELECT s.layer, d.feature, both_sides(o.label, l.label) AS label, t.skewness, t.kurtosis, t.top_tokens, t.bottom_tokens,
       feature_role(t.cos_kurtosis, t.cos_skewness, pow(t.cos_std / nullif(t.decoder_norm, 0), 2)) AS role,
       g.skewness_p, g.skewness_q, g.kurtosis_p, g.kurtosis_q, t.mean, t.std,
       t.cos_mean, t.cos_std, t.cos_skewness, t.cos_kurtosis, s.counted_tokens / t.kurtosis AS participation, t.top_share,
       t.decoder_norm, sqrt(list_inner_product(CAST(e.w_enc AS DOUBLE[]), CAST(e.w_enc AS DOUBLE[]))) AS encoder_norm,
       list_inner_product(CAST(e.w_enc AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[])) / nullif(encoder_norm
           * sqrt(list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[]))), 0) AS encoder_decoder_cosine,
       e.bias AS encoder_bias, e.threshold, i.top_tokens AS input_tokens, i.bottom_tokens AS input_bottom_tokens,
       i.skewness AS input_skewness, i.kurtosis AS input_kurtosis, h.skewness_p AS input_skewness_p, h.skewness_q AS input_skewness_q,
       h.kurtosis_p AS input_kurtosis_p, h.kurtosis_q AS input_kurtosis_q, i.mean AS input_mean, i.std AS input_std, d.log_sparsity, s.sae, s.hook, s.release, s.model,
       'https://www.neuronpedia.org/' || s.neuronpedia_id || '/' || d.feature AS neuronpedia_url
FROM stored_decoders d
JOIN saes s ON d.sae_id = s.load_id
LEFT JOIN stored_statistics t ON t.sae_id = d.sae_id AND t.feature = d.feature
LEFT JOIN stored_significance g ON g.sae_id = d.sae_id AND g.feature = d.feature
LEFT JOIN stored_labels l ON l.sae_id = d.sae_id AND l.feature = d.feature
LEFT JOIN stored_encoders e ON e.sae_id = d.sae_id AND e.feature = d.feature
LEFT JOIN stored_input_statistics i ON i.sae_id = d.sae_id AND i.feature = d.feature
LEFT JOIN stored_input_significance h ON h.sae_id = d.sae_id AND h.feature = d.feature
LEFT JOIN stored_input_labels o ON o.sae_id = d.sae_id AND o.feature = d.feature;
COMMENT ON VIEW features IS 'Every feature of every loaded SAE: the distribution of its logit weights over the vocabulary, and the tokens at their ends. Statistics are NULL before saedb compute.';
COMMENT ON COLUMN features.label IS 'What the feature is in a few words, of its strongest token set beyond chance (q < 0.05) on each side: what excites it or holds it back, where compute --side input has computed that, then what it promotes or suppresses. With the set''s members among the ten tokens at that end, or the one token that these are variants of. It is read from the weights alone, and says nothing of when the feature fires. NULL where nothing is beyond chance.';
COMMENT ON COLUMN features.sae IS 'The SAE.';
COMMENT ON COLUMN features.release IS 'Its release.';
COMMENT ON COLUMN features.model IS 'The model whose unembedding was used.';
COMMENT ON COLUMN features.layer IS 'Layer, as in saes.';
COMMENT ON COLUMN features.role IS 'By the thresholds of Gurnee et al. (Universal Neurons in GPT2 Language Models, 2024) on the cosines of the decoder direction with the columns of the unembedding: prediction (kurtosis above 10, skewness above 0), suppression (kurtosis above 10, skewness below 0), partition (variance above 0.005), or NULL. feature_role takes other thresholds.';
COMMENT ON COLUMN features.mean IS 'Mean of the logit weights; 0 where the unembedding is centred over the vocabulary.';
COMMENT ON COLUMN features.std IS 'Population standard deviation of the logit weights.';
COMMENT ON COLUMN features.skewness IS 'Skewness of the logit weights; high when the feature promotes a few tokens. NULL when std is 0.';
COMMENT ON COLUMN features.kurtosis IS 'Pearson kurtosis of the logit weights (3 for a normal distribution). NULL when std is 0.';
COMMENT ON COLUMN features.participation IS 'Participation ratio of the squared deviations d² of the logit weights from their mean, (Σd²)²/Σd⁴ = V/kurtosis for V counted tokens: about how many tokens carry the spread, from 1 to V (Bell and Dean, Discuss. Faraday Soc. 50, 1970). NULL when std is 0.';
COMMENT ON COLUMN features.top_share IS 'Share of the ten tokens with the largest squared deviations d² from the mean in the sum of all, Σd² = V·std². NULL when std is 0.';
COMMENT ON COLUMN features.encoder_norm IS 'Length of the encoder''s row; NULL where the encoder was not loaded (load sae --encoder), or stays in its file (load sae --in-place).';
COMMENT ON COLUMN features.encoder_decoder_cosine IS 'Cosine of the encoder''s row with the decoder direction: near 1 where the feature writes what it reads. NULL as encoder_norm, and where either is zero.';
COMMENT ON COLUMN features.encoder_bias IS 'Bias of the encoder, of a gated SAE that of its gate.';
COMMENT ON COLUMN features.threshold IS 'Threshold above which the feature fires, where its files have one.';
COMMENT ON COLUMN features.input_tokens IS 'Texts of the ten tokens that excite the feature most where they enter the model: those with the highest products of their row of the embedding with the feature''s encoder, its input weights. This is the direct path from the embedding: it leaves out position embeddings, attention, the MLPs before the encoder, and the scale of norms, and says less of a feature the later its layer. NULL before saedb compute --side input.';
COMMENT ON COLUMN features.input_bottom_tokens IS 'Texts of the ten tokens that hold the feature back most, lowest input weight first.';
COMMENT ON COLUMN features.input_skewness IS 'Skewness of the input weights over the vocabulary; high when a few tokens excite the feature. NULL when their standard deviation is 0.';
COMMENT ON COLUMN features.input_kurtosis IS 'Pearson kurtosis of the input weights.';
COMMENT ON COLUMN features.input_skewness_p IS 'Two-sided p-value of input_skewness against random directions multiplied with the embedding, counted as skewness_p is: isotropic ones, or with compute --baseline-like sae those that are like its unit encoder.';
COMMENT ON COLUMN features.input_skewness_q IS 'Benjamini-Hochberg q-value of input_skewness_p over the features of the SAE.';
COMMENT ON COLUMN features.input_kurtosis_p IS 'Upper p-value of input_kurtosis against the same.';
COMMENT ON COLUMN features.input_kurtosis_q IS 'Benjamini-Hochberg q-value of input_kurtosis_p over the features of the SAE.';
COMMENT ON COLUMN features.input_mean IS 'Mean of the input weights; before the encoder''s bias.';
COMMENT ON COLUMN features.input_std IS 'Population standard deviation of the input weights.';
COMMENT ON COLUMN features.log_sparsity IS 'log10 of how often the feature fires, from the SAE''s own files; -10 means never.';
COMMENT ON COLUMN features.top_tokens IS 'Texts of the ten tokens that the feature promotes most, highest logit weight first; ids and weights are in feature_tokens.';
COMMENT ON COLUMN features.bottom_tokens IS 'Texts of the ten tokens that the feature suppresses most, lowest logit weight first.';
COMMENT ON COLUMN features.neuronpedia_url IS 'The feature''s page on Neuronpedia, where the SAE''s configuration names its source.';

CREATE OR REPLACE VIEW feature_tokens AS
WITH ends AS (
    SELECT sae_id, feature, 'promoted' AS direction, unnest(range(1, len(top_token_ids) + 1)) AS rank,
           unnest(top_token_ids) AS token_id, unnest(top_logit_weights) AS logit_weight, mean, std
    FROM stored_statistics
    UNION ALL
    SELECT sae_id, feature, 'suppressed', unnest(range(1, len(bottom_token_ids) + 1)),
           unnest(bottom_token_ids), unnest(bottom_logit_weights), mean, std
    FROM stored_statistics
)
SELECT s.layer, e.feature, e.direction, e.rank, k.text, e.logit_weight, (e.logit_weight - e.mean) / nullif(e.std, 0) AS logit_z, e.token_id, k.token, s.sae, s.release, s.model
FROM ends e
JOIN saes s ON e.sae_id = s.load_id
JOIN stored_models m ON s.model = m.model
JOIN stored_tokens k ON k.model_id = m.model_id AND k.token_id = e.token_id;
COMMENT ON VIEW feature_tokens IS 'The ten highest and ten lowest tokens of every feature, a row each.';
COMMENT ON COLUMN feature_tokens.sae IS 'The SAE.';
COMMENT ON COLUMN feature_tokens.release IS 'Its release.';
COMMENT ON COLUMN feature_tokens.model IS 'Its model.';
COMMENT ON COLUMN feature_tokens.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN feature_tokens.direction IS 'promoted (highest logit weights) or suppressed (lowest).';
COMMENT ON COLUMN feature_tokens.rank IS '1 for the token at the very end.';
COMMENT ON COLUMN feature_tokens.token IS 'Token as the tokenizer spells it.';
COMMENT ON COLUMN feature_tokens.text IS 'Decoded text.';
COMMENT ON COLUMN feature_tokens.logit_weight IS 'Its logit weight.';
COMMENT ON COLUMN feature_tokens.logit_z IS 'Its standard score among the logit weights of all tokens of the feature, (logit_weight - mean) / std: comparable across features and layers. NULL when std is 0.';

CREATE OR REPLACE VIEW feature_input_tokens AS
WITH ends AS (
    SELECT sae_id, feature, 'excites' AS direction, unnest(range(1, len(top_token_ids) + 1)) AS rank,
           unnest(top_token_ids) AS token_id, unnest(top_logit_weights) AS input_weight, mean, std
    FROM stored_input_statistics
    UNION ALL
    SELECT sae_id, feature, 'holds back', unnest(range(1, len(bottom_token_ids) + 1)),
           unnest(bottom_token_ids), unnest(bottom_logit_weights), mean, std
    FROM stored_input_statistics
)
SELECT s.layer, e.feature, e.direction, e.rank, k.text, e.input_weight, (e.input_weight - e.mean) / nullif(e.std, 0) AS input_z, e.token_id, k.token, s.sae, s.release, s.model
FROM ends e
JOIN saes s ON e.sae_id = s.load_id
JOIN stored_models m ON s.model = m.model
JOIN stored_tokens k ON k.model_id = m.model_id AND k.token_id = e.token_id;
COMMENT ON VIEW feature_input_tokens IS 'The ten tokens that excite each feature most, and the ten that hold it back most, by the direct path from the embedding to its encoder, a row each; of what compute --side input has computed.';
COMMENT ON COLUMN feature_input_tokens.sae IS 'The SAE.';
COMMENT ON COLUMN feature_input_tokens.release IS 'Its release.';
COMMENT ON COLUMN feature_input_tokens.model IS 'Its model.';
COMMENT ON COLUMN feature_input_tokens.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN feature_input_tokens.direction IS 'excites (highest input weights) or holds back (lowest).';
COMMENT ON COLUMN feature_input_tokens.rank IS '1 for the token at the very end.';
COMMENT ON COLUMN feature_input_tokens.token IS 'Token as the tokenizer spells it.';
COMMENT ON COLUMN feature_input_tokens.text IS 'Decoded text.';
COMMENT ON COLUMN feature_input_tokens.input_weight IS 'Product of its row of the embedding with the feature''s encoder, before the bias.';
COMMENT ON COLUMN feature_input_tokens.input_z IS 'Its standard score among the input weights of all tokens of the feature. WeightLens (arXiv 2510.14936) calls a token an outlier above 5.5. NULL when their standard deviation is 0.';
