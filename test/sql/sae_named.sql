SELECT sae_named('smollm2-demo/*');

SELECT sae_named('nobody');

SELECT sae_named('layer_29') AS by_layer, sae_named('blocks.29.hook_resid_pre') AS by_short_name;
