-- These call functions of saedb where they must, so a stock client reads the file, and
-- fails only when it calls such a macro.

-- tokens is the parameter wherever it stands without a relation before it.
CREATE OR REPLACE MACRO feature_logits(words, feature_index, tokens := NULL) AS TABLE
    WITH one AS (SELECT d.model, d.w_dec, coalesce(tokens, s.tokens, 'all') AS counted FROM decoder_directions d JOIN saes s USING (sae)
                 WHERE d.sae = sae_named(words) AND d.feature = feature_of(words, feature_index)),
    weights AS (SELECT model, counted, unnest(range(len(w))) AS token_id, unnest(w) AS logit_weight
                FROM (SELECT model, counted, CASE WHEN w_dec IS NULL THEN error('the weights of ' || words || ' are not in this database')
                                                  WHEN counted NOT IN ('all', 'real') THEN error('feature_logits: tokens: expected ''all'' or ''real'', found ''' || counted || '''')
                                                  ELSE logit_weights(w_dec, model) END AS w FROM one))
    SELECT row_number() OVER (ORDER BY w.logit_weight DESC, w.token_id) AS rank, t.text, w.logit_weight, w.token_id, t.token
    FROM weights w JOIN tokens t ON t.model = w.model AND t.token_id = w.token_id
    WHERE w.counted = 'all' OR NOT t.is_special AND NOT t.is_padding
    ORDER BY rank;
COMMENT ON MACRO TABLE feature_logits IS 'feature_logits(sae, feature, tokens := NULL): the logit weight and the rank of every token for one feature; of all tokens, or of the real ones alone: those that the SAE was computed for, where tokens does not say.';

CREATE OR REPLACE MACRO features_for_token(wanted, k := 10, within := NULL) AS TABLE
    WITH meant AS (SELECT model, token_id, text FROM tokens WHERE text = wanted OR token = wanted),
    known AS (SELECT CASE WHEN count(*) = 0 THEN error('no loaded model has a token ' || wanted || ' (tokens lists them)') END AS is_known FROM meant)
    SELECT d.layer, d.feature, logit_weight(d.w_dec, d.model, t.token_id) AS logit_weight, t.text, t.token_id, d.sae, d.release, d.model
    FROM known, decoder_directions d JOIN meant t ON t.model = d.model
    WHERE known.is_known IS NULL AND (release_named(within) IS NULL OR d.release = within)
    ORDER BY logit_weight DESC LIMIT k;
COMMENT ON MACRO TABLE features_for_token IS 'features_for_token(token, k := 10, within := NULL): the features of all SAEs, or of those of the release within, that promote a token most, given by its text or its spelling.';

-- What compute --neighbours stored is the answer where it has all SAEs that are asked of, with
-- as many features; otherwise every decoder is read.
CREATE OR REPLACE MACRO similar_features(words, feature_index, k := 10, within := NULL) AS TABLE
    WITH asked AS (SELECT load_id AS asked_id, sae, model, d_sae, feature_of(words, feature_index) AS feature FROM saes WHERE sae = sae_named(words)),
    among AS (SELECT o.layer, o.sae, o.release, o.model, p.pair_id, a.feature
              FROM asked a JOIN saes o ON o.model = a.model AND (release_named(within) IS NULL OR o.release = within)
              LEFT JOIN stored_sae_pairs p ON p.kind = 'neighbours' AND p.sae_id = a.asked_id AND p.other_id = o.load_id AND p.features = a.d_sae AND p.top >= least(k, o.d_sae)),
    stored AS (SELECT coalesce(bool_and(pair_id IS NOT NULL), false) AS whole FROM among),
    one AS (SELECT d.sae, d.feature, d.model, d.w_dec FROM decoder_directions d JOIN asked USING (sae, feature) WHERE NOT (SELECT whole FROM stored)),
    near AS (SELECT pair_id, unnest(neighbours) AS neighbour, unnest(cosines) AS cosine FROM stored_neighbours n
             WHERE n.feature = (SELECT feature FROM asked) AND n.pair_id IN (SELECT pair_id FROM among) AND (SELECT whole FROM stored))
    FROM (
        -- In DOUBLE: squares of FLOAT weights leave its range.
        SELECT d.layer, d.feature, list_cosine_similarity(CAST(d.w_dec AS DOUBLE[]), CAST(one.w_dec AS DOUBLE[])) AS cosine, d.sae, d.release, d.model
        FROM decoder_directions d JOIN one ON d.model = one.model
        WHERE (d.sae, d.feature) IS DISTINCT FROM (one.sae, one.feature) AND d.w_dec IS NOT NULL AND (release_named(within) IS NULL OR d.release = within)
            AND (list_max(one.w_dec) > 0 OR list_min(one.w_dec) < 0) AND (list_max(d.w_dec) > 0 OR list_min(d.w_dec) < 0) -- zeros have no direction
        UNION ALL
        SELECT a.layer, n.neighbour, n.cosine, a.sae, a.release, a.model FROM near n JOIN among a USING (pair_id)
    )
    ORDER BY cosine DESC, sae, feature LIMIT k;
COMMENT ON MACRO TABLE similar_features IS 'similar_features(sae, feature, k := 10, within := NULL): the features, of any layer, or of the release within, whose decoder directions have the highest cosine with that of one feature; equal ones by the SAE''s name and the feature.';
