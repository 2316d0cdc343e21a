-- Version 1 grew from day to day while saedb had no release, and kept its number:
-- any of these tables and columns may be there already, or not.

CREATE SEQUENCE IF NOT EXISTS token_set_ids;

CREATE TABLE IF NOT EXISTS stored_token_sets (
    set_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    token_set VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    description VARCHAR,
    token_ids INTEGER[] NOT NULL,
    source VARCHAR NOT NULL,
    loaded_at TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS stored_enrichment (
    sae_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    es FLOAT,
    promoted BOOLEAN,
    log10_p FLOAT,
    log10_q FLOAT,
    auc FLOAT
);

CREATE TABLE IF NOT EXISTS user_token_sets (
    model VARCHAR NOT NULL,
    token_set VARCHAR NOT NULL,
    token_id INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS stored_explanations (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    description VARCHAR NOT NULL,
    type VARCHAR,
    explainer VARCHAR
);

CREATE TABLE IF NOT EXISTS stored_neuronpedia_features (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    max_activation DOUBLE,
    density DOUBLE
);

CREATE TABLE IF NOT EXISTS stored_contents (
    load_id INTEGER NOT NULL,
    stored_table VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    row_hash BIGINT NOT NULL
);

-- A column that is added comes last, and these are not: the tables, which are small, are made anew.
ALTER TABLE stored_loads ADD COLUMN IF NOT EXISTS revision VARCHAR;
CREATE TABLE next_stored_loads (
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
INSERT INTO next_stored_loads BY NAME FROM stored_loads;
DROP TABLE stored_loads;
ALTER TABLE next_stored_loads RENAME TO stored_loads;

-- Until there was a choice, every unembedding was processed as TransformerLens does.
ALTER TABLE stored_models ADD COLUMN IF NOT EXISTS processing VARCHAR;
CREATE TABLE next_stored_models (
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
    soft_cap DOUBLE
);
INSERT INTO next_stored_models BY NAME SELECT * REPLACE (coalesce(processing, 'transformerlens') AS processing) FROM stored_models;
DROP TABLE stored_models;
ALTER TABLE next_stored_models RENAME TO stored_models;

ALTER TABLE stored_saes ADD COLUMN IF NOT EXISTS l0 DOUBLE;

-- A database of results has features and tokens without their weights.
ALTER TABLE stored_decoders ALTER COLUMN w_dec DROP NOT NULL;
ALTER TABLE stored_unembeddings ALTER COLUMN w_u DROP NOT NULL;

-- What was loaded before loads recorded a hash of it gets that of what is there now.
INSERT INTO stored_contents
SELECT sae_id, 'stored_decoders', count(*), bit_xor(xor(row_hash(feature, w_dec), coalesce(row_hash(-1 - feature, [log_sparsity]), 0)))
FROM stored_decoders WHERE sae_id NOT IN (SELECT load_id FROM stored_contents) GROUP BY sae_id;

INSERT INTO stored_contents
SELECT model_id, 'stored_unembeddings', count(*), bit_xor(row_hash(token_id, w_u))
FROM stored_unembeddings WHERE model_id NOT IN (SELECT load_id FROM stored_contents) GROUP BY model_id;

INSERT INTO stored_contents
SELECT model_id, 'stored_tokens', count(*), bit_xor(CAST(md5_number_lower(to_json([
    CAST(token_id AS VARCHAR), token, text, CAST(is_special AS VARCHAR), CAST(is_padding AS VARCHAR)])) >> 1 AS BIGINT))
FROM stored_tokens WHERE model_id NOT IN (SELECT load_id FROM stored_contents WHERE stored_table = 'stored_tokens') GROUP BY model_id;

INSERT INTO stored_contents
SELECT load_id, 'stored_explanations', count(neuronpedia_id), coalesce(CAST(sum(CAST(md5_number_lower(to_json([
    neuronpedia_id, CAST(feature AS VARCHAR), description, type, explainer])) >> 1 AS BIGINT)) FILTER (neuronpedia_id IS NOT NULL) % 9223372036854775807 AS BIGINT), 0)
FROM stored_loads LEFT JOIN stored_explanations USING (load_id) WHERE kind = 'explanations' AND replaced_by IS NULL GROUP BY load_id;

INSERT INTO stored_contents
SELECT load_id, 'stored_neuronpedia_features', count(neuronpedia_id), coalesce(CAST(sum(CAST(md5_number_lower(to_json([
    neuronpedia_id, CAST(feature AS VARCHAR), CAST(max_activation AS VARCHAR), CAST(density AS VARCHAR)])) >> 1 AS BIGINT)) FILTER (neuronpedia_id IS NOT NULL) % 9223372036854775807 AS BIGINT), 0)
FROM stored_loads LEFT JOIN stored_neuronpedia_features USING (load_id) WHERE kind = 'explanations' AND replaced_by IS NULL GROUP BY load_id;
