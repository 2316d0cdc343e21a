-- The tables. Names begin with stored_; people and tools read the views beside
-- this file, which call no saedb function, so that any DuckDB client can.
--
-- Every row leads back to a row of stored_loads: model_id and sae_id are the
-- load_id of the load that made them. A replaced load keeps its record there.
-- Nothing has a primary key: DuckDB would refuse to delete and insert the same
-- key in one transaction, which is what replacing a load does; the loader keeps
-- names unique.
--
-- Weights are stored uncompressed: DuckDB would choose ALP-RD, which for the
-- mantissas of float32 weights takes 6.2 bytes a value (measured) and time.

CREATE TABLE stored_schema (version INTEGER NOT NULL, written_by VARCHAR NOT NULL);
COMMENT ON TABLE stored_schema IS 'The version of this schema; a saedb older than it refuses the file, a newer one upgrades it.';
COMMENT ON COLUMN stored_schema.version IS 'Schema version.';
COMMENT ON COLUMN stored_schema.written_by IS 'Version of saedb that wrote the schema, or upgraded it.';

CREATE TABLE stored_loads (
    load_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    release VARCHAR,
    source VARCHAR NOT NULL,
    revision VARCHAR,
    format VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    conventions VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    seconds DOUBLE,
    replaced_by INTEGER
);
COMMENT ON TABLE stored_loads IS 'One row for every load, kept when a later load replaces it.';
COMMENT ON COLUMN stored_loads.load_id IS 'Number of the load; the model_id or sae_id of what it made, the load_id of explanations.';
COMMENT ON COLUMN stored_loads.kind IS 'model, sae or explanations.';
COMMENT ON COLUMN stored_loads.name IS 'Name that the model or SAE has in this database; of explanations, the file''s.';
COMMENT ON COLUMN stored_loads.release IS 'Release of an SAE.';
COMMENT ON COLUMN stored_loads.source IS 'Absolute path that was loaded; of what came from the Hub, org/name/path.';
COMMENT ON COLUMN stored_loads.revision IS 'Commit of the Hub''s repository; NULL for local files.';
COMMENT ON COLUMN stored_loads.format IS 'File format, as detected.';
COMMENT ON COLUMN stored_loads.sha256 IS 'SHA-256 of the file; of several files, the SHA-256 of the lines that sha256sum prints for them, sorted by name.';
COMMENT ON COLUMN stored_loads.bytes IS 'Size of the files in bytes.';
COMMENT ON COLUMN stored_loads.conventions IS 'What was done to the weights: processing of the unembedding, scale of the decoder. Of explanations, the Neuronpedia ids that they are of.';
COMMENT ON COLUMN stored_loads.saedb_version IS 'Version of saedb that loaded it.';
COMMENT ON COLUMN stored_loads.loaded_at IS 'When, in UTC.';
COMMENT ON COLUMN stored_loads.seconds IS 'How long the load took.';
COMMENT ON COLUMN stored_loads.replaced_by IS 'load_id of the load that replaced this one; NULL while it is current.';

CREATE TABLE stored_load_files (
    load_id INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE stored_load_files IS 'The files that a load read.';
COMMENT ON COLUMN stored_load_files.load_id IS 'The load.';
COMMENT ON COLUMN stored_load_files.path IS 'Path of the file, relative to the source when it lies below it.';
COMMENT ON COLUMN stored_load_files.bytes IS 'Size in bytes.';
COMMENT ON COLUMN stored_load_files.sha256 IS 'SHA-256 of the content, in hexadecimal.';

-- What a load wrote, so that weights can be checked when the files are gone. It
-- finds damage, by accident or by hand; it is no defence against forgery.
CREATE TABLE stored_contents (
    load_id INTEGER NOT NULL,
    stored_table VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    row_hash BIGINT NOT NULL
);
COMMENT ON TABLE stored_contents IS 'Number and hash of the rows that each current load wrote, which saedb check compares.';
COMMENT ON COLUMN stored_contents.load_id IS 'The load.';
COMMENT ON COLUMN stored_contents.stored_table IS 'Table that the rows are in: stored_decoders, stored_encoders, stored_unembeddings, stored_embeddings, stored_tokens, stored_explanations or stored_neuronpedia_features.';
COMMENT ON COLUMN stored_contents.row_count IS 'Number of rows.';
COMMENT ON COLUMN stored_contents.row_hash IS 'bit_xor over the rows of row_hash of the weights, and of an MD5 of what else they hold; of explanations the sum of MD5s, modulo 2^63 - 1.';

CREATE TABLE stored_models (
    model_id INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    d_model INTEGER NOT NULL,
    d_vocab INTEGER NOT NULL,
    unembedding_tensor VARCHAR NOT NULL,
    tied BOOLEAN NOT NULL,
    processing VARCHAR NOT NULL,
    norm VARCHAR NOT NULL,
    norm_tensor VARCHAR,
    norm_offset DOUBLE NOT NULL,
    norm_folded BOOLEAN NOT NULL,
    norm_bias_folded BOOLEAN NOT NULL,
    centered_over_d_model BOOLEAN NOT NULL,
    centered_over_vocabulary BOOLEAN NOT NULL,
    soft_cap DOUBLE,
    embedding_tensor VARCHAR,
    embedding_sha256 VARCHAR,
    embedding_in VARCHAR
);
COMMENT ON TABLE stored_models IS 'One row a model: its sizes and how its unembedding was processed.';
COMMENT ON COLUMN stored_models.model_id IS 'load_id of the load that made it.';
COMMENT ON COLUMN stored_models.model IS 'Name of the model in this database.';
COMMENT ON COLUMN stored_models.architecture IS 'Architecture, as the model''s configuration names it.';
COMMENT ON COLUMN stored_models.format IS 'File format: huggingface or gguf.';
COMMENT ON COLUMN stored_models.dtype IS 'Type of the numbers in the stored unembedding.';
COMMENT ON COLUMN stored_models.d_model IS 'Width of the residual stream.';
COMMENT ON COLUMN stored_models.d_vocab IS 'Columns of the unembedding, padding included.';
COMMENT ON COLUMN stored_models.unembedding_tensor IS 'Tensor that the unembedding was read from.';
COMMENT ON COLUMN stored_models.tied IS 'Whether that tensor is the token embedding.';
COMMENT ON COLUMN stored_models.processing IS 'Processing asked for: transformerlens, fold-only or none; the columns after it say what came of it.';
COMMENT ON COLUMN stored_models.norm IS 'Kind of the final norm: LayerNorm or RMSNorm.';
COMMENT ON COLUMN stored_models.norm_tensor IS 'Tensor of the final norm''s weight; NULL when it has none.';
COMMENT ON COLUMN stored_models.norm_offset IS 'What was added to the stored norm weight before it was folded (1 for Gemma, otherwise 0).';
COMMENT ON COLUMN stored_models.norm_folded IS 'Whether the unembedding was multiplied by the final norm''s weight.';
COMMENT ON COLUMN stored_models.norm_bias_folded IS 'Whether the final norm''s bias was folded into the unembedding''s bias, which logit weights do not use.';
COMMENT ON COLUMN stored_models.centered_over_d_model IS 'Whether each token''s column was centred over the residual stream.';
COMMENT ON COLUMN stored_models.centered_over_vocabulary IS 'Whether each row of the unembedding was centred over the vocabulary.';
COMMENT ON COLUMN stored_models.soft_cap IS 'Soft cap of the model''s logits; recorded, never applied to logit weights.';
COMMENT ON COLUMN stored_models.embedding_tensor IS 'Tensor that the embedding was read from; NULL where it was not loaded (load model --embedding).';
COMMENT ON COLUMN stored_models.embedding_sha256 IS 'SHA-256 of the files that the embedding was read from, as of those of a load.';
COMMENT ON COLUMN stored_models.embedding_in IS 'Table that has the embedding''s rows: stored_embeddings, or stored_unembeddings where the unembedding is the same matrix and was left as it is.';

CREATE TABLE stored_tokens (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    token VARCHAR,
    text VARCHAR,
    is_special BOOLEAN NOT NULL,
    is_padding BOOLEAN NOT NULL
);
COMMENT ON TABLE stored_tokens IS 'The vocabulary of each model.';
COMMENT ON COLUMN stored_tokens.model_id IS 'The model.';
COMMENT ON COLUMN stored_tokens.token_id IS 'Id of the token: its column of the unembedding.';
COMMENT ON COLUMN stored_tokens.token IS 'Token as the tokenizer spells it; NULL for padding.';
COMMENT ON COLUMN stored_tokens.text IS 'Decoded text; NULL for padding.';
COMMENT ON COLUMN stored_tokens.is_special IS 'Whether it is a special token.';
COMMENT ON COLUMN stored_tokens.is_padding IS 'Whether the unembedding has this column but the tokenizer no such token.';

CREATE TABLE stored_unembeddings (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    w_u FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_unembeddings IS 'The processed unembedding of each model, a row a token.';
COMMENT ON COLUMN stored_unembeddings.model_id IS 'The model.';
COMMENT ON COLUMN stored_unembeddings.token_id IS 'Id of the token.';
COMMENT ON COLUMN stored_unembeddings.w_u IS 'The token''s column of the processed unembedding, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_embeddings (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    w_e FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_embeddings IS 'The embedding of each model that was loaded with it, a row a token, as its files have it; of a model whose stored unembedding is the same matrix, there.';
COMMENT ON COLUMN stored_embeddings.model_id IS 'The model.';
COMMENT ON COLUMN stored_embeddings.token_id IS 'Id of the token.';
COMMENT ON COLUMN stored_embeddings.w_e IS 'The token''s row of the embedding, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_saes (
    sae_id INTEGER NOT NULL,
    sae VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    short_name VARCHAR NOT NULL,
    model_id INTEGER NOT NULL,
    format VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    d_model INTEGER NOT NULL,
    d_sae INTEGER NOT NULL,
    hook VARCHAR,
    block INTEGER,
    layer INTEGER,
    dtype VARCHAR NOT NULL,
    scale VARCHAR NOT NULL,
    neuronpedia_id VARCHAR,
    l0 DOUBLE,
    encoder_hook VARCHAR
);
COMMENT ON TABLE stored_saes IS 'One row an SAE.';
COMMENT ON COLUMN stored_saes.sae_id IS 'load_id of the load that made it.';
COMMENT ON COLUMN stored_saes.sae IS 'Name of the SAE, unique in this database: release/name where it was loaded with a release, its own name without one.';
COMMENT ON COLUMN stored_saes.release IS 'Release that it belongs to; local where it was loaded without one.';
COMMENT ON COLUMN stored_saes.short_name IS 'Name of the SAE in its release.';
COMMENT ON COLUMN stored_saes.model_id IS 'Model whose residual stream it writes to.';
COMMENT ON COLUMN stored_saes.format IS 'File format, as detected.';
COMMENT ON COLUMN stored_saes.architecture IS 'Architecture: standard, topk, jumprelu, ….';
COMMENT ON COLUMN stored_saes.d_model IS 'Length of a decoder direction.';
COMMENT ON COLUMN stored_saes.d_sae IS 'Number of features.';
COMMENT ON COLUMN stored_saes.hook IS 'Hook point that the decoder writes to.';
COMMENT ON COLUMN stored_saes.block IS 'Index of the block in the hook point''s name; NULL when it has none.';
COMMENT ON COLUMN stored_saes.layer IS 'Layer: the block''s index in the hook point''s name, whatever point of the block it is; for an SAE of a published release that numbers otherwise, as that release does. It is settled when the SAE is loaded. NULL where the hook point names no block.';
COMMENT ON COLUMN stored_saes.dtype IS 'Type of the numbers in the stored decoder.';
COMMENT ON COLUMN stored_saes.scale IS 'Scale convention of the decoder.';
COMMENT ON COLUMN stored_saes.neuronpedia_id IS 'Neuronpedia''s model and source, such as gpt2-small/8-res-jb.';
COMMENT ON COLUMN stored_saes.l0 IS 'Mean number of features that fire on a token; NULL where the files do not say.';
COMMENT ON COLUMN stored_saes.encoder_hook IS 'Hook point that the encoder reads; NULL where the encoder was not loaded (load sae --encoder).';

CREATE TABLE stored_decoders (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    w_dec FLOAT[] USING COMPRESSION uncompressed,
    log_sparsity FLOAT
);
COMMENT ON TABLE stored_decoders IS 'The decoder of each SAE, a row a feature.';
COMMENT ON COLUMN stored_decoders.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_decoders.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_decoders.w_dec IS 'The feature''s decoder direction, d_model values; NULL in a database of results alone.';
COMMENT ON COLUMN stored_decoders.log_sparsity IS 'log10 of how often the feature fires; NULL where the files do not say.';

CREATE TABLE stored_encoders (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    w_enc FLOAT[] USING COMPRESSION uncompressed,
    bias FLOAT,
    threshold FLOAT
);
COMMENT ON TABLE stored_encoders IS 'The encoder of each SAE that was loaded with it, a row a feature, as its files have it.';
COMMENT ON COLUMN stored_encoders.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_encoders.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_encoders.w_enc IS 'What the feature reads the residual stream by, d_model values, in the units of what the SAE was trained on; NULL in a database of results alone.';
COMMENT ON COLUMN stored_encoders.bias IS 'Bias of the encoder, of a gated SAE that of its gate; NULL where the files have none.';
COMMENT ON COLUMN stored_encoders.threshold IS 'Threshold above which the feature fires; NULL where the files have none.';

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
COMMENT ON COLUMN stored_computations.sae_id IS 'The SAE.';
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
COMMENT ON COLUMN stored_statistics.sae_id IS 'The SAE.';
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
COMMENT ON COLUMN stored_input_computations.baseline_id IS 'Baseline that its p-values are against, an isotropic one; NULL for none.';
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
    sae_id INTEGER
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
COMMENT ON TABLE stored_baselines IS 'What chance is: random directions of the residual stream of each model, computed as features are.';
COMMENT ON COLUMN stored_baselines.baseline_id IS 'Number of the baseline, never used again.';
COMMENT ON COLUMN stored_baselines.model_id IS 'The model.';
COMMENT ON COLUMN stored_baselines.tokens IS 'Columns of the unembedding that were used: all, or real.';
COMMENT ON COLUMN stored_baselines.seed IS 'Seed of the random directions: random_direction(seed, row, d_model) gives them again, or random_direction_like(seed, row, sae).';
COMMENT ON COLUMN stored_baselines.directions IS 'Number of random directions.';
COMMENT ON COLUMN stored_baselines.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_baselines.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_baselines.computed_at IS 'When, in UTC.';
COMMENT ON COLUMN stored_baselines.sae_id IS 'SAE whose unit decoder''s covariance the random directions have; NULL where they are isotropic.';
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

-- Features multiplied with features. A row has a feature's ends of the ranking, as lists: a
-- pair of SAEs of 24,576 features would have 604 million products.
CREATE TABLE stored_sae_pairs (
    pair_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    sae_id INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    top INTEGER NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    features INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE
);

CREATE TABLE stored_links (
    pair_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE,
    top_features INTEGER[],
    top_weights DOUBLE[],
    bottom_features INTEGER[],
    bottom_weights DOUBLE[]
);

CREATE TABLE stored_neighbours (
    pair_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    neighbours INTEGER[],
    cosines DOUBLE[],
    mean_absolute_cosine DOUBLE
);
COMMENT ON TABLE stored_sae_pairs IS 'Which features were multiplied with which: the directions of one SAE with the rows of another, or of itself.';
COMMENT ON COLUMN stored_sae_pairs.pair_id IS 'Number of the pair in this database.';
COMMENT ON COLUMN stored_sae_pairs.kind IS 'outgoing: the decoder of sae_id with the encoder of other_id. incoming: the encoder of sae_id with the decoder of other_id. neighbours: the decoders of both, at unit length.';
COMMENT ON COLUMN stored_sae_pairs.sae_id IS 'SAE whose features have a row each.';
COMMENT ON COLUMN stored_sae_pairs.other_id IS 'SAE whose features are in the lists.';
COMMENT ON COLUMN stored_sae_pairs.top IS 'How many are kept of each end.';
COMMENT ON COLUMN stored_sae_pairs.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_sae_pairs.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_sae_pairs.computed_at IS 'When they were begun, in UTC.';
COMMENT ON COLUMN stored_sae_pairs.features IS 'How many features have their row, recorded as they are stored; fewer than the SAE has while it is computed.';
COMMENT ON COLUMN stored_sae_pairs.mean IS 'Mean over all products of the pair; NULL until all are computed.';
COMMENT ON COLUMN stored_sae_pairs.std IS 'Population standard deviation over all products of the pair, likewise.';
COMMENT ON TABLE stored_links IS 'Direct weights between features: of each feature the strongest, of either sign.';
COMMENT ON COLUMN stored_links.pair_id IS 'The pair: outgoing or incoming.';
COMMENT ON COLUMN stored_links.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_links.mean IS 'Mean of its weights with all features of the other SAE.';
COMMENT ON COLUMN stored_links.std IS 'Their population standard deviation.';
COMMENT ON COLUMN stored_links.top_features IS 'Features with the highest weights, highest first; equal ones by their index.';
COMMENT ON COLUMN stored_links.top_weights IS 'Their weights.';
COMMENT ON COLUMN stored_links.bottom_features IS 'Features with the lowest weights, lowest first; equal ones by their index.';
COMMENT ON COLUMN stored_links.bottom_weights IS 'Their weights.';
COMMENT ON TABLE stored_neighbours IS 'Features whose decoder directions have the highest cosines with that of a feature.';
COMMENT ON COLUMN stored_neighbours.pair_id IS 'The pair: neighbours.';
COMMENT ON COLUMN stored_neighbours.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_neighbours.neighbours IS 'Features with the highest cosines, highest first, equal ones by their index, without the feature itself; empty where the decoder direction is zero.';
COMMENT ON COLUMN stored_neighbours.cosines IS 'Their cosines.';
COMMENT ON COLUMN stored_neighbours.mean_absolute_cosine IS 'Mean magnitude of the cosines with all decoder directions of the other SAE that are not zero, the feature''s own among them; NULL where the decoder direction is zero.';

-- What Neuronpedia says of features. Its own names are the key, so that SAEs may be
-- loaded before or after; the views join them.
CREATE TABLE stored_explanations (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    description VARCHAR NOT NULL,
    type VARCHAR,
    explainer VARCHAR
);
COMMENT ON TABLE stored_explanations IS 'Explanations of features, from Neuronpedia''s exports.';
COMMENT ON COLUMN stored_explanations.load_id IS 'The load: a file.';
COMMENT ON COLUMN stored_explanations.neuronpedia_id IS 'Neuronpedia''s model and source, such as gpt2-small/8-res-jb.';
COMMENT ON COLUMN stored_explanations.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_explanations.description IS 'What the feature is said to respond to.';
COMMENT ON COLUMN stored_explanations.type IS 'Method that wrote the description, such as oai_token-act-pair; NULL where the file names none.';
COMMENT ON COLUMN stored_explanations.explainer IS 'Language model that wrote the description; NULL where the file names none.';

CREATE TABLE stored_neuronpedia_features (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    max_activation DOUBLE,
    density DOUBLE
);
COMMENT ON TABLE stored_neuronpedia_features IS 'How features fire, from Neuronpedia''s exports.';
COMMENT ON COLUMN stored_neuronpedia_features.load_id IS 'The load: a file.';
COMMENT ON COLUMN stored_neuronpedia_features.neuronpedia_id IS 'Neuronpedia''s model and source.';
COMMENT ON COLUMN stored_neuronpedia_features.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_neuronpedia_features.max_activation IS 'Highest activation that Neuronpedia saw (its maxActApprox).';
COMMENT ON COLUMN stored_neuronpedia_features.density IS 'Fraction of tokens on which the feature fired in Neuronpedia''s texts (its frac_nonzero).';
