FROM relative_decoder_norms('nobody');

-- What is no crosscoder has one decoder.
SELECT feature, round(norm, 3) AS norm, relative_norm FROM relative_decoder_norms('smollm2-demo/blocks.29.hook_resid_pre') ORDER BY feature LIMIT 2;
