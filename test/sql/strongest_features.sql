FROM strongest_features('no_such_set');

FROM strongest_features('all_digits', within := 'another');

SELECT layer, feature, round(effect, 3) AS effect, direction, beyond_chance FROM strongest_features('all_digits', k := 2);

SELECT layer, feature, direction FROM strongest_features('all_digits', k := 1, of_sae := 'smollm2-demo/blocks.24.hook_resid_pre');
