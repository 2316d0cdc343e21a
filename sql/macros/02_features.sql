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

CREATE OR REPLACE MACRO similar_features(words, feature_index, k := 10, within := NULL) AS TABLE
    WITH one AS (SELECT sae, feature, model, w_dec FROM decoder_directions WHERE sae = sae_named(words) AND feature = feature_of(words, feature_index))
    -- In DOUBLE: squares of FLOAT weights leave its range.
    SELECT d.layer, d.feature, list_cosine_similarity(CAST(d.w_dec AS DOUBLE[]), CAST(one.w_dec AS DOUBLE[])) AS cosine, d.sae, d.release, d.model
    FROM decoder_directions d JOIN one ON d.model = one.model
    WHERE (d.sae, d.feature) IS DISTINCT FROM (one.sae, one.feature) AND d.w_dec IS NOT NULL AND (release_named(within) IS NULL OR d.release = within)
        AND (list_max(one.w_dec) > 0 OR list_min(one.w_dec) < 0) AND (list_max(d.w_dec) > 0 OR list_min(d.w_dec) < 0) -- zeros have no direction
    ORDER BY cosine DESC LIMIT k;
COMMENT ON MACRO TABLE similar_features IS 'similar_features(sae, feature, k := 10, within := NULL): the features, of any layer, or of the release within, whose decoder directions have the highest cosine with that of one feature.';
