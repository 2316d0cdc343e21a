SELECT leading_edge(w_dec, model, 'no_such_set') FROM decoder_directions LIMIT 1;

SELECT leading_edge(w_dec, model, 'all_digits', -1) FROM decoder_directions LIMIT 1;

SELECT text, rank, round(logit_weight, 3) AS logit_weight FROM (
    SELECT unnest(leading_edge(w_dec, model, 'all_digits'), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature = 278) LIMIT 3;

-- Weighted as GSEA: members count with their logit weights. A weight of 0 is none.
SELECT len(leading_edge(w_dec, model, 'boy_names', 1)) AS weighted, len(leading_edge(w_dec, model, 'boy_names')) AS unweighted,
       leading_edge(w_dec, model, 'boy_names', 0) = leading_edge(w_dec, model, 'boy_names') AS same, leading_edge(w_dec, model, 'boy_names', NULL) AS none
FROM decoder_directions WHERE layer = 24 AND feature = 202;

-- Its last member is where the weighted running sum turns: up to there it is the score.
WITH f AS (SELECT w_dec, model FROM decoder_directions WHERE layer = 24 AND feature = 202),
edge AS (SELECT unnest(leading_edge(w_dec, model, 'boy_names', 1), recursive := true) FROM f),
members AS (SELECT sum(abs(logit_weight)) AS total, count(*) AS m FROM (SELECT unnest(range(49152)) AS token_id, unnest(logit_weights(w_dec, model)) AS logit_weight FROM f)
            JOIN token_set_members USING (token_id) WHERE token_set = 'boy_names')
SELECT abs(sum(abs(logit_weight)) / any_value(total) - (max(rank) - count(*)) / (49152 - any_value(m)) - any_value((SELECT weighted_enrichment(w_dec, model, ['boy_names'], 1, 0)[1].es FROM f))) < 1e-6 AS is_the_score
FROM edge, members;
