CREATE OR REPLACE VIEW lenses AS
SELECT l.lens, m.model, l.kind, l.layers, l.blocks, l.residual, l.d_model, l.dtype, l.format, l.fitted_on, l.corpus, l.prompts, l.lens_id AS load_id
FROM stored_lenses l JOIN stored_models m ON l.model_id = m.model_id
ORDER BY l.lens;
COMMENT ON VIEW lenses IS 'Every loaded lens (load lens): matrices that lead from the residual stream behind a block to that behind the last one, where the unembedding reads it.';
COMMENT ON COLUMN lenses.model IS 'Model whose residual stream it is of.';
COMMENT ON COLUMN lenses.load_id IS 'The load that made it, as in loads.';

CREATE OR REPLACE VIEW lens_matrices AS
SELECT l.lens, w.layer, w.dimension, w.weights
FROM stored_lens_matrices w JOIN stored_lenses l ON w.lens_id = l.lens_id;
COMMENT ON VIEW lens_matrices IS 'The matrices of every loaded lens, a row of one a row.';
COMMENT ON COLUMN lens_matrices.lens IS 'The lens.';
