FROM match_saes('nobody', 'layer_29');

FROM match_saes('layer_24', 'layer_29', cosine := 2);

-- An SAE matches itself, feature by feature, and no matching is better.
SELECT count(*) AS features, count(*) FILTER (feature_a = feature_b) AS matched, round(sum(abs(cosine)), 6) AS sum, round(any_value(sum_at_most), 6) AS sum_at_most FROM match_saes('layer_29', 'layer_29');

-- Two layers: each feature once, and the sum within 1 % of what no matching is above.
SELECT count(feature_a) AS of_a, count(feature_b) AS of_b, count(DISTINCT feature_b) AS different, round(avg(abs(cosine)), 3) AS pw_mcc, round(avg(max_absolute_cosine), 3) AS mean_of_maxima,
       sum(abs(cosine)) <= any_value(sum_at_most) + 1e-9 AND sum(abs(cosine)) > 0.99 * any_value(sum_at_most) AS nearly_best
FROM match_saes('layer_24', 'layer_29');

-- With a least cosine, some are left over on both sides.
SELECT count(cosine) > 100 AS matched, min(abs(cosine)) >= 0.5 AS alike, count(*) FILTER (feature_b IS NULL) = count(*) FILTER (feature_a IS NULL) AS as_many_left, count(*) - count(cosine) > 1000 AS left
FROM match_saes('layer_24', 'layer_29', cosine := 0.5);

-- The partners of the closing bracket.
SELECT feature_b, round(cosine, 3) AS cosine FROM match_saes('layer_14', 'layer_29') WHERE feature_a = 1535;
