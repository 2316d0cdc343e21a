FROM feature_logits('nobody', 63);

FROM feature_logits('layer_29', 1536);

FROM feature_logits('layer_29', 63, tokens := 'some');

SELECT rank, text, round(logit_weight, 3) AS logit_weight, token_id FROM feature_logits('blocks.29.hook_resid_pre', 63) LIMIT 3;

SELECT count(*) AS all, (SELECT count(*) FROM feature_logits('layer_29', 63, tokens := 'real')) AS real FROM feature_logits('layer_29', 63);
