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
    l0 DOUBLE
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
