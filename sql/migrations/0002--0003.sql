-- Names of SAEs become unique in the database, and their layers no longer depend on what
-- else is loaded: the block's index, but for the one SAE whose release numbers otherwise.
CREATE TABLE next_stored_saes (
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
-- A name that two SAEs would have, such as a/b without a release and b of release a, gets
-- the number of its load from the second on.
INSERT INTO next_stored_saes BY NAME
SELECT * EXCLUDE (place) REPLACE (sae || CASE WHEN place > 1 THEN '#' || sae_id ELSE '' END AS sae)
FROM (SELECT *, row_number() OVER (PARTITION BY sae ORDER BY sae_id) AS place
      FROM (SELECT * REPLACE (CASE WHEN release = 'local' THEN sae ELSE release || '/' || sae END AS sae), sae AS short_name,
                   CASE WHEN neuronpedia_id = 'gpt2-small/12-res-jb' THEN 12 ELSE block END AS layer
            FROM stored_saes))
ORDER BY sae_id;
DROP TABLE stored_saes;
ALTER TABLE next_stored_saes RENAME TO stored_saes;

-- Loads call an SAE as the database does, those that were replaced too.
UPDATE stored_loads SET name = release || '/' || name WHERE kind = 'sae' AND release <> 'local';
UPDATE stored_loads SET name = s.sae FROM stored_saes s WHERE s.sae_id = load_id AND name <> s.sae;

DROP VIEW IF EXISTS release_enrichment;

-- Columns are added before rows change, which DuckDB wants in this order.
ALTER TABLE stored_statistics ADD COLUMN top_share DOUBLE;
ALTER TABLE stored_statistics ADD COLUMN decoder_norm DOUBLE;
ALTER TABLE stored_models ADD COLUMN embedding_tensor VARCHAR;
ALTER TABLE stored_models ADD COLUMN embedding_sha256 VARCHAR;
ALTER TABLE stored_models ADD COLUMN embedding_in VARCHAR;

-- Bytes of tokens that are no UTF-8 by themselves show as <0xBB>, in the lists of tokens too.
CREATE TABLE changed_texts AS SELECT model_id, token_id, token, text AS old, token_text(token, text) AS new FROM stored_tokens
WHERE contains(text, chr(65533)) AND token_text(token, text) <> text;
UPDATE stored_tokens SET text = c.new FROM changed_texts c WHERE stored_tokens.model_id = c.model_id AND stored_tokens.token_id = c.token_id;
-- Lists had the spelling in place of such a text.
UPDATE stored_statistics SET top_tokens = n.top_tokens, bottom_tokens = n.bottom_tokens FROM (
    SELECT t.sae_id, t.feature,
           list_transform(list_zip(t.top_token_ids, t.top_tokens), lambda e: coalesce(m.texts[e[1]], e[2])) AS top_tokens,
           list_transform(list_zip(t.bottom_token_ids, t.bottom_tokens), lambda e: coalesce(m.texts[e[1]], e[2])) AS bottom_tokens
    FROM stored_statistics t JOIN stored_saes s USING (sae_id)
    JOIN (SELECT model_id, map(list(token_id), list(new)) AS texts FROM changed_texts GROUP BY model_id) m USING (model_id)
    WHERE list_has_any(list_concat(t.top_token_ids, t.bottom_token_ids), map_keys(m.texts))
) n WHERE stored_statistics.sae_id = n.sae_id AND stored_statistics.feature = n.feature;
DELETE FROM stored_contents WHERE stored_table = 'stored_tokens' AND load_id IN (SELECT model_id FROM changed_texts);
INSERT INTO stored_contents
SELECT model_id, 'stored_tokens', count(*), bit_xor(CAST(md5_number_lower(to_json([
    CAST(token_id AS VARCHAR), token, text, CAST(is_special AS VARCHAR), CAST(is_padding AS VARCHAR)])) >> 1 AS BIGINT))
FROM stored_tokens WHERE model_id IN (SELECT model_id FROM changed_texts) GROUP BY model_id;
DROP TABLE changed_texts;

-- Scores are defined otherwise now: equal logit weights are one place in the ranking, and
-- p-values are exact where they were not. Where the weights are there, compute makes them again.
DELETE FROM stored_enrichment WHERE sae_id IN (SELECT load_id FROM stored_loads WHERE NOT contains(conventions, '; without weights'));

-- Token sets get a hash, and the number of their tokens that count among real ones.
CREATE TABLE next_stored_token_sets (
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
INSERT INTO next_stored_token_sets
SELECT *, len(token_ids) - len(list_intersect(token_ids, (SELECT coalesce(list(t.token_id), []) FROM stored_tokens t
              WHERE t.model_id = s.model_id AND (t.is_special OR t.is_padding)))),
       CAST(md5_number_lower(to_json([token_set, family, description, CAST(token_ids AS VARCHAR), source])) >> 1 AS BIGINT)
FROM stored_token_sets s ORDER BY set_id;
DROP TABLE stored_token_sets;
ALTER TABLE next_stored_token_sets RENAME TO stored_token_sets;

-- Computations record how many figures they left.
CREATE TABLE next_stored_computations (
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
INSERT INTO next_stored_computations
SELECT c.*, (SELECT count(*) FROM stored_tokens t WHERE t.model_id = s.model_id AND t.token_id < m.d_vocab
                 AND (c.tokens = 'all' OR NOT t.is_special AND NOT t.is_padding)),
       (SELECT count(*) FROM stored_statistics t WHERE t.sae_id = c.sae_id), (SELECT count(*) FROM stored_enrichment e WHERE e.sae_id = c.sae_id), NULL
FROM stored_computations c JOIN stored_saes s USING (sae_id) JOIN stored_models m USING (model_id);
DROP TABLE stored_computations;
ALTER TABLE next_stored_computations RENAME TO stored_computations;

UPDATE stored_statistics SET top_share = list_sum(list_reverse_sort(list_transform(
    list_concat(top_logit_weights, bottom_logit_weights[:greatest(c.counted_tokens - 10, 0)]),
    lambda w: pow((w - mean) / nullif(std, 0), 2)))[:10]) / c.counted_tokens
FROM stored_computations c WHERE c.sae_id = stored_statistics.sae_id;
UPDATE stored_statistics SET decoder_norm = sqrt(list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[])))
FROM stored_decoders d WHERE d.sae_id = stored_statistics.sae_id AND d.feature = stored_statistics.feature;

-- What was the p-value is now called after its formula; p- and q-values against a baseline come with the next compute.
CREATE TABLE next_stored_enrichment (
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
-- Closed-form p-values as they are computed now, exact where they were off.
CREATE TABLE counted_sets AS
SELECT s.sae_id, t.set_id, count(*) FILTER (c.tokens = 'all' OR NOT (k.is_special OR k.is_padding)) AS members,
       (SELECT count(*) FROM stored_tokens v WHERE v.model_id = s.model_id AND (c.tokens = 'all' OR NOT (v.is_special OR v.is_padding))) AS tokens
FROM stored_saes s JOIN stored_computations c USING (sae_id)
JOIN (SELECT set_id, model_id, unnest(token_ids) AS token_id FROM stored_token_sets) t USING (model_id)
JOIN stored_tokens k ON k.model_id = t.model_id AND k.token_id = t.token_id
GROUP BY s.sae_id, s.model_id, t.set_id, c.tokens;
INSERT INTO next_stored_enrichment BY NAME
SELECT e.sae_id, e.set_id, e.feature, e.es, e.promoted, e.auc, CASE WHEN e.log10_p IS NOT NULL
    THEN CAST(ks_log10_p(CAST(n.members AS INTEGER), CAST(n.tokens AS INTEGER), CAST(e.es AS DOUBLE)) AS FLOAT) END AS log10_ks_p
FROM stored_enrichment e LEFT JOIN counted_sets n ON n.sae_id = e.sae_id AND n.set_id = e.set_id
ORDER BY e.sae_id, e.set_id, e.feature;
DROP TABLE counted_sets;
DROP TABLE stored_enrichment;
ALTER TABLE next_stored_enrichment RENAME TO stored_enrichment;
