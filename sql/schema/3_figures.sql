-- What is computed of features: statistics of both sides, token sets and scores.
CREATE TABLE stored_computations (
    sae_id INTEGER NOT NULL,
    tokens VARCHAR NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    counted_tokens INTEGER NOT NULL,
    features INTEGER NOT NULL,
    scores BIGINT NOT NULL,
    baseline_id INTEGER
);
COMMENT ON TABLE stored_computations IS 'How the statistics of each SAE were computed.';
COMMENT ON COLUMN stored_computations.sae_id IS 'The SAE; through a lens, its number in stored_lens_saes.';
COMMENT ON COLUMN stored_computations.tokens IS 'Columns of the unembedding that were used: all, or real (without padding and special tokens).';
COMMENT ON COLUMN stored_computations.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_computations.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_computations.computed_at IS 'When they were begun, in UTC.';
COMMENT ON COLUMN stored_computations.counted_tokens IS 'How many columns of the unembedding were used.';
COMMENT ON COLUMN stored_computations.features IS 'How many features have statistics, recorded as they are stored; fewer than the SAE has while it is computed.';
COMMENT ON COLUMN stored_computations.scores IS 'How many rows stored_enrichment has of the SAE, likewise.';
COMMENT ON COLUMN stored_computations.baseline_id IS 'Baseline that its p-values are against; NULL for none.';

CREATE TABLE stored_statistics (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE,
    skewness DOUBLE,
    kurtosis DOUBLE,
    cos_mean DOUBLE,
    cos_std DOUBLE,
    cos_skewness DOUBLE,
    cos_kurtosis DOUBLE,
    top_tokens VARCHAR[],
    top_token_ids INTEGER[],
    top_logit_weights DOUBLE[],
    bottom_tokens VARCHAR[],
    bottom_token_ids INTEGER[],
    bottom_logit_weights DOUBLE[],
    top_share DOUBLE,
    decoder_norm DOUBLE
);
COMMENT ON TABLE stored_statistics IS 'Statistics of each feature''s logit weights, and the tokens at their ends.';
COMMENT ON COLUMN stored_statistics.sae_id IS 'The SAE; through a lens, its number in stored_lens_saes.';
COMMENT ON COLUMN stored_statistics.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_statistics.mean IS 'Mean of the logit weights.';
COMMENT ON COLUMN stored_statistics.std IS 'Population standard deviation.';
COMMENT ON COLUMN stored_statistics.skewness IS 'Skewness; NULL when the standard deviation is 0.';
COMMENT ON COLUMN stored_statistics.kurtosis IS 'Pearson kurtosis (3 for a normal distribution); NULL when the standard deviation is 0.';
COMMENT ON COLUMN stored_statistics.cos_mean IS 'Mean with token columns of unit length.';
COMMENT ON COLUMN stored_statistics.cos_std IS 'Standard deviation with token columns of unit length.';
COMMENT ON COLUMN stored_statistics.cos_skewness IS 'Skewness with token columns of unit length.';
COMMENT ON COLUMN stored_statistics.cos_kurtosis IS 'Kurtosis with token columns of unit length.';
COMMENT ON COLUMN stored_statistics.top_tokens IS 'Texts of the ten tokens with the highest logit weights, highest first.';
COMMENT ON COLUMN stored_statistics.top_token_ids IS 'Their ids.';
COMMENT ON COLUMN stored_statistics.top_logit_weights IS 'Their logit weights.';
COMMENT ON COLUMN stored_statistics.bottom_tokens IS 'Texts of the ten tokens with the lowest logit weights, lowest first.';
COMMENT ON COLUMN stored_statistics.bottom_token_ids IS 'Their ids.';
COMMENT ON COLUMN stored_statistics.bottom_logit_weights IS 'Their logit weights.';
COMMENT ON COLUMN stored_statistics.top_share IS 'Share of the ten largest squared deviations from the mean in the sum of all; NULL when the standard deviation is 0.';
COMMENT ON COLUMN stored_statistics.decoder_norm IS 'Length of the decoder direction; NULL where an older saedb computed the statistics and the weights are not in this database.';

-- The same of the input side, where encoders and an embedding were loaded. Tables of their
-- own, so that whoever has decoders alone pays nothing.
CREATE TABLE stored_input_computations (
    sae_id INTEGER NOT NULL,
    tokens VARCHAR NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    counted_tokens INTEGER NOT NULL,
    features INTEGER NOT NULL,
    scores BIGINT NOT NULL,
    baseline_id INTEGER
);

CREATE TABLE stored_input_statistics (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE,
    skewness DOUBLE,
    kurtosis DOUBLE,
    cos_mean DOUBLE,
    cos_std DOUBLE,
    cos_skewness DOUBLE,
    cos_kurtosis DOUBLE,
    top_tokens VARCHAR[],
    top_token_ids INTEGER[],
    top_logit_weights DOUBLE[],
    bottom_tokens VARCHAR[],
    bottom_token_ids INTEGER[],
    bottom_logit_weights DOUBLE[]
);

CREATE TABLE stored_input_significance (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    skewness_p DOUBLE,
    skewness_q DOUBLE,
    kurtosis_p DOUBLE,
    kurtosis_q DOUBLE
);

COMMENT ON TABLE stored_input_computations IS 'How the statistics of each SAE''s input side were computed (compute --side input).';
COMMENT ON COLUMN stored_input_computations.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_computations.tokens IS 'Rows of the embedding that were used: all, or real (without padding and special tokens).';
COMMENT ON COLUMN stored_input_computations.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_input_computations.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_input_computations.computed_at IS 'When they were begun, in UTC.';
COMMENT ON COLUMN stored_input_computations.counted_tokens IS 'How many rows of the embedding were used.';
COMMENT ON COLUMN stored_input_computations.features IS 'How many features have statistics, recorded as they are stored.';
COMMENT ON COLUMN stored_input_computations.scores IS 'How many rows stored_input_enrichment has of the SAE, likewise.';
COMMENT ON COLUMN stored_input_computations.baseline_id IS 'Baseline that its p-values are against, one of the input side; NULL for none.';
COMMENT ON TABLE stored_input_statistics IS 'Statistics of the products of each feature''s encoder with the rows of the embedding, its input weights, and the tokens at their ends.';
COMMENT ON COLUMN stored_input_statistics.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_statistics.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_input_statistics.mean IS 'Mean of the input weights.';
COMMENT ON COLUMN stored_input_statistics.std IS 'Population standard deviation.';
COMMENT ON COLUMN stored_input_statistics.skewness IS 'Skewness; NULL when the standard deviation is 0.';
COMMENT ON COLUMN stored_input_statistics.kurtosis IS 'Pearson kurtosis (3 for a normal distribution); NULL when the standard deviation is 0.';
COMMENT ON COLUMN stored_input_statistics.cos_mean IS 'Mean with token rows of unit length.';
COMMENT ON COLUMN stored_input_statistics.cos_std IS 'Standard deviation with token rows of unit length.';
COMMENT ON COLUMN stored_input_statistics.cos_skewness IS 'Skewness with token rows of unit length.';
COMMENT ON COLUMN stored_input_statistics.cos_kurtosis IS 'Kurtosis with token rows of unit length.';
COMMENT ON COLUMN stored_input_statistics.top_tokens IS 'Texts of the ten tokens with the highest input weights, highest first.';
COMMENT ON COLUMN stored_input_statistics.top_token_ids IS 'Their ids.';
COMMENT ON COLUMN stored_input_statistics.top_logit_weights IS 'Their input weights.';
COMMENT ON COLUMN stored_input_statistics.bottom_tokens IS 'Texts of the ten tokens with the lowest input weights, lowest first.';
COMMENT ON COLUMN stored_input_statistics.bottom_token_ids IS 'Their ids.';
COMMENT ON COLUMN stored_input_statistics.bottom_logit_weights IS 'Their input weights.';
COMMENT ON TABLE stored_input_significance IS 'How many random directions have input statistics as far out as a feature''s.';
COMMENT ON COLUMN stored_input_significance.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_significance.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_input_significance.skewness_p IS 'Two-sided p-value of the skewness of the input weights against the baseline, as stored_significance has it of logit weights.';
COMMENT ON COLUMN stored_input_significance.skewness_q IS 'Benjamini-Hochberg q-value of skewness_p over the features of the SAE.';
COMMENT ON COLUMN stored_input_significance.kurtosis_p IS 'Upper p-value of the kurtosis of the input weights against the baseline.';
COMMENT ON COLUMN stored_input_significance.kurtosis_q IS 'Benjamini-Hochberg q-value of kurtosis_p over the features of the SAE.';

CREATE SEQUENCE token_set_ids;

CREATE TABLE stored_token_sets (
    set_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    token_set VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    description VARCHAR,
    token_ids INTEGER[] NOT NULL,
    source VARCHAR NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    real_size INTEGER NOT NULL,
    row_hash BIGINT NOT NULL
);
COMMENT ON TABLE stored_token_sets IS 'Token sets of each model.';
COMMENT ON COLUMN stored_token_sets.set_id IS 'Number of the set, never used again.';
COMMENT ON COLUMN stored_token_sets.model_id IS 'Model whose tokens it holds.';
COMMENT ON COLUMN stored_token_sets.token_set IS 'Name of the set, unique in its model.';
COMMENT ON COLUMN stored_token_sets.family IS 'Family of sets that it belongs to: regex, letters, words, …, or user.';
COMMENT ON COLUMN stored_token_sets.description IS 'What its tokens have in common.';
COMMENT ON COLUMN stored_token_sets.token_ids IS 'Ids of its tokens, ascending.';
COMMENT ON COLUMN stored_token_sets.source IS 'built in, a file, a pattern, a query, or user_token_sets.';
COMMENT ON COLUMN stored_token_sets.loaded_at IS 'When, in UTC.';
COMMENT ON COLUMN stored_token_sets.real_size IS 'How many of its tokens are neither padding nor special.';
COMMENT ON COLUMN stored_token_sets.row_hash IS 'Of an MD5 of its name, family, description, tokens and source, which saedb check compares.';

-- The only table that people write to.
CREATE TABLE user_token_sets (
    model VARCHAR NOT NULL,
    token_set VARCHAR NOT NULL,
    token_id INTEGER NOT NULL
);
COMMENT ON TABLE user_token_sets IS 'Token sets of your own, a row a token: INSERT INTO it, UPDATE it and DELETE FROM it with any client. The next saedb compute (or load sets) takes in what changed, and scores it.';
COMMENT ON COLUMN user_token_sets.model IS 'Name of the model, as in models.';
COMMENT ON COLUMN user_token_sets.token_set IS 'Name of the set, which no set from elsewhere has in that model.';
COMMENT ON COLUMN user_token_sets.token_id IS 'Id of a token of the model, as in tokens; given twice it counts once.';

-- One row for every feature and set: what is stored is kept small. A p-value has
-- its exponent's precision in a FLOAT logarithm, and its range too.
CREATE TABLE stored_enrichment (
    sae_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    es FLOAT,
    promoted BOOLEAN,
    auc FLOAT,
    log10_ks_p FLOAT,
    log10_p FLOAT,
    log10_q FLOAT,
    log10_q_all FLOAT
);
COMMENT ON TABLE stored_enrichment IS 'Enrichment of every feature in every token set.';
COMMENT ON COLUMN stored_enrichment.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_enrichment.set_id IS 'The token set.';
COMMENT ON COLUMN stored_enrichment.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_enrichment.es IS 'Enrichment score, as in enrichment.';
COMMENT ON COLUMN stored_enrichment.promoted IS 'Whether the set lies towards the highest logit weights.';
COMMENT ON COLUMN stored_enrichment.log10_ks_p IS 'log10 of the closed-form Kolmogorov-Smirnov p-value.';
COMMENT ON COLUMN stored_enrichment.log10_p IS 'log10 of the p-value against the baseline, which is 0 below 1e-308; NULL without a baseline.';
COMMENT ON COLUMN stored_enrichment.log10_q IS 'log10 of the q-value within the set''s family; NULL until all of the SAE is computed.';
COMMENT ON COLUMN stored_enrichment.log10_q_all IS 'log10 of the q-value over all sets.';
COMMENT ON COLUMN stored_enrichment.auc IS 'Mann-Whitney AUC.';

-- The same of the input side, in a table of its own: who asks for what features write reads none of it.
CREATE TABLE stored_input_enrichment (
    sae_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    es FLOAT,
    promoted BOOLEAN,
    auc FLOAT,
    log10_ks_p FLOAT,
    log10_p FLOAT,
    log10_q FLOAT,
    log10_q_all FLOAT
);
COMMENT ON TABLE stored_input_enrichment IS 'Enrichment of every feature''s input weights in every token set (compute --side input).';
COMMENT ON COLUMN stored_input_enrichment.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_enrichment.set_id IS 'The token set.';
COMMENT ON COLUMN stored_input_enrichment.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_input_enrichment.es IS 'Enrichment score, as in input_enrichment.';
COMMENT ON COLUMN stored_input_enrichment.promoted IS 'Whether the set lies towards the highest input weights: whether it excites the feature.';
COMMENT ON COLUMN stored_input_enrichment.auc IS 'Mann-Whitney AUC.';
COMMENT ON COLUMN stored_input_enrichment.log10_ks_p IS 'log10 of the closed-form Kolmogorov-Smirnov p-value.';
COMMENT ON COLUMN stored_input_enrichment.log10_p IS 'log10 of the p-value against the baseline of the input side; NULL without one.';
COMMENT ON COLUMN stored_input_enrichment.log10_q IS 'log10 of the q-value within the set''s family; NULL until all of the SAE is computed.';
COMMENT ON COLUMN stored_input_enrichment.log10_q_all IS 'log10 of the q-value over all sets.';
