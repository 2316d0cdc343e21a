-- What random directions score, which features are held against. Kept small: a set's null
-- takes less than 10 kB.
CREATE SEQUENCE baseline_ids;

CREATE TABLE stored_baselines (
    baseline_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    tokens VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    directions INTEGER NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    sae_id INTEGER,
    side VARCHAR NOT NULL,
    lens_id INTEGER,
    lens_layer INTEGER
);

CREATE TABLE stored_baseline_statistics (
    baseline_id INTEGER NOT NULL,
    statistic VARCHAR NOT NULL,
    sorted_values DOUBLE[] NOT NULL,
    direction_rows INTEGER[] NOT NULL
);

CREATE TABLE stored_baseline_enrichment (
    baseline_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    directions INTEGER NOT NULL,
    scores FLOAT[],
    counts INTEGER[],
    threshold DOUBLE,
    location DOUBLE,
    scale DOUBLE,
    median DOUBLE,
    auc_scale DOUBLE,
    resolution DOUBLE
);

CREATE TABLE stored_significance (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    skewness_p DOUBLE,
    skewness_q DOUBLE,
    kurtosis_p DOUBLE,
    kurtosis_q DOUBLE
);

CREATE TABLE stored_labels (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    label VARCHAR NOT NULL
);

CREATE TABLE stored_input_labels (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    label VARCHAR NOT NULL
);
COMMENT ON TABLE stored_baselines IS 'What chance is: random directions of the residual stream of each model, computed as features are.';
COMMENT ON COLUMN stored_baselines.baseline_id IS 'Number of the baseline, never used again.';
COMMENT ON COLUMN stored_baselines.model_id IS 'The model.';
COMMENT ON COLUMN stored_baselines.tokens IS 'Columns of the unembedding, or rows of the embedding, that were used: all, or real.';
COMMENT ON COLUMN stored_baselines.seed IS 'Seed of the random directions: random_direction(seed, row, d_model) gives them again, or random_direction_like(seed, row, sae), of the input side of SAE#encoder.';
COMMENT ON COLUMN stored_baselines.directions IS 'Number of random directions.';
COMMENT ON COLUMN stored_baselines.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_baselines.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_baselines.computed_at IS 'When, in UTC.';
COMMENT ON COLUMN stored_baselines.sae_id IS 'SAE the covariance of whose unit decoder, of the input side of whose unit encoder, the random directions have; NULL where they are isotropic.';
COMMENT ON COLUMN stored_baselines.side IS 'What they are multiplied with: output for the unembedding, input for the embedding.';
COMMENT ON COLUMN stored_baselines.lens_id IS 'Lens that they go through before they are multiplied; NULL for none.';
COMMENT ON COLUMN stored_baselines.lens_layer IS 'Block behind which they begin there.';
COMMENT ON TABLE stored_baseline_statistics IS 'Statistics of the random directions'' logit weights.';
COMMENT ON COLUMN stored_baseline_statistics.baseline_id IS 'The baseline.';
COMMENT ON COLUMN stored_baseline_statistics.statistic IS 'Name of the statistic, a column of features.';
COMMENT ON COLUMN stored_baseline_statistics.sorted_values IS 'Its values in the random directions, ascending.';
COMMENT ON COLUMN stored_baseline_statistics.direction_rows IS 'Row number of the random direction that has each of sorted_values.';
COMMENT ON TABLE stored_baseline_enrichment IS 'The null distribution of each token set''s scores: what random directions score in it.';
COMMENT ON COLUMN stored_baseline_enrichment.baseline_id IS 'The baseline.';
COMMENT ON COLUMN stored_baseline_enrichment.set_id IS 'The token set.';
COMMENT ON COLUMN stored_baseline_enrichment.directions IS 'Number of random directions that have a score.';
COMMENT ON COLUMN stored_baseline_enrichment.scores IS 'Enrichment scores of random directions, descending: the highest eighth all, of the rest every eighth. NULL where the set has no null: it is empty, or holds every token.';
COMMENT ON COLUMN stored_baseline_enrichment.counts IS 'How many of all random directions reach each of scores.';
COMMENT ON COLUMN stored_baseline_enrichment.threshold IS 'Score that 1 % of the random directions reach; above it the Gaussian tail counts.';
COMMENT ON COLUMN stored_baseline_enrichment.location IS 'Mean of that Gaussian, of the shift 2 Φ⁻¹((1 + es)/2).';
COMMENT ON COLUMN stored_baseline_enrichment.scale IS 'Its standard deviation.';
COMMENT ON COLUMN stored_baseline_enrichment.median IS 'Median score of the random directions.';
COMMENT ON COLUMN stored_baseline_enrichment.auc_scale IS 'Root mean square of Φ⁻¹(auc) of the random directions.';
COMMENT ON COLUMN stored_baseline_enrichment.resolution IS 'Least score above 0: 1/m(n-m) for m counted members of n counted tokens.';
COMMENT ON TABLE stored_significance IS 'How many random directions have statistics as far out as a feature''s.';
COMMENT ON COLUMN stored_significance.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_significance.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_significance.skewness_p IS 'Two-sided p-value of the skewness against the baseline: twice (1 + the random directions at least as far out on that side)/(1 + all), at most 1. NULL without a baseline.';
COMMENT ON COLUMN stored_significance.skewness_q IS 'Benjamini-Hochberg q-value of skewness_p over the features of the SAE.';
COMMENT ON COLUMN stored_significance.kurtosis_p IS 'Upper p-value of the kurtosis against the baseline: (1 + the random directions with at least that)/(1 + all).';
COMMENT ON COLUMN stored_significance.kurtosis_q IS 'Benjamini-Hochberg q-value of kurtosis_p over the features of the SAE.';
COMMENT ON TABLE stored_labels IS 'What each feature that has a token set beyond chance is, in a few words; the others have no row.';
COMMENT ON COLUMN stored_labels.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_labels.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_labels.set_id IS 'Its strongest token set beyond chance.';
COMMENT ON COLUMN stored_labels.label IS 'What the feature promotes or suppresses, in a few words: its strongest token set beyond chance (q < 0.05) with members among its ten strongest tokens, or the one token that these are variants of. It is read from the weights alone, and says nothing of when the feature fires. NULL where nothing is beyond chance.';
COMMENT ON TABLE stored_input_labels IS 'The same of the input side: which tokens excite each feature that has a token set beyond chance there.';
COMMENT ON COLUMN stored_input_labels.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_labels.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_input_labels.set_id IS 'Its strongest token set beyond chance, of those in input_enrichment.';
COMMENT ON COLUMN stored_input_labels.label IS 'What excites the feature or holds it back, made as stored_labels.label is.';

-- What the scores of one SAE in one set come to, apart for the features that promote it and those that
-- suppress it. It follows from stored_enrichment, of which there are thousands of rows for each of these.
CREATE TABLE stored_set_enrichment (
    sae_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    promoted BOOLEAN NOT NULL,
    features INTEGER NOT NULL,
    adjusted INTEGER NOT NULL,
    beyond_chance INTEGER NOT NULL,
    highest_log10_p FLOAT,
    feature INTEGER NOT NULL,
    auc FLOAT NOT NULL,
    log10_q FLOAT
);
COMMENT ON TABLE stored_set_enrichment IS 'What the enrichment of each SAE''s features in each token set comes to; written with the q-values, when all features have their scores.';
COMMENT ON COLUMN stored_set_enrichment.sae_id IS 'The SAE; through a lens, its number in stored_lens_saes.';
COMMENT ON COLUMN stored_set_enrichment.set_id IS 'The token set.';
COMMENT ON COLUMN stored_set_enrichment.promoted IS 'Whether the row is of the features that promote the set; else of those that suppress it.';
COMMENT ON COLUMN stored_set_enrichment.features IS 'How many features these are.';
COMMENT ON COLUMN stored_set_enrichment.adjusted IS 'How many of them have a q-value.';
COMMENT ON COLUMN stored_set_enrichment.beyond_chance IS 'How many of them are beyond chance.';
COMMENT ON COLUMN stored_set_enrichment.highest_log10_p IS 'log10 of the highest p-value of those that are; NULL where none is.';
COMMENT ON COLUMN stored_set_enrichment.feature IS 'The strongest: beyond chance before others, then the largest effect, the smallest q-value, the smallest index.';
COMMENT ON COLUMN stored_set_enrichment.auc IS 'Its Mann-Whitney AUC.';
COMMENT ON COLUMN stored_set_enrichment.log10_q IS 'log10 of its q-value; NULL without a baseline.';

CREATE TABLE stored_input_set_enrichment (
    sae_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    promoted BOOLEAN NOT NULL,
    features INTEGER NOT NULL,
    adjusted INTEGER NOT NULL,
    beyond_chance INTEGER NOT NULL,
    highest_log10_p FLOAT,
    feature INTEGER NOT NULL,
    auc FLOAT NOT NULL,
    log10_q FLOAT
);
COMMENT ON TABLE stored_input_set_enrichment IS 'What the enrichment of each SAE''s features in each token set comes to on the input side.';
COMMENT ON COLUMN stored_input_set_enrichment.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_input_set_enrichment.set_id IS 'The token set.';
COMMENT ON COLUMN stored_input_set_enrichment.promoted IS 'Whether the row is of the features that the set excites; else of those that it holds back.';
COMMENT ON COLUMN stored_input_set_enrichment.features IS 'How many features these are.';
COMMENT ON COLUMN stored_input_set_enrichment.adjusted IS 'How many of them have a q-value.';
COMMENT ON COLUMN stored_input_set_enrichment.beyond_chance IS 'How many of them are beyond chance.';
COMMENT ON COLUMN stored_input_set_enrichment.highest_log10_p IS 'log10 of the highest p-value of those that are; NULL where none is.';
COMMENT ON COLUMN stored_input_set_enrichment.feature IS 'The strongest, as in stored_set_enrichment.';
COMMENT ON COLUMN stored_input_set_enrichment.auc IS 'Its Mann-Whitney AUC.';
COMMENT ON COLUMN stored_input_set_enrichment.log10_q IS 'log10 of its q-value; NULL without a baseline.';
