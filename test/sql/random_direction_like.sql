SELECT random_direction_like(1, 0, 'nobody');

SELECT random_direction_like(1, 0, NULL) AS no_sae, random_direction_like(NULL, 0, 'nobody') AS no_seed;

SELECT row, md5(CAST(random_direction_like(1, row, 'smollm2-demo/blocks.29.hook_resid_pre') AS VARCHAR)) AS like_sae
FROM (SELECT unnest([0, 1, 4095]) AS row) ORDER BY row;
