-- A resid_post of block L is the resid_pre of block L + 1. Where a release has
-- both, they are numbered as one sequence, as SAELens's tutorial and Neuronpedia
-- number gpt2-small-res-jb.
CREATE OR REPLACE VIEW saes AS
SELECT s.sae, s.release, m.model, s.hook,
       s.block + CASE WHEN contains(s.hook, 'resid_post')
                       AND bool_or(coalesce(contains(s.hook, 'resid_pre'), false)) OVER (PARTITION BY s.release)
                      THEN 1 ELSE 0 END AS layer,
       s.architecture, s.d_model, s.d_sae, s.format, s.dtype, s.scale, s.neuronpedia_id, s.l0, c.tokens, s.sae_id AS load_id
FROM stored_saes s
JOIN stored_models m ON s.model_id = m.model_id
LEFT JOIN stored_computations c ON s.sae_id = c.sae_id;
COMMENT ON VIEW saes IS 'Every loaded SAE.';
COMMENT ON COLUMN saes.model IS 'Model whose residual stream it writes to.';
COMMENT ON COLUMN saes.layer IS 'Index of the block in the hook point''s name; in a release with both resid_pre and resid_post, a resid_post of block L counts as L + 1.';
COMMENT ON COLUMN saes.tokens IS 'Columns of the unembedding that its statistics used: all, or real (without padding and special tokens); NULL before saedb compute.';
COMMENT ON COLUMN saes.load_id IS 'The load that made it, as in loads.';

CREATE OR REPLACE VIEW decoder_directions AS
SELECT s.sae, s.release, s.model, s.layer, d.feature, d.w_dec
FROM stored_decoders d JOIN saes s ON d.sae_id = s.load_id;
COMMENT ON VIEW decoder_directions IS 'The decoder direction of every feature.';
COMMENT ON COLUMN decoder_directions.sae IS 'The SAE.';
COMMENT ON COLUMN decoder_directions.release IS 'Its release.';
COMMENT ON COLUMN decoder_directions.model IS 'Its model.';
COMMENT ON COLUMN decoder_directions.layer IS 'Its layer.';
COMMENT ON COLUMN decoder_directions.w_dec IS 'Decoder direction, d_model values, at the scale that saes names.';
