FROM strongest_of_feature('layer_29', 1536);

SELECT token_set, size, round(effect, 3) AS effect, direction, round(es, 3) AS es, round(auc, 3) AS auc, beyond_chance FROM strongest_of_feature('layer_29', 63, k := 2);

-- The input side is not computed here.
SELECT count(*) AS none_computed FROM strongest_of_feature('layer_29', 63, side := 'input');
