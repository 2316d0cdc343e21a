-- Which SAEs people mean: the one rule for every argument that takes SAEs, in SQL, on the
-- command line and in Python. Macros are kept in the file; these call no function of
-- saedb, so that they work in any client.

CREATE OR REPLACE MACRO saes_matching(words) AS TABLE
    -- Once, since what stands for words may be a macro itself.
    WITH asked AS (SELECT CAST(words AS VARCHAR) AS given_words),
    -- Of the table of the view saes, which joins others, that nearly every macro here would wait for.
    called AS (
        SELECT sae, release, layer, short_name,
               CASE WHEN sae = given_words OR release || '/' || short_name = given_words THEN 1
                    WHEN short_name = given_words THEN 2
                    WHEN 'layer_' || layer = given_words OR release || '/layer_' || layer = given_words THEN 3
                    WHEN sae GLOB given_words OR short_name GLOB given_words THEN 4 END AS how,
               greatest(jaro_winkler_similarity(lower(sae), lower(given_words)),
                        jaro_winkler_similarity(lower(short_name), lower(given_words))) AS likeness
        FROM stored_saes, asked
    ),
    -- All at once: each query apart would be planned and run each time, for an error that is rarely made.
    tally AS (
        SELECT count(*) AS loaded, min(how) AS how, count(*) FILTER (WHERE how = 2) AS n,
               string_agg(sae, ', ' ORDER BY sae) FILTER (WHERE how = 2) AS names,
               array_to_string(list(sae ORDER BY likeness DESC, sae)[:5], ', ') AS near,
               string_agg(DISTINCT layer, ', ' ORDER BY layer) AS layers
        FROM called
    )
    SELECT CASE WHEN tally.loaded = 0 THEN error('no SAE is loaded')
                WHEN tally.how IS NULL AND regexp_matches(given_words, '(^|/)layer_[0-9]+$')
                THEN error('no SAE is at ' || given_words || ' (layers: ' || coalesce(tally.layers, 'none') || ')')
                WHEN tally.how IS NULL THEN error('no SAE is called ' || given_words || ' (near it: ' || tally.near || ')')
                WHEN tally.how = 2 AND tally.n > 1
                THEN error(tally.n || ' SAEs have the short name ' || given_words || ' (name one: ' || tally.names || ')')
                ELSE found.sae END AS sae
    FROM asked, tally LEFT JOIN called found ON found.how = tally.how
    ORDER BY found.release, found.layer, found.sae;
COMMENT ON MACRO TABLE saes_matching IS 'saes_matching(words): the names of the SAEs that words mean: a name, release/name, a short name that one SAE has, layer_N, release/layer_N or a glob pattern.';

CREATE OR REPLACE MACRO sae_named(words) AS (
    SELECT CASE WHEN count(*) = 1 THEN any_value(sae)
                ELSE error(words || ' means ' || count(*) || ' SAEs, and one is needed (name one: '
                           || array_to_string(list(sae ORDER BY sae)[:10], ', ') || CASE WHEN count(*) > 10 THEN ', …)' ELSE ')' END) END
    FROM saes_matching(words)
);
COMMENT ON MACRO sae_named IS 'sae_named(words): the name of the only SAE that words mean.';

CREATE OR REPLACE MACRO feature_of(words, feature_index) AS (
    SELECT {{feature_index of an SAE}} FROM stored_saes WHERE sae = sae_named(words)
);
COMMENT ON MACRO feature_of IS 'feature_of(words, feature): the feature, which the SAE has.';

-- The argument within of macros: a release that there is, or NULL for all.
CREATE OR REPLACE MACRO release_named(within) AS (
    SELECT CASE WHEN within IS NULL OR bool_or(release = within) THEN within
                ELSE error('no release is called ' || within || ' (there are: ' || coalesce(string_agg(DISTINCT release, ', ' ORDER BY release), 'none') || ')') END
    FROM stored_saes
);
COMMENT ON MACRO release_named IS 'release_named(within): the release, which some SAE has; NULL stays NULL.';
