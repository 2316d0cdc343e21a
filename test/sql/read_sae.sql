FROM read_sae('nowhere');

FROM read_sae(NULL);

FROM read_sae('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre', first := 1000, features := 537);

SELECT count(*) AS features, min(len(w_dec)) AS d_model, round(avg(log_sparsity), 4) AS log_sparsity
FROM read_sae('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre');

-- A file gives what a load stored.
SELECT count(*) AS features, count(*) FILTER (a.w_dec <> b.w_dec) AS different
FROM read_sae('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre') a JOIN decoder_directions b USING (feature) WHERE b.layer = 4;

-- A part of a file is that part of the whole.
SELECT count(*) AS features, min(feature) AS first, max(feature) AS last, count(*) FILTER (a.w_dec <> b.w_dec) AS different
FROM read_sae('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre', first := 1000, features := 500) a
JOIN read_sae('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre') b USING (feature);
