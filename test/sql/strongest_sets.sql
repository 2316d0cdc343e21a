FROM strongest_sets('nobody');

SELECT token_set, size, direction, feature, round(effect, 3) AS effect FROM strongest_sets('layer_29', k := 4);

-- Nothing of the first layer is beyond chance.
SELECT token_set, direction, feature, round(effect, 3) AS effect, q_value >= 0.05 AS chance FROM strongest_sets('layer_4', k := 2);
