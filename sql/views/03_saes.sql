-- What is asked for first comes first in every view; names and provenance come last.
-- sae is unique in the database, and release, model and layer follow from it: they
-- stand in every view that has sae, so that any join of two of them is right.
CREATE OR REPLACE VIEW saes AS
SELECT s.sae, s.layer, s.hook, s.d_sae, s.architecture, c.tokens, s.l0, s.d_model, s.format, s.dtype, s.scale, s.neuronpedia_id,
       s.short_name, s.release, m.model, c.counted_tokens, s.encoder_hook, s.sae_id AS load_id
FROM stored_saes s
JOIN stored_models m ON s.model_id = m.model_id
LEFT JOIN stored_computations c ON s.sae_id = c.sae_id;
COMMENT ON VIEW saes IS 'Every loaded SAE.';
COMMENT ON COLUMN saes.model IS 'Model whose residual stream it writes to.';
COMMENT ON COLUMN saes.tokens IS 'Columns of the unembedding that its statistics used: all, or real (without padding and special tokens); NULL before saedb compute.';
COMMENT ON COLUMN saes.counted_tokens IS 'How many columns that is.';
COMMENT ON COLUMN saes.load_id IS 'The load that made it, as in loads.';

CREATE OR REPLACE VIEW decoder_directions AS
SELECT s.layer, d.feature, d.w_dec, s.sae, s.release, s.model
FROM stored_decoders d JOIN saes s ON d.sae_id = s.load_id;
COMMENT ON VIEW decoder_directions IS 'The decoder direction of every feature.';
COMMENT ON COLUMN decoder_directions.sae IS 'The SAE.';
COMMENT ON COLUMN decoder_directions.release IS 'Its release.';
COMMENT ON COLUMN decoder_directions.model IS 'Its model.';
COMMENT ON COLUMN decoder_directions.layer IS 'Its layer, as in saes.';
COMMENT ON COLUMN decoder_directions.w_dec IS 'Decoder direction, d_model values, at the scale that saes names. NULL in a database of results alone, and where the weights stay in their files (load sae --in-place): decoder_directions_of and reader_row read these.';

CREATE OR REPLACE VIEW encoder_directions AS
SELECT s.layer, e.feature, e.w_enc, e.bias, e.threshold, s.encoder_hook, s.sae, s.release, s.model
FROM stored_encoders e JOIN saes s ON e.sae_id = s.load_id;
COMMENT ON VIEW encoder_directions IS 'The encoder of every feature of the SAEs that were loaded with it (load sae --encoder): activations x at encoder_hook excite a feature by x · w_enc + bias.';
COMMENT ON COLUMN encoder_directions.sae IS 'The SAE.';
COMMENT ON COLUMN encoder_directions.release IS 'Its release.';
COMMENT ON COLUMN encoder_directions.model IS 'Its model.';
COMMENT ON COLUMN encoder_directions.layer IS 'Its layer, as in saes: of a transcoder, that of the decoder.';
