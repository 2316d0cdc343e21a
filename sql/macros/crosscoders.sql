-- A crosscoder's decoders are SAEs of their own, NAME#PART. What compares them is
-- arithmetic on their rows, which a stock client does too.

CREATE OR REPLACE MACRO relative_decoder_norms(crosscoder) AS TABLE
    SELECT release, sae, feature, norm, norm / nullif(sum(norm) OVER (PARTITION BY release, feature), 0) AS relative_norm
    FROM (SELECT release, sae, feature, sqrt(list_inner_product(w_dec, w_dec)) AS norm
          FROM decoder_directions WHERE sae = crosscoder OR starts_with(sae, crosscoder || '#'))
    ORDER BY release, feature, sae;
COMMENT ON MACRO TABLE relative_decoder_norms IS 'relative_decoder_norms(crosscoder): for every latent of a crosscoder, given by its name before #, the length of its row in each decoder as it is stored, and its part of the sum of them: near 0 where a model or layer does not have the latent, near 1 where it alone has it.';
