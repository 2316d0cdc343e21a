FROM nearest_between('layer_29', 'layer_24');

FROM nearest_between('layer_29', 'layer_29');

FROM nearest_between('layer_29', 'layer_99');
