SELECT string_agg(column_name, ', ' ORDER BY column_index) AS columns FROM duckdb_columns() WHERE table_name = 'sae_health' AND schema_name = 'main';

-- What needs the encoder, or compute --neighbours, is NULL without.
SELECT layer, features, zero_decoders, never_fire, duplicates, mean_absolute_cosine, round(random_absolute_cosine, 6) AS random_absolute_cosine, encoder_decoder_cosine,
       round(kurtosis_beyond_chance, 4) AS kurtosis_beyond_chance, round(sets_beyond_chance, 4) AS sets_beyond_chance
FROM sae_health ORDER BY layer;

-- The random value is the mean over the sphere: (2/π)/1 in the plane, 1/2 in three dimensions.
SELECT d, exp(lgamma(d / 2) - lgamma((d + 1) / 2)) / sqrt(pi()) AS random_absolute_cosine FROM (SELECT unnest([2, 3]) AS d);
