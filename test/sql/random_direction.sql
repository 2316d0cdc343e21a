SELECT random_direction(1, 0, 0);

SELECT random_direction(NULL, 0, 576) AS no_seed, random_direction(1, NULL, 576) AS no_row;

-- The same on every machine, a function of its arguments alone, of unit length.
SELECT row, md5(CAST(random_direction(1, row, 576) AS VARCHAR)) AS md5, round(list_inner_product(d, d), 6) AS length
FROM (SELECT row, random_direction(1, row, 576) AS d FROM (SELECT unnest([0, 1, 4095]) AS row)) ORDER BY row;
