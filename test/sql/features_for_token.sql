FROM features_for_token('no such token at all');

SELECT layer, feature, round(logit_weight, 3) AS logit_weight FROM features_for_token(' three', k := 3);

-- By the tokenizer's spelling; within a release.
SELECT layer, feature FROM features_for_token('Ġthree', k := 3, within := 'smollm2-demo');

FROM features_for_token(' three', within := 'another');
