FROM similar_features('nobody', 63);

FROM similar_features('layer_29', 1536);

SELECT layer, feature, round(cosine, 4) AS cosine FROM similar_features('blocks.29.hook_resid_pre', 63, k := 3);
