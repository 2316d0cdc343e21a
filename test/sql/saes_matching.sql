FROM saes_matching('nobody');

FROM saes_matching('');

FROM saes_matching('layer_29');

FROM saes_matching('*.2?.*') ORDER BY sae;
