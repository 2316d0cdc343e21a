SELECT feature_role(NULL, 1, 0) AS no_kurtosis;

SELECT feature_role(11, 1, 0) AS a, feature_role(11, -1, 0) AS b, feature_role(3, 1, 0.006) AS c, feature_role(3, 1, 0.004) AS d,
       feature_role(9, 1, 0, least_kurtosis := 8) AS e, feature_role(3, 1, 0.004, least_variance := 0.003) AS f;

-- The column has it with these thresholds.
SELECT count(*) AS features, count(role) AS with_role, count(*) FILTER (role IS DISTINCT FROM feature_role(cos_kurtosis, cos_skewness, pow(cos_std / decoder_norm, 2))) AS different FROM features;
