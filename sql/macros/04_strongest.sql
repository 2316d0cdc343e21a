-- What saedb shows first: the one rule for every choice and order of enrichments, in the
-- figures, the explorer, the report and any client. First what is beyond chance, then the
-- larger effect, then the smaller q-value; what is promoted and what is suppressed apart.
-- Where nothing is beyond chance, or no baseline is there to say so, effect alone orders.

CREATE OR REPLACE MACRO strongest_sets(words, k := 6) AS TABLE
    WITH scored AS (
        SELECT token_set, direction, feature, effect, q_value, size, model, beyond_chance(q_value) AS beyond FROM enrichment
        WHERE sae = sae_named(words) AND effect IS NOT NULL AND direction IS NOT NULL
    ),
    -- The strongest feature each way. max of a row orders by its fields, one after the other.
    best AS (
        SELECT token_set, direction, size, model, max(row(beyond, abs(effect), -q_value, -feature)) AS strength,
               arg_max({'feature': feature, 'effect': effect, 'q_value': q_value}, row(beyond, abs(effect), -q_value, -feature)) AS one
        FROM scored GROUP BY ALL
    ),
    shown AS (SELECT * FROM best WHERE strength[1] = (SELECT max(strength[1]) FROM best)),
    sets AS (SELECT token_set, size, model, max(strength) AS strength FROM shown GROUP BY ALL),
    -- Sets that share more than half of their tokens with a stronger one (Jaccard), from the
    -- number of tokens that each two have in common: sizes rule out most pairs.
    members AS (
        SELECT row_number() OVER (ORDER BY strength DESC, token_set) AS place, token_set, size, unnest(tokens) AS token_id
        FROM sets JOIN (SELECT model, token_set, tokens FROM token_sets) USING (model, token_set)
    ),
    alike AS (
        SELECT DISTINCT token_set FROM (
            SELECT a.token_set, any_value(a.size + b.size) AS tokens, count(*) AS shared
            FROM members a JOIN members b ON a.token_id = b.token_id AND b.place < a.place AND 2 * least(a.size, b.size) > greatest(a.size, b.size)
            GROUP BY a.token_set, b.place
        ) WHERE 3 * shared > tokens
    ),
    placed AS (
        SELECT token_set, direction, size, one, strength,
               row_number() OVER (PARTITION BY direction ORDER BY strength DESC, token_set) AS place
        FROM shown ANTI JOIN alike USING (token_set)
    )
    SELECT token_set, size, direction, one.feature AS feature, one.effect AS effect, one.q_value AS q_value
    FROM (FROM placed QUALIFY row_number() OVER (PARTITION BY token_set ORDER BY place, strength DESC) = 1)
    ORDER BY place, strength DESC, token_set LIMIT k;
COMMENT ON MACRO TABLE strongest_sets IS 'strongest_sets(sae, k := 6): the token sets in which a feature of the SAE has the largest effect beyond chance, the strongest that is promoted, the strongest suppressed, the second of each, and so on, with that feature; by effect alone where none is beyond chance. A set that shares more than half of its tokens with a stronger one is left out.';

CREATE OR REPLACE MACRO strongest_features(wanted, k := 10, within := NULL) AS TABLE
    SELECT layer, feature, effect, direction, q_value, es, beyond_chance(q_value) AS beyond_chance, token_set, sae, release, model
    FROM enrichment
    WHERE token_set = wanted AND direction IS NOT NULL AND (within IS NULL OR release = within)
    QUALIFY row_number() OVER (PARTITION BY model, direction ORDER BY beyond_chance(q_value) DESC, abs(effect) DESC, q_value, sae, feature) <= k
    ORDER BY direction, beyond_chance(q_value) DESC, abs(effect) DESC, q_value, sae, feature;
COMMENT ON MACRO TABLE strongest_features IS 'strongest_features(token_set, k := 10, within := NULL): the features of all SAEs, or of those of the release within, that promote a token set most, and those that suppress it most, first those beyond chance.';

CREATE OR REPLACE MACRO strongest_of_feature(words, feature_index, k := 10) AS TABLE
    SELECT token_set, size, effect, direction, q_value, es, p_value, auc, beyond_chance(q_value) AS beyond_chance
    FROM enrichment
    WHERE sae = sae_named(words) AND feature = feature_of(words, feature_index) AND direction IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY direction ORDER BY beyond_chance(q_value) DESC, abs(effect) DESC, q_value, token_set) <= k
    ORDER BY direction, beyond_chance(q_value) DESC, abs(effect) DESC, q_value, token_set;
COMMENT ON MACRO TABLE strongest_of_feature IS 'strongest_of_feature(sae, feature, k := 10): the token sets that a feature promotes most, and those that it suppresses most, first those beyond chance.';
