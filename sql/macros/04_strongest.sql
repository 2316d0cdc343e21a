-- What saedb shows first: the one rule for every choice and order of enrichments, in the
-- figures, the explorer, the report and any client. First what is beyond chance, then the
-- larger effect, then the smaller q-value; what is promoted and what is suppressed apart.
-- Where nothing is beyond chance, or no baseline is there to say so, effect alone orders.

CREATE OR REPLACE MACRO unlike_sets(of_model, names) AS TABLE
    WITH named AS (SELECT unnest(l) AS token_set, unnest(range(len(l))) AS place FROM (SELECT names AS l)),
    -- How many tokens each two have in common; sizes rule out most pairs.
    members AS (SELECT place, token_set, size, unnest(tokens) AS token_id FROM named JOIN (SELECT token_set, members AS size, tokens FROM token_sets WHERE model = of_model) USING (token_set)),
    alike AS (
        SELECT DISTINCT token_set FROM (
            SELECT a.token_set, any_value(a.size + b.size) AS tokens, count(*) AS shared
            FROM members a JOIN members b ON a.token_id = b.token_id AND b.place < a.place AND 2 * least(a.size, b.size) > greatest(a.size, b.size)
            GROUP BY a.token_set, b.place
        ) WHERE 3 * shared > tokens
    )
    SELECT token_set FROM named ANTI JOIN alike USING (token_set) ORDER BY place;
COMMENT ON MACRO TABLE unlike_sets IS 'unlike_sets(model, token_sets): of a list of names, those of the sets that do not share more than half of their tokens (Jaccard) with one before them.';

CREATE OR REPLACE MACRO strongest_sets(words, k := 6) AS TABLE
    WITH best AS (
        SELECT token_set, direction, size, model, {'feature': feature, 'effect': effect, 'q_value': q_value} AS one,
               row(coalesce(beyond_chance > 0, false), abs(effect), -q_value, -feature) AS strength
        FROM set_enrichment WHERE sae = sae_named(words)
    ),
    shown AS (SELECT * FROM best WHERE strength[1] = (SELECT max(strength[1]) FROM best)),
    sets AS (SELECT token_set, model, max(strength) AS strength FROM shown GROUP BY ALL),
    unlike AS (FROM unlike_sets((SELECT any_value(model) FROM sets), (SELECT list(token_set ORDER BY strength DESC, token_set) FROM sets))),
    placed AS (
        SELECT token_set, direction, size, one, strength,
               row_number() OVER (PARTITION BY direction ORDER BY strength DESC, token_set) AS place
        FROM shown JOIN unlike USING (token_set)
    )
    SELECT token_set, size, direction, one.feature AS feature, one.effect AS effect, one.q_value AS q_value
    FROM (FROM placed QUALIFY row_number() OVER (PARTITION BY token_set ORDER BY place, strength DESC) = 1)
    ORDER BY place, strength DESC, token_set LIMIT k;
COMMENT ON MACRO TABLE strongest_sets IS 'strongest_sets(sae, k := 6): the token sets in which a feature of the SAE has the largest effect beyond chance, the strongest that is promoted, the strongest suppressed, the second of each, and so on, with that feature; by effect alone where none is beyond chance. A set that shares more than half of its tokens with a stronger one is left out.';

CREATE OR REPLACE MACRO strongest_features(wanted, k := 10, within := NULL, of_sae := NULL) AS TABLE
    SELECT layer, feature, effect, direction, q_value, es, beyond_chance(q_value) AS beyond_chance, token_set, sae, release, model
    FROM enrichment
    -- Apart from the comparison, which DuckDB otherwise makes after it has read the scores of all sets.
    WHERE token_set = wanted
        AND (SELECT CASE WHEN count(*) = 0 THEN error('no token set is called ' || wanted || ' (token_sets lists them)') ELSE true END FROM token_sets WHERE token_set = wanted)
        AND direction IS NOT NULL AND (release_named(within) IS NULL OR release = within) AND (of_sae IS NULL OR sae = of_sae)
    QUALIFY row_number() OVER (PARTITION BY model, direction ORDER BY beyond_chance(q_value) DESC, abs(effect) DESC, q_value, sae, feature) <= k
    ORDER BY direction, beyond_chance(q_value) DESC, abs(effect) DESC, q_value, sae, feature;
COMMENT ON MACRO TABLE strongest_features IS 'strongest_features(token_set, k := 10, within := NULL, of_sae := NULL): the features of all SAEs, of those of the release within, or of the one whose name is of_sae, that promote a token set most, and those that suppress it most, first those beyond chance.';

-- More than k are looked at, since some are alike; not all, which may be many.
-- Of the view of the other side nothing is read.
CREATE OR REPLACE MACRO strongest_of_feature(words, feature_index, k := 10, side := 'output') AS TABLE
    WITH asked AS (SELECT sae AS asked_sae, {{feature_index of an SAE}} AS asked_feature FROM stored_saes WHERE sae = sae_named(words)),
    scored AS (
        SELECT token_set, size, effect, direction, q_value, es, p_value, auc, model, beyond_chance(q_value) AS beyond_chance,
               row_number() OVER (PARTITION BY direction ORDER BY beyond_chance(q_value) DESC, abs(effect) DESC, q_value, token_set) AS place
        FROM (FROM enrichment e WHERE e.side = side UNION ALL BY NAME FROM input_enrichment i WHERE i.side = side
              -- What is filtered by is the error, or DuckDB would take the filter for an empty answer.
              UNION ALL BY NAME SELECT CAST(wrong AS VARCHAR) AS sae, CAST(wrong AS VARCHAR) AS direction, CAST(wrong AS INTEGER) AS feature
                  FROM (SELECT error('strongest_of_feature: side: expected output or input, found ' || coalesce(side, 'NULL')) AS wrong)
                  WHERE coalesce(side, '') NOT IN ('output', 'input'))
        WHERE sae = (SELECT asked_sae FROM asked) AND feature = (SELECT asked_feature FROM asked) AND direction IS NOT NULL
        QUALIFY place <= 3 * k
    ),
    unlike AS (FROM unlike_sets((SELECT any_value(model) FROM scored), (SELECT list(token_set ORDER BY beyond_chance DESC, abs(effect) DESC, q_value, token_set) FROM scored)))
    SELECT token_set, size, effect, direction, q_value, es, p_value, auc, beyond_chance
    FROM scored JOIN unlike USING (token_set)
    QUALIFY row_number() OVER (PARTITION BY direction ORDER BY place) <= k
    ORDER BY direction, place;
COMMENT ON MACRO TABLE strongest_of_feature IS 'strongest_of_feature(sae, feature, k := 10, side := ''output''): the token sets that a feature promotes most, and those that it suppresses most, or with side input those that excite it most and that hold it back most, first those beyond chance; of the 3 k strongest each way, without those that share more than half of their tokens with a stronger one.';
