SELECT ks_log10_p(0, 10, 0.5) AS no_members, ks_log10_p(10, 10, 0.5) AS no_others, ks_log10_p(5, 10, 1.5) AS no_score, ks_log10_p(NULL, 10, 0.5) AS no_number;

-- The lattice has 2 paths of C(10, 5) that reach 1; any reaches 0.
SELECT round(10 ** ks_log10_p(5, 10, 1), 12) AS perfect, round(2 / 252, 12) AS exact, ks_log10_p(5, 10, 0) AS certain;

-- Far beyond what DOUBLE has, and no cliff between small sets and large ones.
SELECT members, round(ks_log10_p(members, 49152, 1), 2) AS log10_p FROM (SELECT unnest([8, 16, 17, 18, 1000]::INTEGER[]) AS members) ORDER BY members;
