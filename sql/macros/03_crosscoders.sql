-- A crosscoder's decoders are SAEs of their own, NAME#PART. What compares them is
-- arithmetic on their rows, which a stock client does too.

CREATE OR REPLACE MACRO relative_decoder_norms(crosscoder) AS TABLE
    WITH parts AS (SELECT sae, split_part(sae, '#', 1) AS whole FROM saes
                   WHERE split_part(sae, '#', 1) = crosscoder OR split_part(short_name, '#', 1) = crosscoder),
    known AS (SELECT CASE count(DISTINCT whole)
                     WHEN 1 THEN (SELECT error('the weights of ' || i.sae || ' stay in ' || i.path || ', where this does not read them: load sae without --in-place copies them')
                                  FROM (SELECT s.sae, p.path FROM stored_in_place p JOIN stored_saes s USING (sae_id) ORDER BY s.sae) i WHERE i.sae IN (SELECT sae FROM parts) LIMIT 1)
                     WHEN 0 THEN error('no crosscoder is called ' || crosscoder || ' (FROM saes lists their decoders, NAME#PART)')
                     ELSE error(crosscoder || ' is the name of several: ' || string_agg(DISTINCT whole, ', ' ORDER BY whole)) END AS problem
              FROM parts),
    norms AS (SELECT d.layer, d.feature, sqrt(list_inner_product(CAST(d.w_dec AS DOUBLE[]), CAST(d.w_dec AS DOUBLE[]))) AS norm, d.sae, d.release, d.model
              FROM known, decoder_directions d JOIN parts USING (sae) WHERE known.problem IS NULL)
    SELECT layer, feature, norm, norm / nullif(sum(norm) OVER (PARTITION BY feature), 0) AS relative_norm, sae, release, model
    FROM norms
    ORDER BY feature, sae;
COMMENT ON MACRO TABLE relative_decoder_norms IS 'relative_decoder_norms(crosscoder): for every latent of a crosscoder, given by its name before #, the length of its row in each decoder as it is stored, and its part of the sum of them: near 0 where a model or layer does not have the latent, near 1 where it alone has it.';
