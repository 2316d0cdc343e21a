FROM feature_families(cosine := 2);

FROM feature_families(cosine := 'near');

FROM feature_families(cosine := 0);

-- There are none before saedb compute --neighbours --from … --to ….
SELECT count(*) AS features FROM feature_families();

SELECT column_name, column_type FROM (DESCRIBE FROM feature_families(cosine := 0.7));
