-- Macros are kept in the file. They call functions of saedb where they must, so a
-- stock client reads the file, and fails only when it calls such a macro.

CREATE OR REPLACE MACRO feature_logits(sae_name, feature_index) AS TABLE
    WITH one AS (SELECT model, w_dec FROM decoder_directions WHERE sae = sae_name AND feature = feature_index LIMIT 1),
    weights AS (SELECT model, unnest(range(len(w))) AS token_id, unnest(w) AS logit_weight
                FROM (SELECT model, logit_weights(w_dec, model) AS w FROM one))
    SELECT w.token_id, t.token, t.text, w.logit_weight, row_number() OVER (ORDER BY w.logit_weight DESC, w.token_id) AS rank
    FROM weights w JOIN tokens t ON t.model = w.model AND t.token_id = w.token_id
    ORDER BY rank;
COMMENT ON MACRO TABLE feature_logits IS 'feature_logits(sae, feature): the logit weight and the rank of every token for one feature.';

CREATE OR REPLACE MACRO features_for_token(wanted, k := 10) AS TABLE
    SELECT d.sae, d.release, d.layer, d.feature, t.token_id, t.text, logit_weight(d.w_dec, d.model, t.token_id) AS logit_weight
    FROM decoder_directions d JOIN tokens t ON t.model = d.model AND (t.text = wanted OR t.token = wanted)
    ORDER BY logit_weight DESC LIMIT k;
COMMENT ON MACRO TABLE features_for_token IS 'features_for_token(token, k := 10): the features of all SAEs that promote a token most, given by its text or its spelling.';

CREATE OR REPLACE MACRO similar_features(sae_name, feature_index, k := 10) AS TABLE
    WITH one AS (SELECT release, sae, feature, model, w_dec FROM decoder_directions WHERE sae = sae_name AND feature = feature_index LIMIT 1)
    -- In DOUBLE: squares of FLOAT weights leave its range.
    SELECT d.sae, d.release, d.layer, d.feature, list_cosine_similarity(CAST(d.w_dec AS DOUBLE[]), CAST(one.w_dec AS DOUBLE[])) AS cosine
    FROM decoder_directions d JOIN one ON d.model = one.model
    WHERE (d.release, d.sae, d.feature) IS DISTINCT FROM (one.release, one.sae, one.feature) AND d.w_dec IS NOT NULL
        AND (list_max(one.w_dec) > 0 OR list_min(one.w_dec) < 0) AND (list_max(d.w_dec) > 0 OR list_min(d.w_dec) < 0) -- zeros have no direction
    ORDER BY cosine DESC LIMIT k;
COMMENT ON MACRO TABLE similar_features IS 'similar_features(sae, feature, k := 10): the features, of any layer, whose decoder directions have the highest cosine with that of one feature.';
