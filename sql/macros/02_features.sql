-- These call functions of saedb where they must, so a stock client reads the file, and
-- fails only when it calls such a macro.

-- The views of directions have NULL where weights stay in their files (load sae --in-place), so
-- that any client reads them; these read the files.
CREATE OR REPLACE MACRO decoder_directions_of(words) AS TABLE
    SELECT s.layer, d.feature, {{decoder weights wherever they are}} AS w_dec,
           s.sae, s.release, s.model
    FROM stored_decoders d JOIN saes s ON d.sae_id = s.load_id WHERE s.sae = sae_named(words);
COMMENT ON MACRO TABLE decoder_directions_of IS 'decoder_directions_of(sae): the rows of decoder_directions of one SAE, with its weights also where these stay in their files.';

CREATE OR REPLACE MACRO encoder_directions_of(words) AS TABLE
    SELECT s.layer, d.feature, {{encoder weights wherever they are}} AS w_enc,
           d.bias, d.threshold, s.encoder_hook, s.sae, s.release, s.model
    FROM stored_encoders d JOIN saes s ON d.sae_id = s.load_id WHERE s.sae = sae_named(words);
COMMENT ON MACRO TABLE encoder_directions_of IS 'encoder_directions_of(sae): the rows of encoder_directions of one SAE, with its weights also where these stay in their files.';

-- tokens is the parameter wherever it stands without a relation before it.
CREATE OR REPLACE MACRO feature_logits(words, feature_index, tokens := NULL) AS TABLE
    WITH one AS (SELECT d.model, d.w_dec, coalesce(tokens, s.tokens, 'all') AS counted FROM decoder_directions_of(words) d JOIN saes s USING (sae)
                 WHERE d.feature = feature_of(words, feature_index)),
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
    SELECT s.layer, d.feature, logit_weight({{decoder weights wherever they are}}, s.model, t.token_id) AS logit_weight, t.text, t.token_id, s.sae, s.release, s.model
    FROM known, stored_decoders d JOIN saes s ON d.sae_id = s.load_id JOIN meant t ON t.model = s.model
    WHERE known.is_known IS NULL AND (release_named(within) IS NULL OR s.release = within)
    ORDER BY logit_weight DESC LIMIT k;
COMMENT ON MACRO TABLE features_for_token IS 'features_for_token(token, k := 10, within := NULL): the features of all SAEs, or of those of the release within, that promote a token most, given by its text or its spelling.';

CREATE OR REPLACE MACRO whole_neighbours(k) AS TABLE
    SELECT p.pair_id, p.sae_id, p.other_id FROM stored_sae_pairs p JOIN stored_saes s ON s.sae_id = p.sae_id JOIN stored_saes o ON o.sae_id = p.other_id
    WHERE p.kind = 'neighbours' AND p.features = s.d_sae AND p.top >= least(k, o.d_sae);
COMMENT ON MACRO TABLE whole_neighbours IS 'whole_neighbours(k): the pairs of SAEs of which compute --neighbours has stored at least k nearest directions of every feature.';

CREATE OR REPLACE MACRO neighbours_of(pair, feature_index, k) AS TABLE
    SELECT unnest(neighbours[:k]) AS neighbour, unnest(cosines[:k]) AS cosine FROM stored_neighbours WHERE pair_id = pair AND feature = feature_index;
COMMENT ON MACRO TABLE neighbours_of IS 'neighbours_of(pair_id, feature, k): the k nearest directions of a feature that are stored of a pair of whole_neighbours, nearest first.';

-- What compute --neighbours stored is the answer where it has all SAEs that are asked of, with
-- as many features; otherwise every decoder is read.
CREATE OR REPLACE MACRO similar_features(words, feature_index, k := 10, within := NULL, of_sae := NULL) AS TABLE
    WITH asked AS (SELECT load_id AS asked_id, sae, model, {{feature_index of an SAE}} AS feature FROM saes WHERE sae = sae_named(words)),
    among AS (SELECT o.load_id, o.layer, o.sae, o.release, o.model, p.pair_id, a.feature
              FROM asked a JOIN saes o ON o.model = a.model AND (release_named(within) IS NULL OR o.release = within) AND (of_sae IS NULL OR o.sae = of_sae)
              LEFT JOIN whole_neighbours(k) p ON p.sae_id = a.asked_id AND p.other_id = o.load_id),
    -- Which any client cannot read.
    in_files AS (SELECT s.sae || ' stay in ' || p.path AS where_they_are FROM stored_in_place p JOIN stored_saes s ON s.sae_id = p.sae_id
                 WHERE p.sae_id IN (SELECT load_id FROM among UNION ALL SELECT asked_id FROM asked)),
    stored AS (SELECT CASE WHEN whole THEN true
                           WHEN (SELECT count(*) FROM in_files) > 0
                           THEN CAST(error('the weights of ' || (SELECT min(where_they_are) FROM in_files) || ', and what similar_features reads is not stored (saedb compute --neighbours stores it, load sae without --in-place copies the weights)') AS BOOLEAN)
                           ELSE false END AS whole
               FROM (SELECT coalesce(bool_and(pair_id IS NOT NULL), false) AS whole FROM among)),
    -- Zeros have no direction. No condition says so: DuckDB would try it on every direction.
    one AS (SELECT CASE WHEN list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[])) > 0 THEN CAST(d.w_dec AS DOUBLE[]) END AS w_dec
            FROM stored_decoders d JOIN asked a ON d.sae_id = a.asked_id AND d.feature = a.feature WHERE NOT (SELECT whole FROM stored)),
    -- In DOUBLE: squares of FLOAT weights leave its range. Conditions come after the order, since
    -- DuckDB copies the directions that a condition leaves. What a zero direction has for a cosine
    -- is not below 1 in magnitude, so that few directions are looked at again for being zero.
    computed AS (
        SELECT layer, feature, cosine, sae, release, model FROM (
            SELECT layer, feature, sae, release, model,
                   CASE WHEN abs(found) < 1 THEN found WHEN list_inner_product(CAST(w_dec AS DOUBLE[]), CAST(w_dec AS DOUBLE[])) > 0 THEN found END AS cosine
            FROM (SELECT a.layer, d.feature, a.sae, a.release, a.model, d.w_dec, list_cosine_similarity(CAST(d.w_dec AS DOUBLE[]), (SELECT w_dec FROM one)) AS found
                  FROM stored_decoders d JOIN among a ON d.sae_id = a.load_id WHERE NOT (SELECT whole FROM stored))
            ORDER BY cosine DESC NULLS LAST, sae, feature LIMIT k + 1
        ) WHERE cosine IS NOT NULL AND (sae, feature) IS DISTINCT FROM (SELECT (sae, feature) FROM asked)
    ),
    near AS (SELECT pair_id, unnest(neighbours) AS neighbour, unnest(cosines) AS cosine FROM stored_neighbours n
             WHERE n.feature = (SELECT feature FROM asked) AND n.pair_id IN (SELECT pair_id FROM among) AND (SELECT whole FROM stored))
    FROM (
        FROM computed
        UNION ALL
        SELECT a.layer, n.neighbour, n.cosine, a.sae, a.release, a.model FROM near n JOIN among a USING (pair_id)
    )
    ORDER BY cosine DESC, sae, feature LIMIT k;
COMMENT ON MACRO TABLE similar_features IS 'similar_features(sae, feature, k := 10, within := NULL, of_sae := NULL): the features, of any layer, of the release within, or of the one SAE whose name is of_sae, whose decoder directions have the highest cosine with that of one feature; equal ones by the SAE''s name and the feature.';

CREATE OR REPLACE MACRO feature_splits(wider, narrower, cosine := 0.5) AS TABLE
    SELECT nearest_b AS feature, count(*) AS features, list(feature_a ORDER BY max_absolute_cosine DESC, feature_a) AS split_into, min(max_absolute_cosine) AS cosine,
           any_value(feature_a) FILTER (feature_b = nearest_b) AS partner
    FROM match_saes(wider, narrower) WHERE max_absolute_cosine >= cosine GROUP BY nearest_b HAVING count(*) > 1 ORDER BY features DESC, feature;
COMMENT ON MACRO TABLE feature_splits IS 'feature_splits(wider, narrower, cosine := 0.5): the features of an SAE that are the nearest, by |cosine| of decoder directions from cosine on, of several features of a wider one, and these, the nearest first; the least |cosine| of them, and which of them is the partner by match_saes, NULL for none.';

-- Logit weights are linear: the difference of two is the logit weight of the difference of the
-- decoder directions, so that the tokens come of one ranking and no list of all is made.
CREATE OR REPLACE MACRO token_differences(words, feature_index, other_words, other_index, k := 20) AS TABLE
    WITH one AS (SELECT d.sae, d.model, d.w_dec, coalesce(s.tokens, 'all') AS counted FROM decoder_directions_of(words) d JOIN saes s USING (sae)
                 WHERE d.feature = feature_of(words, feature_index)),
    other AS (SELECT d.sae, d.model, d.w_dec FROM decoder_directions_of(other_words) d WHERE d.feature = feature_of(other_words, other_index)),
    two AS (
        SELECT one.model, one.counted, one.w_dec AS w, other.w_dec AS w_other,
               CASE WHEN one.model <> other.model
                    THEN error('token_differences: expected two features of one model, found ' || one.sae || ' of ' || one.model || ' and ' || other.sae || ' of ' || other.model)
                    WHEN one.w_dec IS NULL OR other.w_dec IS NULL THEN error('token_differences: the weights of ' || words || ' or ' || other_words || ' are not in this database')
                    ELSE CAST([pair[1] - pair[2] FOR pair IN list_zip(one.w_dec, other.w_dec)] AS FLOAT[]) END AS difference
        FROM one, other
    ),
    ends AS (
        SELECT 'higher' AS direction, unnest(range(1, k + 1)) AS rank, unnest(top_tokens(difference, model, k, counted)) AS t, model, w, w_other FROM two
        UNION ALL SELECT 'lower', unnest(range(1, k + 1)), unnest(bottom_tokens(difference, model, k, counted)), model, w, w_other FROM two
    ),
    weighed AS (SELECT direction, rank, t.text AS text, t.token_id AS token_id, t.token AS token,
                       logit_weight(w, model, t.token_id) AS logit_weight, logit_weight(w_other, model, t.token_id) AS other_logit_weight
                FROM ends WHERE t IS NOT NULL)
    SELECT direction, rank, text, logit_weight - other_logit_weight AS difference, logit_weight, other_logit_weight, token_id, token
    FROM weighed ORDER BY direction, rank;
COMMENT ON MACRO TABLE token_differences IS 'token_differences(sae, feature, other_sae, other, k := 20): the k tokens whose logit weight is higher, and the k whose is lower, in a feature than in another of the same model, by the most; the tokens that count are those that the first SAE was computed for.';

CREATE OR REPLACE MACRO nearest_between(words, other_words) AS TABLE
    WITH asked AS (SELECT (SELECT load_id FROM saes WHERE sae = sae_named(words)) AS one_id, (SELECT load_id FROM saes WHERE sae = sae_named(other_words)) AS two_id),
    whole AS (SELECT p.pair_id, p.sae_id, p.other_id, a.one_id, a.two_id FROM asked a LEFT JOIN whole_neighbours(1) p ON (p.sae_id, p.other_id) IN ((a.one_id, a.two_id), (a.two_id, a.one_id))),
    known AS (SELECT CASE WHEN any_value(one_id) = any_value(two_id)
                          THEN error('nearest_between: expected two SAEs, found ' || words || ' and ' || other_words || ', which are one')
                          WHEN count(pair_id) < 2
                          THEN error('nearest_between: the nearest features of ' || words || ' and ' || other_words || ' are not stored (saedb compute --neighbours --from ' || words || ' --to ' || other_words || ')') END AS missing FROM whole),
    near AS (SELECT w.sae_id, w.other_id, n.feature, n.neighbours[1] AS nearest, n.cosines[1] AS cosine
             FROM known, whole w JOIN stored_neighbours n USING (pair_id) WHERE known.missing IS NULL)
    SELECT s.sae, near.feature, o.sae AS other_sae, near.nearest, near.cosine, coalesce(back.nearest = near.feature, false) AS mutual
    FROM near JOIN saes s ON s.load_id = near.sae_id JOIN saes o ON o.load_id = near.other_id
    LEFT JOIN near back ON back.sae_id = near.other_id AND back.feature = near.nearest
    ORDER BY near.sae_id <> (SELECT one_id FROM asked), near.feature;
COMMENT ON MACRO TABLE nearest_between IS 'nearest_between(sae, other_sae): for every feature of two SAEs the feature of the other one whose decoder direction has the highest cosine with its own, and whether each is the other''s; from what compute --neighbours stored.';
