FROM read_encoder('nowhere');

FROM read_encoder(NULL);

FROM read_encoder('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre', first := 1000, features := 537);

SELECT count(*) AS features, min(len(w_enc)) AS d_in, count(bias) AS biases, count(threshold) AS thresholds
FROM read_encoder('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre');

-- What excites a feature is near what it writes, and is not the same.
SELECT feature, round(list_cosine_similarity(w_enc, w_dec), 3) AS cosine
FROM read_encoder('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre') JOIN layer_29 USING (feature) JOIN decoder_directions USING (sae, feature)
WHERE feature IN (63, 278, 1328) ORDER BY feature;

-- A part of a file is that part of the whole.
SELECT count(*) AS features, min(feature) AS first, count(*) FILTER (a.w_enc <> b.w_enc OR a.bias <> b.bias) AS different
FROM read_encoder('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre', first := 1000, features := 500) a
JOIN read_encoder('../examples/smollm2-135m/saes/blocks.4.hook_resid_pre') b USING (feature);
