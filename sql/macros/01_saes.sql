-- Which SAEs people mean: the one rule for every argument that takes SAEs, in SQL, on the
-- command line and in Python. Macros are kept in the file; these call no function of
-- saedb, so that they work in any client.

CREATE OR REPLACE MACRO saes_matching(words) AS TABLE
    -- Once, since what stands for words may be a macro itself.
    WITH asked AS (SELECT CAST(words AS VARCHAR) AS given_words),
    called AS (
        SELECT sae, release, layer,
               CASE WHEN sae = given_words OR release || '/' || short_name = given_words THEN 1
                    WHEN short_name = given_words THEN 2
                    WHEN 'layer_' || layer = given_words OR release || '/layer_' || layer = given_words THEN 3
                    WHEN sae GLOB given_words OR short_name GLOB given_words THEN 4 END AS how
        FROM saes, asked
    ),
    found AS (SELECT sae, release, layer, how FROM called WHERE how = (SELECT min(how) FROM called)),
    tally AS (
        SELECT (SELECT count(*) FROM saes) AS loaded,
               (SELECT count(*) FROM found) AS n,
               (SELECT coalesce(min(how), 0) FROM found) AS how,
               (SELECT string_agg(sae, ', ' ORDER BY sae) FROM found) AS names,
               (SELECT string_agg(sae, ', ' ORDER BY likeness DESC, sae) FROM (
                    SELECT sae, greatest(jaro_winkler_similarity(lower(sae), lower(given_words)),
                                         jaro_winkler_similarity(lower(short_name), lower(given_words))) AS likeness
                    FROM saes, asked ORDER BY likeness DESC, sae LIMIT 5)) AS near,
               (SELECT string_agg(DISTINCT layer, ', ' ORDER BY layer) FROM saes) AS layers
    )
    SELECT CASE WHEN tally.loaded = 0 THEN error('no SAE is loaded')
                WHEN tally.n = 0 AND regexp_matches(given_words, '(^|/)layer_[0-9]+$')
                THEN error('no SAE is at ' || given_words || ' (layers: ' || coalesce(tally.layers, 'none') || ')')
                WHEN tally.n = 0 THEN error('no SAE is called ' || given_words || ' (near it: ' || tally.near || ')')
                WHEN tally.how = 2 AND tally.n > 1
                THEN error(tally.n || ' SAEs have the short name ' || given_words || ' (name one: ' || tally.names || ')')
                ELSE found.sae END AS sae
    FROM asked, tally LEFT JOIN found ON true
    ORDER BY found.release, found.layer, found.sae;
COMMENT ON MACRO TABLE saes_matching IS 'saes_matching(words): the names of the SAEs that words mean: a name, release/name, a short name that one SAE has, layer_N, release/layer_N or a glob pattern.';

CREATE OR REPLACE MACRO sae_named(words) AS (
    SELECT CASE WHEN count(*) = 1 THEN any_value(sae)
                ELSE error(words || ' means ' || count(*) || ' SAEs, and one is needed (name one: '
                           || array_to_string(list(sae ORDER BY sae)[:10], ', ') || CASE WHEN count(*) > 10 THEN ', …)' ELSE ')' END) END
    FROM saes_matching(words)
);
COMMENT ON MACRO sae_named IS 'sae_named(words): the name of the only SAE that words mean.';

CREATE OR REPLACE MACRO feature_of(words, wanted) AS (
    SELECT CASE WHEN wanted >= 0 AND wanted < d_sae THEN CAST(wanted AS INTEGER)
                ELSE error('SAE ' || sae || ' has no feature ' || coalesce(CAST(wanted AS VARCHAR), 'NULL') || ': it has 0 to ' || (d_sae - 1)) END
    FROM saes WHERE sae = sae_named(words)
);
COMMENT ON MACRO feature_of IS 'feature_of(words, feature): the feature, which the SAE has.';

-- The argument within of macros: a release that there is, or NULL for all.
CREATE OR REPLACE MACRO release_named(within) AS (
    SELECT CASE WHEN within IS NULL OR bool_or(release = within) THEN within
                ELSE error('no release is called ' || within || ' (there are: ' || coalesce(string_agg(DISTINCT release, ', ' ORDER BY release), 'none') || ')') END
    FROM saes
);
COMMENT ON MACRO release_named IS 'release_named(within): the release, which some SAE has; NULL stays NULL.';
