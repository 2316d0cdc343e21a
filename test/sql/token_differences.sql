FROM token_differences('layer_29', 1536, 'layer_29', 0);

FROM token_differences('layer_29', 63, 'layer_99', 0);

SELECT direction, rank, text, round(difference, 3) AS difference, round(logit_weight, 3) AS logit_weight, round(other_logit_weight, 3) AS other_logit_weight FROM token_differences('layer_14', 1535, 'layer_19', 1279, k := 3);

-- A feature does not differ from itself, and what is higher in one is lower in the other.
SELECT max(abs(difference)) AS none FROM token_differences('layer_14', 1535, 'layer_14', 1535);

SELECT count(*) AS same FROM token_differences('layer_14', 1535, 'layer_19', 1279) a JOIN token_differences('layer_19', 1279, 'layer_14', 1535) b USING (rank, token_id) WHERE a.direction <> b.direction AND a.difference = -b.difference;

-- No token differs more than those that are shown.
WITH all_of AS (SELECT token_id, a.logit_weight - b.logit_weight AS difference FROM feature_logits('layer_14', 1535) a JOIN feature_logits('layer_19', 1279) b USING (token_id)),
     shown AS (FROM token_differences('layer_14', 1535, 'layer_19', 1279, k := 50))
SELECT count(*) AS missing FROM all_of WHERE token_id NOT IN (SELECT token_id FROM shown)
    AND (difference > (SELECT min(difference) FROM shown WHERE direction = 'higher') + 1e-5 OR difference < (SELECT max(difference) FROM shown WHERE direction = 'lower') - 1e-5);
